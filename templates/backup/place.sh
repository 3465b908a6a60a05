# Checks the blobs in the folder $1 against their digests, and moves them below the folder $2, each in one step. A blob that
# is there already is replaced. What is moved gets the owner of that folder. Prints "damaged PATH" for each that does not
# have its digest; it is not moved.
set -eu
cd "$1"
root=$2
owner=$(stat -c %u:%g "$root" 2> /dev/null) || owner=
[ "$owner" != "$(id -u):$(id -g)" ] || owner=
[ -z "$owner" ] || chown -R "$owner" .
for kind in sha256 sha512; do
	[ -d "$kind" ] || continue
	# On all processors; a file that cannot be read is a complaint, and the end. So few at once that each program writes
	# its lines in one step (musl does with 1024 bytes): otherwise they would mix.
	find "$kind" -type f -name data -print0 | xargs -0 -r -n 3 -P "$(nproc)" "${kind}sum" > sums
	awk '{ count = split($2, part, "/"); if (part[count - 1] != $1) print $2 }' sums > damaged
	while IFS= read -r path; do
		echo "damaged $path"
		rm -rf "${path%/data}"
	done < damaged
	for prefix in "$kind"/*; do
		[ -d "$prefix" ] || continue
		if [ ! -d "$root/$prefix" ]; then
			mkdir -p "$root/$prefix"
			[ -z "$owner" ] || chown "$owner" "$root/$kind" "$root/$prefix"
		fi
		set --
		for blob in "$prefix"/*; do
			# A folder without one was left when its blob replaced another.
			[ -f "$blob/data" ] || continue
			if [ -d "$root/$blob" ]; then
				mv -f "$blob/data" "$root/$blob/data"
			else
				set -- "$@" "$blob"
			fi
		done
		[ $# -eq 0 ] || mv "$@" "$root/$prefix/"
	done
done
rm -f sums damaged
echo "# end"
