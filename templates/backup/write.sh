# Fails if no file can be made in the folder $1.
set -eu
file=$1/.deployer-write-test
echo test > "$file"
rm -f "$file"
