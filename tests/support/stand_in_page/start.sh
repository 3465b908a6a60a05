# As those pages' images do, it writes its settings into its own files, makes a folder of the user that it
# becomes, and writes there as root.
set -e
env >/srv/environment
install -d -o www-data /run/page
touch /run/page/lock
exec setpriv --reuid www-data --regid www-data --clear-groups \
    caddy run --config /etc/stand-in/Caddyfile --adapter caddyfile
