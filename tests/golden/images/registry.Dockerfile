# A registry from Debian's packages: what `images: build` creates if Docker Hub cannot be reached.
FROM deployer-base
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends docker-registry \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s docker-registry /usr/bin/registry
VOLUME /var/lib/registry
EXPOSE 5000
ENTRYPOINT ["registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
