# Restic from Debian's packages: what `images: build` creates for backups if no hub can be reached.
FROM deployer-base
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends restic openssh-client \
 && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["restic"]
