# Removes the folder $1 of a restore, and the one that it is in if nothing else is there: an interrupted removal may have
# left there what is to be finished.
rm -rf "$1"
rmdir "${1%/*}" 2> /dev/null || true
