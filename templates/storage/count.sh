# Counts what a registry keeps: repositories with manifests, tags, and the bytes of all content, a line each. $1 is the
# folder in which `repositories` and `blobs` lie.
set -eu
# Before the first push there is nothing.
[ ! -d "$1" ] || cd "$1"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
{
	# A tag may be called like one of the folders.
	[ ! -d "$1/repositories" ] || find repositories \( -name _uploads -o -name _layers -o -path '*/_manifests/tags/*/index' \) \
		\( ! -path '*/_manifests/tags/*' -o -path '*/_manifests/tags/*/index' \) -prune -o -type f -name link -print
	[ ! -d "$1/blobs" ] || find blobs -type f -name data -exec stat -c %s {} +
} 2> "$here/said" | awk '
	BEGIN { repositories = 0; tags = 0; size = 0 }
	/^[0-9]+$/ { size += $0; next }
	match($0, /\/_manifests\/revisions\//) {
		name = substr($0, 1, RSTART)
		if (name != last) repositories++
		last = name
		next
	}
	/\/_manifests\/tags\/[^\/]*\/current\/link$/ { tags++ }
	END { printf "%.0f\n%.0f\n%.0f\n", repositories, tags, size }'
# What is removed while it is counted does not count.
if grep -v 'No such file or directory$' "$here/said" >&2; then exit 1; fi
echo "# end"
