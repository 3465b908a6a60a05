"""What the engine prints of a registry, or a registry through it, and the message that users get for it.

In order: the first match is used. One registry's answer comes in three forms: as the image
store of before prints it, as containerd's image store prints what has words, and what has none.
"""

from __future__ import annotations

from deployer.engine.messages.rule import MessageRule, rule
from deployer.errors import ImageNotInRegistry, NotAnImage, PlatformNotInRegistry, SignInMissing
from deployer.layout import DISK_REFUSAL, LOGIN_REQUIRED

_ON_ITS_MACHINE = "(on the machine that runs the registry)"
_CERTIFICATE_HERE = "/etc/docker/certs.d/{address}/client.cert, with its key next to it, client.key"


def _status(*codes: str) -> str:
    """An HTTP status as the engine prints it.

    moby: vendor/github.com/docker/distribution/registry/client/errors.go. containerd: core/remotes/errors/errors.go.
    """
    wanted = "|".join(codes)
    return (
        rf"received unexpected HTTP status: (?:{wanted})\b|error parsing HTTP (?:{wanted}) response body"
        rf"|unexpected (?:status|HEAD status code).*: (?:{wanted})\b"
    )


# Go: crypto/x509 verify.go, crypto/tls alert.go, net/http transport.go, net dnsclient. moby: daemon/pkg/registry.
_REACHING = (
    rule(
        r"proxyconnect|proxy authentication required|socks connect",
        "The engine connects to {address} through a proxy, which does not allow it.",
        "Exempt the registry from the engine's proxy: set NO_PROXY next to HTTP_PROXY in its service, or "
        "`proxies` in daemon.json, then restart the engine.",
        "docker info   (shows the engine's proxies)",
    ),
    rule(
        # What a proxy answers to CONNECT is alone after the URL, without its number.
        r'(?:get|head|put|post|patch) "https://[^"]+": (?:forbidden|bad gateway|service unavailable|gateway timeout'
        r"|method not allowed)\s*$",
        "The engine connects to {address} through a proxy, which refused the connection.",
        "Exempt the registry from the engine's proxy: set NO_PROXY next to HTTP_PROXY in its service, or "
        "`proxies` in daemon.json, then restart the engine.",
        "docker info   (shows the engine's proxies)",
    ),
    rule(
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake",
        "The Docker engine does not trust {address}: it uses plain HTTP, but the engine requires HTTPS.",
        "deployer configure-daemon{at}",
    ),
    rule(
        r"certificate has expired or is not yet valid: current time (\S+) is after (\S+)",
        "The certificate of {address} expired on {2}; the engine's clock says {1}.",
        "If the clock of the engine's machine is wrong, set it: timedatectl",
        "Otherwise renew the certificate on the machine that runs the registry, then run there: deployer up",
    ),
    rule(
        r"certificate has expired or is not yet valid: current time (\S+) is before (\S+)",
        "The certificate of {address} is not valid before {2}; the engine's clock says {1}.",
        "If the clock of the engine's machine is wrong, set it: timedatectl",
        "Otherwise check the clock of the machine that runs the registry.",
    ),
    rule(
        r"certificate is valid for (.+), not (\S+)",
        "The certificate of {address} is for {1}, not for {2}.",
        "Use a name that it has: --host NAME",
        "Or use this name for the registry, on the machine that runs it: deployer up{at}",
    ),
    rule(
        r"certificate is not valid for any names|doesn't contain any IP SANs|relies on legacy Common Name",
        "The certificate of {address} does not list this host as a subject alternative name, which Docker requires.",
        "Use a certificate that does; tls: internal creates one.",
    ),
    rule(
        r"while trying to verify candidate authority certificate",
        "The certificate of {address} was not issued by the CA that the engine trusts, although the names match: "
        "the registry has a new CA, or another server is answering.",
        "Compare with the fingerprint that `deployer status` prints on the machine that runs the registry: "
        "deployer configure-daemon{at}",
    ),
    rule(
        r"certificate signed by unknown authority",
        "The certificate of {address} was issued by a CA that the Docker engine does not trust.",
        "deployer configure-daemon{at}",
    ),
    rule(
        r"remote error: tls: (?:internal error|unrecognized name)",
        "{address} has no certificate for this name, or not yet.",
        "With ACME, wait a moment; to see why it is missing: deployer logs frontend",
    ),
    rule(
        r"remote error: tls: (?:bad certificate|certificate required|unknown certificate authority)",
        "{address} requires a client certificate from the Docker engine.",
        f"Put it here: {_CERTIFICATE_HERE}",
    ),
    rule(
        r"unable to (?:read|load) CA cert \"([^\"]+)\"|missing (?:key|client certificate) (\S+)"
        r"|could not load X509 key pair",
        "The engine cannot use a certificate that is installed for {address}. {1}{2}",
        "Check /etc/docker/certs.d/{address}: ca.crt, and client.cert with client.key, in PEM format.",
    ),
    rule(
        r"x509:|tls: failed to verify",
        "The Docker engine does not accept the certificate of {address}.",
        "deployer doctor{at}   (on this machine; shows what is wrong with it)",
    ),
    rule(
        r"dial tcp: lookup (\S+)|no such host|server misbehaving|temporary failure in name resolution",
        "Nothing responds at {address}: the engine cannot resolve the name.",
        "Use the registry's IP address as --host, or add the name to DNS or to /etc/hosts on the engine's machine.",
    ),
    rule(
        r"connection refused|no route to host|network is unreachable|i/o timeout|Client\.Timeout exceeded"
        r"|TLS handshake timeout|context deadline exceeded|connection timed out|request canceled while waiting",
        "Nothing responds at {address}.",
        f"deployer status   {_ON_ITS_MACHINE}",
        "deployer doctor{at}   (on this machine)",
    ),
)

# distribution: registry/api/errcode and api/v2/errors.go; the image store of before prints a code alone if the
# message is the code's own. moby: daemon/containerd/registry_errors.go, image_pull.go; daemon/internal/distribution.
# containerd: core/remotes/docker authorizer.go, resolver.go, pusher.go, fetcher.go.
_ANSWERS = (
    rule(
        # Ours: templates/frontend/Caddyfile.j2.
        rf"{DISK_REFUSAL}( \([^)\n]*\))?",
        f"{{address}}: {DISK_REFUSAL}{{1}}.",
        f"deployer gc   {_ON_ITS_MACHINE}",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        rf"toomanyrequests|too many requests|{_status('429')}",
        "The registry rejected the request: too many requests.",
        "Try again in a minute.",
    ),
    rule(
        rf"no basic auth credentials|denied: {LOGIN_REQUIRED}",
        "{address} requires login, and Docker has no credentials saved for it.",
        "docker login {address}",
        kind=SignInMissing,
    ),
    rule(
        r"incorrect username or password",
        "{address} rejected this user name and password.",
        "docker login {address}",
    ),
    rule(
        rf"unauthorized|authentication required|failed to authorize|fetch (?:oauth|anonymous) token|{_status('401')}",
        "{address} requires login, and rejected the credentials that Docker has saved for it.",
        "docker login {address}",
        kind=SignInMissing,
    ),
    rule(
        r"denied: |\bdenied\s*$|resource is denied|insufficient_scope|access denied|authorization failed"
        rf"|error from registry: .*\b(?:denied|not allowed|forbidden)|{_status('403')}",
        "{address} does not allow this for the user that Docker is logged in as.",
        "docker login {address}   (as a user with permission)",
        "The rules are under `access:` in deployer.yaml on the machine that runs the registry.",
    ),
    rule(
        rf"size invalid|request entity too large|content too large|{_status('413')}",
        "A proxy in front of {address} rejects uploads of this size.",
        "Raise the limit of the proxy in front of the registry (nginx: client_max_body_size 0), or push without "
        "going through the proxy.",
    ),
    rule(
        rf"\bunsupported\s*$|unsupported: |operation is unsupported|method not allowed|{_status('405')}",
        "{address} does not support this request: it is read-only, or not a registry.",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        r"no matching manifest for (?P<platform>\S+)|no match for platform in manifest"
        r"|(?:was found but|does not) (?:does not )?(?:match|provide) the specified platform"
        r"|its platform \(\S+\) does not match|operating system \"[^\"]+\" cannot be used on this platform"
        r"|cannot download image with operating system|operating system (?:\"[^\"]*\" )?is not supported",
        "The image at {address} is not available for this machine's platform.",
        "deployer pull IMAGE --platform OS/ARCH   (`deployer inspect IMAGE` lists its platforms)",
        kind=PlatformNotInRegistry,
    ),
    rule(
        r"schema 1 support has been removed|manifest\.v1\+(?:json|prettyjws)\" is no longer supported|schema1|"
        r"docker image format v1",
        "The image uses manifest schema 1, which this engine cannot pull.",
        "Pull it with Docker Engine 25 or earlier and push it again; this creates a current manifest.",
    ),
    rule(
        r"unsupported (?:manifest )?media type (?:and no default available: )?(\S+)"
        r"|encountered remote \"([^\"]+)\"|unexpected media type (\S+)"
        r"|unsupported manifest format|invalid rootfs in image configuration|mediaType in manifest should be"
        r"|ai models (?:are not yet supported|directly by the engine)|running ai models directly"
        r"|should not have \"(?:manifests|config)|media-type: cannot determine",
        "This name at {address} does not refer to an image that Docker can run. {1}{2}{3}",
        kind=NotAnImage,
    ),
    rule(
        # Docker takes what is of no type that it knows for a manifest of schema 1.
        r"missing signature key",
        "{address} sent a manifest of a type that Docker does not know, or a server in front of it replaced the type.",
        "deployer inspect IMAGE --headers   (its Content-Type must be a manifest type; a proxy must not change it)",
        "deployer inspect IMAGE --raw   (shows the manifest)",
    ),
    rule(
        r"unsupported digest algorithm",
        "The manifest of this image at {address} has a digest that Docker does not support.",
        "deployer inspect IMAGE --raw   (shows the manifest)",
        "Push the image again with Docker, podman or skopeo.",
    ),
    rule(
        r"verification failed for digest|unexpected commit digest|failed size validation|failed precondition"
        r"|layers from manifest don't match|invalid checksum digest|could not fetch content descriptor"
        r"|unexpected end of JSON input(?!: \"\")|gzip: invalid|flate: corrupt|archive/tar: invalid",
        "The content of this image that {address} sent does not match its manifest: it is damaged in the "
        "registry, or was damaged in transit.",
        "Try again.",
        f"If it fails again: deployer check --full, then deployer check --repair   {_ON_ITS_MACHINE}",
        "Or push the image again from a machine that has it, after `deployer gc --damaged` there.",
    ),
    rule(
        r"manifest unknown|manifest for .* not found|name unknown|repository .* not found|name not known"
        r"|failed to resolve reference .*: not found|(?:GET|HEAD) request to \S+/manifests/\S+: 404",
        "{address} has no such image.",
        "deployer catalog --tags",
        kind=ImageNotInRegistry,
    ),
    rule(
        _status("404"),
        "{address} is not a registry, or only part of its API responds.",
        "deployer doctor{at}   (on this machine)",
    ),
    rule(
        r"blob unknown|unknown blob|blob unknown to registry",
        "{address} is missing a part of the image.",
        f"deployer check --repair   {_ON_ITS_MACHINE}",
        "Or push the image again from a machine that has it.",
    ),
    rule(
        r"blob upload (?:unknown|invalid)|digest invalid|digest did not match|content ref .* (?:locked|unavailable)",
        "The upload to {address} was interrupted, or damaged in transit.",
        "Push again.",
    ),
    rule(
        rf"error from registry: unavailable|^unavailable\b|: unavailable\s*$|service unavailable|{_status('503')}",
        "{address} is not accepting requests: it failed, is in maintenance, or is overloaded.",
        "Try again in a minute.",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        rf"unexpected EOF|connection reset by peer|broken pipe|server closed|use of closed network|stream error"
        rf"|\bEOF\s*$|{_status('5..')}|error from registry: unknown error",
        "{address} failed while responding.",
        f"deployer logs registry   {_ON_ITS_MACHINE}",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        rf"manifest (?:invalid|unverified)|name invalid|tag invalid|{_status('400')}",
        "{address} rejected what Docker sent.",
        f"deployer logs registry   {_ON_ITS_MACHINE}",
    ),
    rule(r"(?:error from registry|unknown): ([^\n]+)", "{address} responded: {1}"),
)

TABLE: tuple[MessageRule, ...] = (*_REACHING, *_ANSWERS)
