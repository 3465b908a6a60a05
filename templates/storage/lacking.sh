# Prints those of some paths of links at which there is not a file that holds the link's digest. $1 is the folder below
# which they are; standard input has the paths, a line each. "none PATH" if there is nothing, or, of a tag, no digest;
# "size N PATH" of any other link with N bytes; "other N PATH" if something else is at the path without its last N parts,
# such as a folder in place of the file.
set -eu
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# What fails there is looked at below.
unsound() {
	[ -s "$1" ] || return 0
	sound_links "$1" /dev/null > "$here/sound"
	without "$here/sound" "$1"
}

cat > "$here/all"
# Twice, since a link that is just being written is empty for a moment.
unsound "$here/all" > "$here/first"
if [ ! -s "$here/first" ]; then
	echo "# end"
	exit 0
fi
unsound "$here/first" | tr '\n' '\0' | xargs -0 -r sh -c '
	for path; do
		if [ -f "$path" ]; then
			case $path in
			*/_manifests/tags/*/current/link) echo "none $path" ;;
			*) echo "size $(stat -c %s "$path") $path" ;;
			esac
			continue
		fi
		place=$path
		up=0
		while [ ! -e "$place" ] && [ ! -L "$place" ]; do
			case $place in
			*/*) place=${place%/*} up=$((up + 1)) ;;
			*) break ;;
			esac
		done
		if [ "$up" -gt 0 ] && { [ -d "$place" ] || [ ! -e "$place" ]; }; then
			echo "none $path"
		else
			echo "other $up $path"
		fi
	done' sh
echo "# end"
