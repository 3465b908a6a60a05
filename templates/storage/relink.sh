# Writes links of manifests and layers again: the folder that a link lies in says what it holds. $1 is the folder
# below which they lie; standard input has their paths, a line each. Each is renamed into its place.
set -eu
cd "$1"
while IFS= read -r path; do
	folder=${path%/link}
	kind=${folder%/*}
	if [ -f "$path" ]; then
		printf '%s:%s' "${kind##*/}" "${folder##*/}" > "$folder/link.new"
		mv -f "$folder/link.new" "$path"
	fi
done
