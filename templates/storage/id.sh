# Tells the ID in the file $1, an empty line for none; where there is none and $2 is one, that is written first.
if [ -n "$2" ] && [ ! -s "$1" ]; then
	printf '%s\n' "$2" > "$1.new" && mv "$1.new" "$1"
fi
if [ -f "$1" ]; then cat "$1"; else echo; fi
