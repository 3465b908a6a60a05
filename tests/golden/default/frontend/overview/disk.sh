#!/bin/sh
# The frontend's health check: whether Caddy answers. On the way it notes how full the disk of the images is, for
# the page: {"disk":{"bytes":…,"free":…}}. The storage's folder is the first argument.
note=/tmp/overview/disk.json
mkdir -p "${note%/*}"
# A line of POSIX's form: the device, its kibibytes in all, used and free, and more.
line=$(df -Pk "$1" | tail -n 1)
# shellcheck disable=SC2086 # words are meant
set -- $line
case $2$4 in
'' | *[!0-9]*) rm -f "$note" ;;
*)
	if ! { printf '{"disk":{"bytes":%s,"free":%s}}\n' "$(($2 * 1024))" "$(($4 * 1024))" >"$note.new" &&
		mv "$note.new" "$note"; }; then
		rm -f "$note"
	fi
	;;
esac
exec wget -q -O /dev/null "http://127.0.0.1:2020/"
