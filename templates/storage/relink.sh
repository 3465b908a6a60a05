# Writes links of manifests and layers again: the folder that a link is in says what it holds. $1 is the folder
# below which they lie; standard input has their paths, a line each. Each is renamed into its place. One may be missing, as
# long as its repository has manifests. That of a tag, of which the place says nothing, becomes a file of
# its own, with what it holds and its time: one file under several names changes under all of them.
set -eu
cd "$1"
while IFS= read -r path; do
	folder=${path%/link}
	kind=${folder%/*}
	case $path in
	*/_manifests/tags/*)
		if [ -f "$path" ] && [ ! -L "$path" ]; then
			cp -p "$path" "$folder/link.new"
			mv -f "$folder/link.new" "$path"
		fi
		continue
		;;
	esac
	repository=${path%%/_layers/*}
	repository=${repository%%/_manifests/*}
	if [ ! -e "$path" ] && [ -d "$repository/_manifests" ]; then mkdir -p "$folder"; fi
	if [ -f "$path" ] || { [ -d "$folder" ] && [ ! -e "$path" ]; }; then
		printf '%s:%s' "${kind##*/}" "${folder##*/}" > "$folder/link.new"
		mv -f "$folder/link.new" "$path"
	fi
done
