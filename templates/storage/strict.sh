# Runs a script, $1, with the arguments behind it, so that a complaint is a failure: not every shell and
# `find` passes on in its exit code that a part of the work failed.
script=$1
shift
complaints=$(mktemp)
sh -c "$script" sh "$@" 2> "$complaints"
code=$?
if [ -s "$complaints" ]; then
	cat "$complaints" >&2
	[ "$code" -ne 0 ] || code=70
fi
rm -f "$complaints"
exit "$code"
