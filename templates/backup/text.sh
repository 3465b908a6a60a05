# Prints the file $2 of restic's snapshot $1, which is read from the backup once, however often it is printed.
set -eu
# shellcheck source=/dev/null
. /tmp/settings
kept=/tmp/text-$1.gz
if [ ! -e "$kept" ]; then
	rm -f "$kept.status"
	{ run_restic --no-lock dump "$1" "$2" || echo $? > "$kept.status"; } | gzip -1 > "$kept.new"
	[ ! -e "$kept.status" ] || exit "$(cat "$kept.status")"
	mv "$kept.new" "$kept"
fi
gzip -dc "$kept"
