# Reads files of content to their ends and says what they hold: "HASH  PATH" as soon as one is read, with the hash after
# which the folder of its kind is named; "unreadable" if the disk does not give it. One that is removed in the meantime is
# left out. $1 is the folder below which they are, $2 a file with their sizes and paths, a line each, the largest first; $3 how many bytes may be read in a second, 0
# for as many as there are.
set -eu
cd "$1"
list=$2
rate=$3
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
# From this size on, a file is read by a program of its own, and reported on its own.
large=1000000

# The files of the kind $1, of at least $2 and less than $3 bytes.
sized() {
	awk -v kind="blobs/$1/" -v least="$2" -v most="$3" \
		'index($2, kind) == 1 && $1 >= least && (most == 0 || $1 < most) { print $2 }' "$list" | tr '\n' '\0'
}

# Each program writes its lines in one step (musl does with 1024 bytes): those of several at once would mix otherwise.
fast() {
	for kind in sha256 sha512; do
		sized "$kind" "$large" 0 | xargs -0 -r -n 1 -P "$(nproc)" "${kind}sum"
		sized "$kind" 0 "$large" | xargs -0 -r -n 3 -P "$(nproc)" "${kind}sum"
	done
}

# The time in hundredths of a second, as $now.
clock() {
	IFS=' .' read -r seconds hundredths _ < /proc/uptime
	now=$((seconds * 100 + 1$hundredths - 100))
}

# Waits until the $total bytes may have been read. What was read too slowly is not made up for.
keep_rate() {
	clock
	due=$((begun + total * 100 / rate))
	if [ "$due" -gt "$now" ]; then
		sleep "$(((due - now) / 100)).$(printf %02d $(((due - now) % 100)))"
	else
		begun=$((begun + now - due))
	fi
}

pieces() {
	number=0
	while [ $((number * piece)) -lt "$size" ]; do
		dd if="$path" bs="$piece" skip="$number" count=1 status=none
		number=$((number + 1))
		total=$((total + piece))
		keep_rate
	done
}

# One after the other, in pieces of a quarter of a second at most.
slow() {
	piece=$((rate / 4))
	[ "$piece" -le 4194304 ] || piece=4194304
	[ "$piece" -ge 4096 ] || piece=4096
	total=0
	clock
	begun=$now
	while read -r size path; do
		[ -f "$path" ] || continue
		kind=${path#blobs/}
		hash=$(pieces 2> "$here/piece" | "${kind%%/*}sum")
		total=$((total + size))
		keep_rate
		if [ -s "$here/piece" ]; then
			cat "$here/piece" >&2
			continue
		fi
		echo "${hash%% *}  $path"
	done < "$list"
}

way=slow
[ "$rate" -ne 0 ] || way=fast
# The reader sees which files are not among those that were read.
{ "$way" 2> "$here/said" || true; } | tee "$here/hashes"
if grep -vE "No such file or directory\$|$UNREADABLE" "$here/said" >&2; then exit 1; fi
sed 's/^[^ ]*  //' "$here/hashes" > "$here/read"
cut -d ' ' -f 2- "$list" > "$here/paths"
without "$here/read" "$here/paths" > "$here/left"
unreadable_files "$here/left" "$here/why"
echo "# end"
