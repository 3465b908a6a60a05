#!/bin/sh
# Written by deployer; every `deployer up` writes it again. Runs a scheduled command as `up` was run: by systemd, by the
# scheduler's container, or by yourself: sh run.sh (what is due), sh run.sh backup.
export HOME=/home/me
export HTTPS_PROXY='http://me:pass'"'"'word@proxy.example'
cd / || exit
exec '/opt/it'"'"'s/bin/python' -P -m deployer run-scheduled "$@" --name registry --config '/srv/my $files/deployer.yaml'
