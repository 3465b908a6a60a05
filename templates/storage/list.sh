# Lists what a registry keeps. $1 is the folder in which `repositories` and `blobs` lie.
#
# Sections, each begun by a line "# NAME"; the last is "# end", so that a list cut short is noticed.
# Whatever fails ends the script: an incomplete list would make garbage of what it leaves out.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
echo "# now"
date +%s
if cd "$1" 2>/dev/null; then
	# No part of a repository's name begins with `_`, so the first such folder ends the name.
	if [ -d repositories ]; then
		find repositories -type d -name '_*' -prune > "$here/all"
	else
		: > "$here/all"
	fi
	echo "# folders"
	# The modification time of these changes when an upload begins or ends, or a layer is linked.
	sed -n 'p; s|/_layers$|&/sha256|p' "$here/all" > "$here/times"
	while IFS= read -r path; do
		if [ -d "$path" ]; then echo "$path"; fi
	done < "$here/times" | tr '\n' '\0' | xargs -0 -r stat -c '%Y %n'

	sed -n '\|/_manifests$|p' "$here/all" | tr '\n' '\0' > "$here/manifests"
	echo "# manifest folders"
	xargs -0 -r sh -c 'find "$@" -mindepth 1 -maxdepth 2 -type d' sh < "$here/manifests"
	echo "# links"
	xargs -0 -r sh -c 'find "$@" -type f -name link -exec stat -c "%Y %n" {} +' sh < "$here/manifests"
	echo "# tags"
	xargs -0 -r sh -c 'find "$@" -type f -path "*/_manifests/tags/*/current/link" -print0' sh \
		< "$here/manifests" > "$here/tags"
	# 1 says that no file holds a line: an empty link, which is listed above all the same.
	xargs -0 -r sh -c 'grep -H "" "$@" || [ $? -eq 1 ]' sh < "$here/tags"

	sed -n '\|/_uploads$|p' "$here/all" | tr '\n' '\0' > "$here/uploads"
	echo "# uploads"
	xargs -0 -r sh -c 'find "$@" -mindepth 1 -maxdepth 1 -type d -exec stat -c "%Y %n" {} +' sh < "$here/uploads"
	echo "# upload data"
	xargs -0 -r sh -c 'find "$@" -type f -name data -exec stat -c "%s %Y %n" {} +' sh < "$here/uploads"

	echo "# blobs"
	if [ -d blobs ]; then
		find blobs -type f -name data -exec stat -c '%s %b %Y %n' {} +
	fi
fi
echo "# end"
