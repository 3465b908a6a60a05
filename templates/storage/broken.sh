# Lists the links of manifests and layers that do not hold their own digest, such as after a power cut, or where one file
# was linked to several places: their paths, a line each. $1 is the folder in which `repositories` is. With "some" as $2,
# only those of the repositories whose paths are on standard input, a line each.
set -eu
# A new registry has no folder yet; whether there is one that cannot be opened, `list.sh` tells.
if [ ! -d "$1" ]; then
	echo "# end"
	exit 0
fi
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

unsound() {
	[ -s "$1" ] || return 0
	sound_links "$1" "$here/said" > "$here/sound"
	# What was removed in the meantime is not a damaged link, and what the disk does not give is one.
	if [ -s "$here/said" ] && failures < "$here/said" | grep . >&2; then exit 1; fi
	without "$here/sound" "$1" | tr '\n' '\0' |
		xargs -0 -r sh -c 'for path; do if [ -f "$path" ]; then echo "$path"; fi; done' sh
}
if [ -d repositories ]; then
	if [ "$2" = some ]; then
		while IFS= read -r path; do
			for folder in "$path/_manifests" "$path/_layers"; do
				if [ -d "$folder" ]; then echo "$folder"; fi
			done
		done
	else
		echo repositories
	fi | tr '\n' '\0' | xargs -0 -r sh -c '
		find "$@" \( -path "*/_manifests/tags" -o -name _uploads \) -prune -o -type f -name link -print' sh > "$here/all"
	# Twice, since a link that is just being written is empty for a moment.
	unsound "$here/all" > "$here/first"
	unsound "$here/first"
fi
echo "# end"
