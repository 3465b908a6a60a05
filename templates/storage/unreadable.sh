# Prints those of some files that the disk does not give: "unreadable  PATH" each. $1 is the folder below which they are;
# standard input has their paths, a line each.
set -eu
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cat > "$here/all"
unreadable_files "$here/all" "$here/said"
echo "# end"
