# nginx from Debian's packages, on the base of the registry's image: no hub is needed.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends nginx \
 && rm -rf /var/lib/apt/lists/*
CMD ["nginx", "-c", "/etc/documented/nginx.conf", "-g", "daemon off;"]
