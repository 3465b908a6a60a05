# Prints the lists of removals that were cut off, each after a line "at MOMENT". $1 is the folder of what
# was taken away.
set -eu
for list in "$1"/*/list; do
	if [ -f "$list" ]; then
		stat -c 'at %Y' "$list"
		cat "$list"
	fi
done
