# Deletes what was removed. $1 is its folder.
set -eu
rm -rf -- "$1"
