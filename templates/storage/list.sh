# Lists what a registry keeps. $1 is the folder in which `repositories` and `blobs` lie.
#
# Sections, each begun by a line "# NAME"; the last is "# end", so that a truncated list is noticed.
# Whatever fails ends the script: an incomplete list would make garbage of what it leaves out. So does a
# symbolic link, which the registry follows and `find` does not; it has its own line. So does a
# stray file among the tags ("foreign"), which the registry takes for a tag, and whatever is a folder in
# place of a file or the reverse ("other"), which may be anywhere: the reader knows where the registry looks. A link that
# the disk does not give ("unreadable") is listed as one that is damaged.
#
# With many repositories, walking through them is what takes the time. $2 is a folder, or empty:
# there a list is remembered, and the next one walks again only through the manifests of the
# repositories in which some folder or link has another modification time, or one so late that a
# second change could have got the same: not every file system and `stat` tells parts of a second.
#
# $3 is the folder of what was removed. Its content is left by an interrupted removal.
#
# $4 is empty, or tells which part is listed, so that nobody has to keep all of it: the "folders" of the repositories; the
# "blobs"; or the manifests and uploads of a "portion" of the repositories, whose lines among the folders are on
# standard input.
set -eu
export LC_ALL=C
root=$1
memory=$2
removed=$3
part=$4
mark='%Y %y %n'
aside=
here=$(mktemp -d)
trap '[ -z "$aside" ] || { kill "$aside"; wait "$aside"; } 2> /dev/null || true; rm -rf "$here"' EXIT
: > "$here/folders"
said=said
again=
if [ -n "$memory" ] && [ -f "$memory/seen" ]; then again=yes; fi

# Runs a command of which files may vanish under its hands, as long as writes go on; any other complaint
# is a failure. The second list is made while nothing is written, and there this would be one too.
walk() {
	"$@" 2> "$here/$said" || [ -s "$here/$said" ] || return 1
	expected "$here/$said"
}

# Whether the complaints in the file $1 are none of a failure.
expected() {
	if [ ! -s "$1" ]; then return 0; fi
	if [ -n "$again" ]; then
		cat "$1" >&2
		return 1
	fi
	if grep -v 'No such file or directory$' "$1" >&2; then return 1; fi
}

# Reads links, whose paths are in the file $1, a line each, by the command after it, which prints the paths with what it finds.
# What the disk does not give has a line of its own.
walk_links() {
	paths=$1
	shift
	[ -s "$paths" ] || return 0
	tr '\n' '\0' < "$paths" > "$here/named"
	"$@" < "$here/named" > "$here/read" 2> "$here/said.links" || [ -s "$here/said.links" ] || return 1
	if [ -s "$here/said.links" ]; then
		grep -vE "($UNREADABLE)\$" "$here/said.links" > "$here/said.left" || [ $? -eq 1 ]
		expected "$here/said.left"
	fi
	cat "$here/read"
	if [ "$(wc -l < "$here/read")" -eq "$(wc -l < "$paths")" ]; then return 0; fi
	sed 's|/link:.*|/link|' "$here/read" > "$here/found"
	without "$here/found" "$paths" > "$here/unread"
	# BusyBox's grep says nothing of it. Most often what is left was read, and holds no digest.
	tr '\n' '\0' < "$here/unread" | xargs -0 -r cat 2>&1 > /dev/null | grep -E "$UNREADABLE" > /dev/null || return 0
	unreadable_files "$here/unread" "$here/said.links"
}

# Whether a folder is there. One that cannot be opened is no missing one: then the folder above lists it.
there() {
	if [ -d "$1" ]; then return 0; fi
	if [ "$1" = / ]; then
		echo "/: cannot be opened" >&2
		exit 1
	fi
	if there "$(above "$1")"; then
		ls -A "$(above "$1")" > "$here/above" || exit 1
		if grep -qxF "${1##*/}" "$here/above"; then
			echo "$1: is not a directory that can be opened" >&2
			exit 1
		fi
	fi
	return 1
}

above() {
	case ${1%/*} in
	'') echo / ;;
	*) echo "${1%/*}" ;;
	esac
}

# The repositories' folders, by their kind: a file of paths for each.
sort_folders() {
	: > "$here/_manifests"
	: > "$here/_layers"
	: > "$here/_uploads"
	awk -v here="$here" '
		/^-?[0-9]/ && match($0, "/_(manifests|layers|uploads)$") {
			print substr($0, index($0, " ") + 1) > (here substr($0, RSTART))
		}' "$here/folders"
}

# Ends each line of a file with a zero byte instead.
with_zeros() {
	[ ! -s "$1" ] || tr '\n' '\0' < "$1"
}

# Prints a file, if there is anything in it.
print() {
	[ ! -s "$1" ] || cat "$1"
}

# Looks again at all that was seen before; writes the `_manifests` that changed, are new or have gone.
changed() {
	# What has gone since is a change too, and not a failure.
	tr '\n' '\0' < "$memory/paths" | xargs -0 -r stat -c "$mark" > "$here/now" 2> /dev/null || true
	{
		awk -v late="$(cat "$memory/late")" '$1 >= late' "$here/now"
		if ! cmp -s "$memory/seen" "$here/now"; then
			without "$memory/seen" "$here/now"
			without "$here/now" "$memory/seen"
		fi
	} | cut -d ' ' -f 5- | sed 's|/_manifests.*|/_manifests|' > "$here/changed"
	without "$memory/paths" "$here/_manifests" >> "$here/changed"
	sort -u "$here/changed"
}

walk_blobs() {
	if there "$root/blobs"; then
		walk find blobs -type f -name data -exec stat -c '%s %b %Y %n' {} + \
			-o -type l -exec stat -c 'symbolic %n' {} + \
			-o \( -name data -o ! -type d \) -exec stat -c 'other %Y %n' {} +
	fi
}

# Folders and links with their times; of what a tag named before, the path suffices.
walk_manifests() {
	walk xargs -0 -r sh -c '
		mark=$1
		shift
		find "$@" -type l -exec stat -c "symbolic %n" {} + -o \
			-path "*/_manifests/tags/*" ! -path "*/_manifests/tags/*/*" ! -type d -exec stat -c "foreign %n" {} + -o \
			\( -path "*/_manifests/revisions/*/*/link" -o -path "*/_manifests/tags/*/current/link" \
				-o -path "*/_manifests/tags/*/index/*/*/link" \) ! -type f -exec stat -c "other %Y %n" {} + -o \
			-path "*/_manifests/tags/*/index/*" -name link -type f -exec stat -c %n {} + -o \
			! -type d ! -name link -exec stat -c "other %Y %n" {} + -o \
			-path "*/_manifests/tags/*/current/link" -links +1 -exec stat -c "shared $mark" {} + -o \
			! -path "*/_manifests/tags/*/index*" \( -type d -o -type f -name link \) -exec stat -c "$mark" {} +
	' sh "$mark"
}

# Every second of the repositories, or the others.
half() {
	awk -v part="$1" 'NR % 2 == part' "$here/_manifests" > "$here/half.$1"
	with_zeros "$here/half.$1" > "$here/wanted.$1"
}

# Runs one of these walks beside another, whose complaints it leaves alone.
aside() {
	said=said.aside
	"$1"
}

walk_aside() {
	[ -n "$part" ] || walk_blobs > "$here/blobs"
	half 0
	walk_manifests < "$here/wanted.0" > "$here/all.0"
}

if [ "$part" = blobs ]; then
	echo "# blobs"
	if there "$root"; then
		cd "$root"
		walk_blobs
	fi
	echo "# end"
	exit 0
fi
start=$(date +%s)
echo "# now"
echo "$start"
echo "# left"
if [ "$part" != portion ] && [ -d "$removed" ]; then du -sk "$removed" | cut -f 1; fi
echo "# unfinished"
for list in "$removed"/*/list; do
	if [ -f "$list" ]; then stat -c 'at %Y' "$list" && cat "$list"; fi
done
if there "$root"; then
	cd "$root"
	if there "$root/blobs" && ! there "$root/repositories"; then
		echo "$root/repositories: is missing, and the content of images is not" >&2
		exit 1
	fi
	echo "# folders"
	# No part of a repository's name begins with `_`, so the first such folder ends the name. Their
	# modification times, and those of what is in `_layers`, show when an upload began or ended.
	if [ "$part" = portion ]; then
		cat > "$here/folders"
	elif there "$root/repositories"; then
		walk find repositories -type d -name '_*' -prune -exec stat -c '%Y %n' {} + \
			-o -type l -exec stat -c 'symbolic %n' {} + \
			-o -name '_*' -exec stat -c 'other %Y %n' {} + > "$here/folders"
	fi
	cat "$here/folders"
	for folder in repositories blobs; do
		if [ -L "$folder" ]; then echo "symbolic $folder"; fi
	done
	if [ "$part" = folders ]; then
		echo "# end"
		exit 0
	fi

	# Two walks at once, if there are two processors.
	sort_folders
	: > "$here/blobs"
	: > "$here/all.0"
	if [ -n "$again" ]; then
		aside walk_blobs > "$here/blobs" &
	else
		aside walk_aside &
	fi
	aside=$!

	with_zeros "$here/_layers" > "$here/layers"
	walk xargs -0 -r sh -c 'find "$@" -mindepth 1 -maxdepth 1 -type d -exec stat -c "%Y %n" {} +' sh \
		< "$here/layers" > "$here/kinds"
	print "$here/kinds"
	with_zeros "$here/_uploads" > "$here/places"
	walk xargs -0 -r sh -c 'find "$@" -mindepth 1 -exec stat -c "%s %b %Y %n" {} +' sh \
		< "$here/places" > "$here/uploads"

	if [ -n "$again" ]; then
		echo "# changed"
		changed | tee "$here/looked"
		while IFS= read -r path; do
			if [ -d "$path" ]; then printf '%s\0' "$path"; fi
		done < "$here/looked" > "$here/wanted"
		walk_manifests < "$here/wanted" > "$here/all"
	else
		half 1
		walk_manifests < "$here/wanted.1" > "$here/all"
	fi
	wait "$aside"
	aside=
	print "$here/all.0" >> "$here/all"
	for name in foreign shared seen paths manifests history links sha512; do
		: > "$here/$name"
	done
	# One pass for all kinds of lines; times before 1970 are times too. Four words are before a path: see `mark`.
	awk -v here="$here" '
		/^(symbolic|other) / { print; next }
		/^foreign / { print substr($0, 9) > (here "/foreign"); next }
		/^repositories/ { print > (here "/history"); next }
		{
			is_shared = sub(/^shared /, "")
			path = $0
			sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /, "", path)
		}
		is_shared { print path > (here "/shared") }
		!/^-?[0-9]/ { next }
		{ print > (here "/seen"); print path > (here "/paths") }
		/\/link$/ || /\/_manifests\/(tags|tags\/[^\/]*|revisions\/[^\/]*\/[^\/]*)$/ { print > (here "/manifests") }
		path ~ /\/_manifests\/tags\/[^\/]*\/current\/link$/ { print path > (here "/links") }
		path ~ /\/_manifests\/revisions\/sha512\/[^\/]*\/link$/ { print path > (here "/sha512") }
	' "$here/all"
	echo "# foreign"
	print "$here/foreign"
	# Tags' links that are the same file as another: a push to one changes both.
	echo "# shared"
	print "$here/shared"

	# Links, and the folders of tags and manifests: one without a link was deleted, or is damaged.
	echo "# manifests"
	print "$here/manifests"
	echo "# history"
	print "$here/history"
	echo "# tags"
	with_zeros "$here/links" > "$here/wanted"
	walk xargs -0 -r stat -c '%s %n' < "$here/wanted" > "$here/sizes"
	sed -nE "s/^($DIGEST_SIZE) //p" "$here/sizes" > "$here/wanted"
	# 1 says that no file holds a digest: empty or damaged links, which are listed above all the same.
	walk_links "$here/wanted" xargs -0 -r sh -c 'grep -HExe "$DIGEST" "$@" || [ $? -eq 1 ]' sh

	# What was pushed by another kind of digest is under its sha256, which the link tells.
	echo "# aliases"
	grep -v '/sha256$' "$here/kinds" | cut -d ' ' -f 2- | tr '\n' '\0' > "$here/wanted"
	walk xargs -0 -r sh -c 'find "$@" -type f -name link' sh < "$here/wanted" > "$here/others"
	print "$here/sha512" >> "$here/others"
	walk_links "$here/others" xargs -0 -r sh -c 'grep -H "" "$@" || [ $? -eq 1 ]' sh

	# The uploads of which a file says when they began, as the registry writes it and reads it again.
	echo "# started"
	grep '/_uploads/[^/]*/startedat$' "$here/uploads" | cut -d ' ' -f 4- > "$here/wanted" || [ $? -eq 1 ]
	walk_links "$here/wanted" xargs -0 -r sh -c '
		date="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
		grep -HxEe "$date" "$@" || [ $? -eq 1 ]' sh
	echo "# uploads"
	print "$here/uploads"
	echo "# blobs"
	print "$here/blobs"
	if [ -n "$memory" ] && [ -z "$again" ]; then
		# The disk's own clock, if it is behind ours, was at least here when the walk began.
		awk -v start="$start" -v now="$(date +%s)" '
			BEGIN { newest = 0 }
			$1 > newest { newest = $1 }
			END { then = newest - (now - start) - 1; printf "%d\n", (then < start ? then : start) - 2 }
		' "$here/seen" > "$here/late"
		mkdir -p "$memory"
		mv "$here/late" "$here/paths" "$memory"
		mv "$here/seen" "$memory"
	fi
fi
echo "# end"
