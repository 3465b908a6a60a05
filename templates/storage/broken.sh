# Lists the links of manifests and layers that do not hold their own digest, such as after a power cut, or where one file
# was linked to several places: their paths, a line each. $1 is the folder in which `repositories` is.
set -eu
# A new registry has no folder yet; whether there is one that cannot be opened, `list.sh` tells.
if [ ! -d "$1" ]; then
	echo "# end"
	exit 0
fi
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# Of the paths in the file $1, those whose links hold no digest, or another one than their folder says. What was
# pushed by another kind of digest has a link to its sha256, and any will do.
unsound() {
	{
		tr '\n' '\0' < "$1" | xargs -0 -r sh -c 'stat -c "%s %n" "$@" || [ $? -eq 1 ]' sh |
			sed -nE "s/^($DIGEST_SIZE) //p" | tr '\n' '\0' |
			xargs -0 -r sh -c 'grep -HxEe "$DIGEST" "$@" || [ $? -eq 1 ] || [ $? -eq 2 ]' sh
	} 2> "$here/said" | awk '
		match($0, /:sha(256|512):[0-9a-f]+$/) {
			path = substr($0, 1, RSTART - 1)
			count = split(path, part, "/")
			if (part[count - 2] != "sha256" || part[count - 1] == substr($0, RSTART + 8)) print path
		}' > "$here/sound"
	# What was removed in the meantime is not a damaged link.
	if grep -v 'No such file or directory$' "$here/said" >&2; then exit 1; fi
	awk 'BEGIN { while ((getline line < ARGV[1]) > 0) sound[line] = 1; ARGV[1] = "" } !($0 in sound)' \
		"$here/sound" "$1" | tr '\n' '\0' | xargs -0 -r sh -c 'for path; do if [ -f "$path" ]; then echo "$path"; fi; done' sh
}
if [ -d repositories ]; then
	find repositories \( -path '*/_manifests/tags' -o -name _uploads \) -prune -o -type f -name link -print > "$here/all"
	# Twice, since a link that is just being written is empty for a moment.
	unsound "$here/all" > "$here/first"
	unsound "$here/first"
fi
echo "# end"
