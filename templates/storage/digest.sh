# Comes before every script. What the registry takes as a link: it is a digest, and its size tells that there is no newline
# after it, as editors and `echo` write one. Both for `grep -xE`.
export DIGEST='sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}'
export DIGEST_SIZE='71|135'
