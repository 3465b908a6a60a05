# Lists the layer links that lead to no blob. $1 is the folder in which a list was remembered; standard
# input has the digests of the blobs that are there, a line each.
set -eu
if [ ! -e "$1/links" ]; then
	# There was nothing to remember: nobody has pushed yet.
	echo "# end"
	exit 0
fi
awk '
	BEGIN { while ((getline line < "-") > 0) there[line] = 1 }
	{
		count = split($0, part, "/")
		if (!((part[count - 2] ":" part[count - 1]) in there)) print
	}
' "$1/links"
echo "# end"
