# Stores restic's environment, which contains secrets, so that nobody else can read it: standard input, lines for a shell.
umask 077
{
	cat
	# A server that is reached over SSH is reached as this command does it.
	echo 'run_restic() { restic --no-cache ${SFTP_COMMAND:+-o "sftp.command=$SFTP_COMMAND"} "$@"; }'
} > /tmp/settings
