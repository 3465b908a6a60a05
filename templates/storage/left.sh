# Prints how many kilobytes of the disk are held by what was taken away. $1 is its folder.
set -eu
if [ -d "$1" ]; then
	du -sk "$1" | cut -f 1
else
	echo 0
fi
