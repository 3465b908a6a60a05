# Deletes what was taken away. $1 is its folder.
set -eu
rm -rf -- "$1"
