# Keeps the container of an upkeep command alive while the command holds its standard input. When
# that ends, so does everything here, and then the gate opens, even if the command was killed.
# $1 is the gate's folder.
trap '' INT
echo ready
cat > /dev/null
kill -KILL -1 2> /dev/null
rm -f "$1/closed" "$1/draining" "$1/stopping"
