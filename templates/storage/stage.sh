# Keeps standard input as the file $1, in a folder that is made for it.
set -eu
mkdir -p "${1%/*}"
cat > "$1"
