# Deletes what was taken away. $1 is its folder. Prints how many kilobytes of the disk it held.
set -eu
if [ -d "$1" ]; then
	du -sk "$1" | cut -f 1
	rm -rf -- "$1"
else
	echo 0
fi
