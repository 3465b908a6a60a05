# Prints "yes" if the folder $1 exists.
if [ -d "$1" ]; then echo yes; fi
