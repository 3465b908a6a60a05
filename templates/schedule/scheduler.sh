# Runs what is due, and exits when something is due again: Docker then restarts it with the disks that are mounted by then.
# deployer itself runs in the machine's file system, /machine, where its files, Python and programs are.
python=$1 become=$2 user=$3 group=$4 groups=$5 script=$6
child=

end() {
  trap - TERM INT
  [ -z "$child" ] || { kill -TERM "$child"; wait "$child"; }
  exit 0
}
trap end TERM INT

# In the background, so that a signal is handled immediately.
hear() {
  "$@" &
  child=$!
  wait "$child"
  result=$?
  child=
  return "$result"
}

deployer() {
  hear chroot /machine "$python" -I -c "$become" "$user" "$group" "$groups" /bin/sh "$script" "$@"
}

: >/tmp/well
deployer
ran=$?
while :; do
  # Not until the next run: the clock may be set, and the schedule may change.
  if deployer --until-next >/tmp/next && read -r seconds </tmp/next; then
    : >/tmp/well
  else
    rm -f /tmp/well
    seconds=300
  fi
  if [ "$seconds" -eq 0 ]; then
    [ "$ran" -ne 0 ] || exit 0
    # What is due could not even start.
    rm -f /tmp/well
    seconds=300
    ran=0
  fi
  hear sleep "$seconds"
done
