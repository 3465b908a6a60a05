# Declares what docker-registry-frontend's image does.
ARG BASE
FROM ${BASE}
VOLUME ["/etc/apache2/server.crt", "/etc/apache2/server.key"]
