# Runs restic with the arguments given.
# shellcheck source=/dev/null
. /tmp/settings
exec restic --no-cache "$@"
