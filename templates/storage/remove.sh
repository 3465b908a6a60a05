# Takes files and folders away, in the order of standard input. $1 is the folder below which they
# are, $2 the folder for what is removed.
#
# A line ">NAME" begins a group, whose paths follow, a line each. Each is renamed into $2/NAME: in
# one step, and at once, however much is in it. Where no folder can be made for the group, on a
# full disk, it is deleted in place. A line "?PATH" removes a folder if it is empty, and then
# those above it that have become empty, up to `repositories`.
#
# The list is kept in $2 until all is done: after an interruption, the next run reads from it what is unfinished.
set -eu
cd "$1"
list=$(mktemp)
cat > "$list"
mkdir -p "$2" 2> /dev/null && cp "$list" "$2/list" 2> /dev/null || true

take() {
	[ $# -gt 1 ] || return 0
	group=$1
	shift
	if mkdir -p "$group" 2>/dev/null; then
		mv -- "$@" "$group/"
	else
		rm -rf -- "$@"
	fi
}

fold_up() {
	folder=$1
	while [ "$folder" != repositories ] && rmdir -- "$folder" 2>/dev/null; do
		folder=${folder%/*}
	done
}

removed=$2
set --
while IFS= read -r line; do
	case $line in
	'>'*)
		take "$@"
		set -- "$removed/${line#>}"
		;;
	'?'*)
		take "$@"
		set --
		fold_up "${line#?}"
		;;
	*)
		# What is gone already was taken by a run that was interrupted.
		[ -e "$line" ] || continue
		set -- "$@" "$line"
		if [ $# -ge 500 ]; then
			take "$@"
			set -- "$group"
		fi
		;;
	esac
done < "$list"
take "$@"
rm -f "$list"
