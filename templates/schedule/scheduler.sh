# Run what is due, and end when something is due again: Docker then starts it again, with the disks that are mounted by
# then. Everything of deployer runs on the machine itself, below /machine, where its files, Python and programs are.
python=$1 become=$2 user=$3 group=$4 groups=$5 script=$6
child=

end() {
  trap - TERM INT
  [ -z "$child" ] || { kill -TERM "$child"; wait "$child"; }
  exit 0
}
trap end TERM INT

# In the background, so that a signal is heard at once.
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
  # Not as long as the next run is away: the clock may be set, and the schedule changed.
  if deployer --until-next >/tmp/next && read -r seconds </tmp/next; then
    : >/tmp/well
  else
    rm -f /tmp/well
    seconds=300
  fi
  if [ "$seconds" -eq 0 ]; then
    [ "$ran" -ne 0 ] || exit 0
    # What is due could not even be begun.
    rm -f /tmp/well
    seconds=300
    ran=0
  fi
  hear sleep "$seconds"
done
