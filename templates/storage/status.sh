# Reports the registry's storage, $1: the KiB that it has, those free on its disk, the ID in the file $2, and the
# registry's version, a line each; an empty line for what cannot be known.
used=$(du -sk "$1") || used=
printf '%s\n' "${used%%[!0-9]*}"
df -Pk "$1" | {
	free=
	read -r _ && read -r _ _ _ free _
	printf '%s\n' "$free"
}
id=
if [ -f "$2" ]; then read -r id < "$2" || true; fi
printf '%s\n' "$id"
registry --version || true
