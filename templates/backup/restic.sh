# Runs restic with the arguments given.
# shellcheck source=/dev/null
. /tmp/settings
run_restic "$@"
