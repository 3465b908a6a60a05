# Prints those of some files that are not there. $1 is the folder below which they should be; standard input has their
# paths, a line each.
set -eu
cd "$1"
tr '\n' '\0' | xargs -0 -r sh -c 'for path; do [ -f "$path" ] || echo "$path"; done' sh
echo "# end"
