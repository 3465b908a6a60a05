# Comes before every script. What the registry takes as a link: it is a digest, and its size tells that there is no newline
# after it, as editors and `echo` write one. Both for `grep -xE`.
export DIGEST='sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}'
export DIGEST_SIZE='71|135'

# Of the links whose paths are in the file $1, those that hold the digest that their folder says. What was pushed by
# another kind of digest has a link to its sha256, and any will do; so it is with a tag. Complaints go to the file $2:
# what was removed in the meantime is none.
sound_links() {
	{
		tr '\n' '\0' < "$1" | xargs -0 -r sh -c 'stat -c "%f %s %n" "$@" || [ $? -eq 1 ]' sh |
			sed -nE "s/^8[0-9a-f]{3} ($DIGEST_SIZE) //p" | tr '\n' '\0' |
			xargs -0 -r sh -c 'grep -HxEe "$DIGEST" "$@" || [ $? -eq 1 ] || [ $? -eq 2 ]' sh
	} 2> "$2" | awk '
		match($0, /:sha(256|512):[0-9a-f]+$/) {
			path = substr($0, 1, RSTART - 1)
			count = split(path, part, "/")
			any = part[count - 1] == "current" || part[count - 2] != "sha256"
			if (any || part[count - 1] == substr($0, RSTART + 8)) print path
		}'
}

# What programs say of a file whose place on the disk cannot be read, with glibc's words and with musl's.
export UNREADABLE='Input/output error|I/O error|Structure needs cleaning|Bad message'

# Of complaints of programs, on standard input, those that are failures: neither that a file is gone, nor that the disk does
# not give one.
failures() {
	grep -vE "No such file or directory\$|($UNREADABLE)\$" || [ $? -eq 1 ]
}

# Of the files whose paths are in the file $1, those that the disk does not give to their ends, "unreadable  PATH" each.
# Another complaint, which $2 keeps, is a failure; that a file is gone is none.
unreadable_files() {
	while IFS= read -r path; do
		[ -f "$path" ] || continue
		if cat "$path" 2>&1 > /dev/null | grep . > "$2"; then
			if grep -qE "$UNREADABLE" "$2"; then
				echo "unreadable  $path"
			elif failures < "$2" | grep . >&2; then
				return 1
			fi
		fi
	done < "$1"
}

# The lines of the file $2 that are not in the file $1.
without() {
	awk 'BEGIN { while ((getline line < ARGV[1]) > 0) old[line] = 1; ARGV[1] = "" } !($0 in old)' "$1" "$2"
}
