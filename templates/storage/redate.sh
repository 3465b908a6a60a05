# Gives files and folders that are dated in the future the present moment: so long as they are younger than now, a
# push would seem to be in progress. Tags keep their times, which give their order. $1 is the folder in which
# `repositories` and `blobs` lie, $2 how far ahead of ours the disk's clock may be, in seconds.
set -eu
# A new registry has no folder yet.
if [ ! -d "$1" ]; then exit 0; fi
cd "$1"
ahead=$(mktemp)
trap 'rm -f "$ahead"' EXIT
touch -d "@$(($(date +%s) + $2))" "$ahead"
for folder in repositories blobs; do
	if [ -d "$folder" ]; then
		find "$folder" ! -path '*/_manifests/tags*' -newer "$ahead" -exec touch -c {} +
	fi
done
