# Prints files one after the other. $1 is the folder below which they lie; standard input has their
# paths, a line each.
set -eu
cd "$1"
tr '\n' '\0' | xargs -0 -r cat
