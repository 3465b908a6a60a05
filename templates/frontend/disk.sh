#!/bin/sh
# The disk guard, and the frontend's health check. Records how full the disk with the images is, and refuses new uploads
# while it is nearly full: Caddy looks for the file `refusing`, and sends its content to clients. What it writes is in
# memory, except the history. With `report` it prints its note and the history, and does not check Caddy.
# shellcheck disable=SC1091,SC2154 # the values of disk.conf
set -f
. "${0%/*}/disk.conf"
note=$notes/disk.json refusing=$notes/refusing pushing=$notes/pushing full=$notes/full
# One line per hour, for a month.
most_lines=800

# Reads the total and the free amount that `df -P` prints: -k for KiB, -i for inodes. A device's name may contain spaces.
read_disk() {
	# shellcheck disable=SC2046 # words are meant
	set -- $(df -P "$1" "$storage" | tail -n 1)
	[ $# -ge 6 ] && shift $(($# - 6))
	total=${2:-} free=${4:-}
	case $total in '' | *[!0-9]*) return 1 ;; esac
	case $free in '' | *[!0-9]*) return 1 ;; esac
}

# Prints a number of KiB for people: "1.2 GB", "419 MB".
in_words() {
	tenths=$(($1 * 10240))
	for unit in B kB MB GB TB PB; do
		[ $tenths -lt 10000 ] && break
		tenths=$(((tenths + 500) / 1000))
	done
	[ $tenths -ge 1000 ] && tenths=$(((tenths + 5) / 10 * 10))
	part=.$((tenths % 10))
	[ $part = .0 ] && part=
	echo "$((tenths / 10))$part $unit"
}

# The smaller of two numbers.
least() {
	if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi
}

# Whether $1 is below the limit $2. Once it was, a tenth more is needed: otherwise each finished upload might change it.
is_short() {
	if [ -e "$refusing" ]; then
		[ "$1" -lt $(($2 + $2 / 10)) ]
	else
		[ "$1" -lt "$2" ]
	fi
}

# Pushes in progress may use half of the reserve, as long as they send something: a push consists of many uploads, and a
# refused one leaves behind all that it has sent. $1 is the free KiB, $2 the limit.
note_pushes() {
	if [ "$1" -lt $(($2 / 2)) ]; then
		rm -rf "$pushing"
	elif [ ! -e "$refusing" ]; then
		timeout 3 find "$repositories" \( -name _layers -o -name _manifests \) -prune -o \
			-path '*/_uploads/*/data' -mmin -2 -print | while read -r upload; do
			name=${upload#"$repositories"/}
			name=${name%/_uploads/*}
			mkdir -p "$pushing/$name" && : >"$pushing/$name/_push"
		done
	elif [ -d "$pushing" ]; then
		find "$pushing" -name _push -mmin +1 | while read -r push; do
			name=${push#"$pushing"/}
			name=${name%/_push}
			if find "$repositories/$name/_uploads" "$repositories/$name/_layers" -type f -mmin -2 | grep -q .; then
				: >"$push"
			else
				rm -f "$push"
			fi
		done
	fi
}

# Appends the time, the total and the free KiB to the history, once an hour. The disk with the history may be full.
note_history() {
	now=$(date +%s)
	last=
	[ -e "$notes/hour" ] && read -r last <"$notes/hour"
	[ "$last" = $((now / 3600)) ] && return
	echo $((now / 3600)) >"$notes/hour"
	echo "$now $1 $2" >>"$history" || return
	if [ "$(wc -l <"$history")" -gt $most_lines ]; then
		tail -n $((most_lines * 9 / 10)) "$history" >"$history.new" && mv "$history.new" "$history"
	fi
}

# Refuses new uploads for the reason $1, or accepts them again if it is "". $2 is the free KiB, $3 the limit.
decide() {
	if [ -z "$1" ]; then
		rm -rf "$refusing" "$pushing" "$full"
		return
	fi
	note_pushes "$2" "$3"
	printf '(%s)' "$1" >"$refusing.$$" && mv "$refusing.$$" "$refusing"
	# Registry 2.8 empties a tag's file before it writes it: on a full disk, the tag would be lost.
	if [ "$2" -lt 1024 ]; then : >"$full"; else rm -f "$full"; fi
}

look() {
	read_disk -k || return
	all=$total left=$free
	limit=$(least $((all * percent / 100)) "$kibibytes")
	# A file system without a fixed number of inodes reports 0 or nothing.
	read_disk -i || total=0 free=0
	fewest=$(least $((total / 20)) "$inodes")
	why=
	if is_short "$left" "$limit"; then
		why="$(in_words "$left") free of $(in_words "$all"); limit $(in_words "$limit")"
	elif is_short "$free" "$fewest"; then
		why="$free inodes free of $total; limit $fewest"
	fi
	decide "$why" "$left" "$limit"
	refused=false
	[ -n "$why" ] && refused=true
	printf '{"disk":{"bytes":%s,"free":%s,"limit":%s,"inodes":%s,"free_inodes":%s,"inodes_limit":%s,"refused":%s}}\n' \
		$((all * 1024)) $((left * 1024)) $((limit * 1024)) "$total" "$free" "$fewest" $refused >"$note.$$" &&
		mv "$note.$$" "$note"
	note_history "$all" "$left"
}

mkdir -p "$notes"
refused=
look 2>/dev/null
# If the disk cannot be read, nothing is reported, and nothing refused.
[ -n "$refused" ] || rm -rf "$note" "$refusing" "$pushing" "$full"
if [ "${1:-}" = report ]; then
	cat "$note" "$history" 2>/dev/null
	exit 0
fi
exec wget -q -O /dev/null "http://127.0.0.1:2020/"
