# Says what files of content hold now. $1 is the folder below which they are; standard input has their paths, a line
# each. Prints for each "size SIZE PATH" and "HASH  PATH", with the hash after which the folder of its kind is named, or
# "none PATH" if there is no regular file. A file that is removed while it is read has fewer than two lines.
set -eu
cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
tr '\n' '\0' | xargs -0 -r sh -c '
	for path; do
		if [ -f "$path" ]; then echo "$path"; else echo "none $path"; fi
	done' sh > "$here/all"
grep '^none ' "$here/all" || [ $? -eq 1 ]

# Runs a program on the files that are there and of which the path begins as $1 says; each call reads many.
on() {
	{ grep "^$1" "$here/all" || [ $? -eq 1 ]; } | tr '\n' '\0' > "$here/files"
	shift
	xargs -0 -r "$@" < "$here/files" 2> "$here/said" || [ -s "$here/said" ]
	if grep -v 'No such file or directory$' "$here/said" >&2; then exit 1; fi
}
on blobs/ stat -c 'size %s %n'
on blobs/sha256/ sha256sum
on blobs/sha512/ sha512sum
echo "# end"
