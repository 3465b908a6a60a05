# Lists the links of manifests and layers that hold no digest, such as after a power cut: their paths, a line each.
# $1 is the folder in which `repositories` lies.
set -eu
# A new registry has no folder yet; whether there is one that cannot be opened, `list.sh` tells.
if [ ! -d "$1" ]; then
	echo "# end"
	exit 0
fi
cd "$1"
digest='sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}'
# 1 says that nothing was found, or that something was: programs differ.
without='grep -LExe "$0" "$@" || [ $? -eq 1 ]'
if [ -d repositories ]; then
	# Twice, since a link that is just being written is empty for a moment.
	find repositories \( -path '*/_manifests/tags' -o -name _uploads \) -prune -o -type f -name link \
		-exec sh -c "$without" "$digest" {} + | tr '\n' '\0' | xargs -0 -r sh -c "$without" "$digest"
fi
echo "# end"
