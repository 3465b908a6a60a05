# Says what files of content hold now. $1 is the folder below which they are; standard input has their paths, a line
# each. Prints for each "size SIZE PATH" and "HASH  PATH", with the hash after which the folder of its kind is named, or
# "none PATH" if there is no regular file. A file that the disk does not give has the hash "unreadable". One that is
# removed while it is read has fewer than two lines.
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
	: > "$here/said"
	grep "^$1" "$here/all" > "$here/paths" || [ $? -eq 1 ]
	[ -s "$here/paths" ] || return 0
	shift
	tr '\n' '\0' < "$here/paths" > "$here/files"
	xargs -0 -r "$@" < "$here/files" 2> "$here/said" || [ -s "$here/said" ]
	if [ -s "$here/said" ] && grep -vE "No such file or directory\$|$UNREADABLE" "$here/said" >&2; then exit 1; fi
}

# What was to be read on the disk and has no hash: nothing where the program did not complain.
unread() {
	[ -s "$here/said" ] || return 0
	sed 's/^[^ ]*  //' "$1" > "$here/read"
	without "$here/read" "$here/paths" > "$here/left"
	unreadable_files "$here/left" "$here/why"
}
on blobs/ stat -c 'size %s %n'
for kind in sha256 sha512; do
	on "blobs/$kind/" "${kind}sum" > "$here/hashes"
	[ ! -s "$here/hashes" ] || cat "$here/hashes"
	unread "$here/hashes"
done
echo "# end"
