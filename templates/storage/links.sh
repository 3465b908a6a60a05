# Lists the layer links of repositories, whatever is in their place: modification time and path. $1 is the folder in which
# `repositories` is; standard input has the repositories' paths, a line each.
set -eu
cd "$1"
while IFS= read -r path; do
	if [ -d "$path/_layers" ]; then echo "$path/_layers"; fi
done | tr '\n' '\0' | xargs -0 -r sh -c 'find "$@" -name link -exec stat -c "%Y %n" {} +' sh
echo "# end"
