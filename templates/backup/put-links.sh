# Unpacks links, a tar archive on standard input, below the folder $1: "new" ones ($2) straight away; those that are
# "missing" where others are in use, by way of the folder $3, and what is there stays; and those that are "changed", each in
# place of an existing one in one step.
set -eu
root=$1
if [ "$2" = new ]; then
	mkdir -p "$root"
	exec tar -x -o -f - -C "$root"
fi
rm -rf "$3"
mkdir -p "$3"
tar -x -o -f - -C "$3"
cd "$3"
find . -type f | if [ "$2" = missing ]; then
	while IFS= read -r path; do
		# An empty one was left by a crash.
		[ -s "$root/$path" ] || echo "$path"
	done | tr '\n' '\0' |
		# Of files alone: the times of the folders that are there stay. BusyBox makes no empty archive.
		xargs -0 -r -n 500 sh -c 'tar -c -f - "$@" | tar -x -o -f - -C "$0"' "$root"
else
	while IFS= read -r path; do
		# The tag may be gone meanwhile.
		mkdir -p "$root/${path%/*}"
		mv -f "$path" "$root/$path"
	done
fi
