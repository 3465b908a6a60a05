# Fails if no file can be made in the folder $1.
set -eu
file=$1/.deployer-write-test
# Not by the shell itself: dash calls a full disk an I/O error.
echo test | cat > "$file"
rm -f "$file"
