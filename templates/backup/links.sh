# Lists the links of tags, manifests and layers below $1: "TIME DIGEST PATH", with "-" in place of a digest that a link
# does not hold, or that the disk does not give. Tags are read before manifests, and manifests before layers: a push writes them the other way round, so
# that everything that a listed tag needs is listed, however busy the registry is.
set -eu
# Before the first push there is nothing.
[ -d "$1" ] || exit 0
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# Lists files with their sizes and times; "unreadable" in place of the size of one that the disk does not give, where `awk`
# may end. Of a link, the last bytes are all.
cat > "$here/look" << 'END'
	tail -q -c 200 "$@" > /dev/null 2> "$0.said" || true
	if ! grep -qE "$UNREADABLE" "$0.said"; then exec stat -c '%s %Y %n' "$@"; fi
	for path; do
		size=%s
		if tail -c 200 "$path" 2>&1 > /dev/null | grep -qE "$UNREADABLE"; then size=unreadable; fi
		stat -c "$size %Y %n" "$path"
	done
END

# Lists the links of one kind; what it is given tells `find` the folders of the other kinds.
# A tag may be called like one of them.
read_links() {
	find repositories \( -name _uploads "$@" \) ! -path '*/_manifests/tags/*' -prune -o -type f -name link -print \
		2>> "$here/said" |
		tr '\n' '\0' | xargs -0 -r sh "$here/look" 2>> "$here/said" | awk -v unread="$here/unread" '
		function read_digest(path) {
			line = ""
			got = (getline line < path)
			close(path)
			return line ~ /^sha(256|512):[0-9a-f]+$/
		}
		{
			path = substr($0, index($0, " ") + 1)
			path = substr(path, index(path, " ") + 1)
			# A link that is longer than any digest is damaged, and may have no end.
			if ($1 == "unreadable" || $1 >= 200) { print $2 " - " path; next }
			holds = read_digest(path)
			# One that is just being written is empty for a moment. Damaged ones may be many.
			if (!holds && got >= 0 && waits++ < 20) { system("sleep 0.2"); holds = read_digest(path) }
			if (got < 0) { print path > unread; next }
			print $2 " " (holds ? line : "-") " " path
		}'
	# What is deleted while it is read is gone from the registry too.
	if grep -v 'No such file or directory$' "$here/said" >&2; then exit 1; fi
	[ ! -e "$here/unread" ] || while IFS= read -r path; do
		if [ -e "$path" ]; then echo "$path: cannot be read" >&2; exit 1; fi
	done < "$here/unread"
	rm -f "$here/unread"
}
if [ -d repositories ]; then
	read_links -o -name _layers -o -path '*/_manifests/revisions'
	read_links -o -name _layers -o -path '*/_manifests/tags'
	read_links -o -name _manifests
fi
