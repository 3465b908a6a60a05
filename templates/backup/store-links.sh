# Stores what links.sh, $1, lists below $2, as one file; the arguments after it are restic's.
# shellcheck source=/dev/null
. /tmp/settings
script=$1
root=$2
shift 2
rm -f /tmp/failed
# The first line makes it a file even before the first push: restic stores no empty one.
{ echo "# TIME DIGEST PATH"; sh -c "$script" sh "$root" 2> /tmp/said || touch /tmp/failed; } | run_restic "$@"
code=$?
if [ -e /tmp/failed ]; then
	sed 's/^/storage of the registry: /' /tmp/said >&2
	exit 70
fi
exit "$code"
