# Prints those of some paths at which there is not a regular file, and of those of tags at which none holds a digest. $1
# is the folder below which they are; standard input has the paths, a line each. "none PATH" if there is nothing; "other N PATH" if something else is at the path
# without its last N parts, such as a folder in place of the file.
set -eu
cd "$1"
tr '\n' '\0' | xargs -0 -r sh -c '
	for path; do
		if [ -f "$path" ]; then
			case $path in
			*/_manifests/tags/*/current/link)
				if stat -c %s "$path" | grep -qxEe "$DIGEST_SIZE" && grep -qxEe "$DIGEST" "$path"; then continue; fi
				echo "none $path"
				;;
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
