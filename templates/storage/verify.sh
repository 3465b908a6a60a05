# Says what files hold now. $1 is the folder below which they lie; standard input has their paths, a line each.
# Prints for each "sum SIZE HASH PATH", with the hash after which the folder of the path's kind is named,
# or "none PATH" where there is no such file.
set -eu
cd "$1"
while IFS= read -r path; do
	if [ ! -e "$path" ] && [ ! -L "$path" ]; then
		echo "none $path"
		continue
	fi
	case $path in
	blobs/sha512/*) hash=$(sha512sum < "$path") ;;
	*) hash=$(sha256sum < "$path") ;;
	esac
	echo "sum $(stat -c %s "$path") ${hash%% *} $path"
done
echo "# end"
