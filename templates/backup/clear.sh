# Removes what an interrupted `restic init` has left in the folder $1: without a configuration, its keys open nothing.
[ -e "$1/config" ] || rm -rf "$1/keys" "$1/locks"
