# Prints what is in the folder $1: "repository" of restic's, "empty" or "other". One that restic has only begun to make is empty.
if [ -f "$1/config" ] && [ -d "$1/keys" ]; then
	echo repository
	exit
fi
foreign=$(find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name data ! -name index ! -name keys ! -name locks \
	! -name snapshots ! -name .deployer-write-test)
for folder in data index snapshots; do
	[ ! -d "$1/$folder" ] || foreign=$foreign$(find "$1/$folder" -type f | head -n 1)
done
if [ -z "$foreign" ]; then echo empty; else echo other; fi
