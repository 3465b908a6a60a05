"""What the engine prints of a registry, or a registry through it, and what a user is told for it.

In order: the first that matches is told. One registry's answer comes in three forms: as the image
store of before prints it, as containerd's image store prints what has words, and what has none.
"""

from __future__ import annotations

from deployer.engine.messages.rule import MessageRule, rule
from deployer.errors import ImageNotInRegistry, NotAnImage, PlatformNotInRegistry, SignInMissing

_ON_ITS_MACHINE = "(on the machine that runs the registry)"
_CERTIFICATE_HERE = "/etc/docker/certs.d/{address}/client.cert, and its key beside it, client.key"


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
        "The engine goes to {address} through a proxy, and the proxy does not let it.",
        "Exempt the registry from the engine's proxy: NO_PROXY beside HTTP_PROXY in its service, or `proxies` in its "
        "daemon.json, then restart it.",
        "docker info   (shows the engine's proxies)",
    ),
    rule(
        # What a proxy answers to CONNECT stands alone behind the URL, without its number.
        r'(?:get|head|put|post|patch) "https://[^"]+": (?:forbidden|bad gateway|service unavailable|gateway timeout'
        r"|method not allowed)\s*$",
        "The engine goes to {address} through a proxy, and the proxy refuses.",
        "Exempt the registry from the engine's proxy: NO_PROXY beside HTTP_PROXY in its service, or `proxies` in its "
        "daemon.json, then restart it.",
        "docker info   (shows the engine's proxies)",
    ),
    rule(
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake",
        "The Docker engine does not trust {address}: it speaks plain HTTP, and the engine wants HTTPS.",
        "deployer configure-daemon{at}",
    ),
    rule(
        r"certificate has expired or is not yet valid: current time (\S+) is after (\S+)",
        "The certificate of {address} expired on {2}; the engine's clock says {1}.",
        "Set the clock of the engine's machine right, if it is wrong: timedatectl",
        "Else renew the certificate, on the registry's machine: deployer up",
    ),
    rule(
        r"certificate has expired or is not yet valid: current time (\S+) is before (\S+)",
        "The certificate of {address} is not valid before {2}; the engine's clock says {1}.",
        "Set the clock of the engine's machine right, if it is wrong: timedatectl",
        "Else look at the clock of the registry's machine.",
    ),
    rule(
        r"certificate is valid for (.+), not (\S+)",
        "The certificate of {address} is for {1}, not for {2}.",
        "Use a name that it has: --host NAME",
        "Or bring the registry up with this name, on its machine: deployer up{at}",
    ),
    rule(
        r"certificate is not valid for any names|doesn't contain any IP SANs|relies on legacy Common Name",
        "The certificate of {address} does not hold this host as an alternative name, and Docker takes no other.",
        "Give the registry a certificate that does; tls: internal makes one.",
    ),
    rule(
        r"while trying to verify candidate authority certificate",
        "The certificate of {address} is not by the CA that the engine trusts, though of the same name: "
        "the registry has a new CA, or another server answers.",
        "Compare with the fingerprint that `deployer up` prints on the registry's machine: "
        "deployer configure-daemon{at}",
    ),
    rule(
        r"certificate signed by unknown authority",
        "The certificate of {address} is by a CA that the Docker engine does not know.",
        "deployer configure-daemon{at}",
    ),
    rule(
        r"remote error: tls: (?:internal error|unrecognized name)",
        "{address} has no certificate for this name, or none yet.",
        "Where an ACME server gives it, wait a moment; why it does not come: deployer logs frontend",
    ),
    rule(
        r"remote error: tls: (?:bad certificate|certificate required|unknown certificate authority)",
        "{address} wants a certificate from the Docker engine.",
        f"Put it here: {_CERTIFICATE_HERE}",
    ),
    rule(
        r"unable to (?:read|load) CA cert \"([^\"]+)\"|missing (?:key|client certificate) (\S+)"
        r"|could not load X509 key pair",
        "The engine cannot use a certificate that is installed for {address}. {1}{2}",
        "Look at /etc/docker/certs.d/{address}: ca.crt, and client.cert with client.key, in PEM.",
    ),
    rule(
        r"x509:|tls: failed to verify",
        "The Docker engine does not accept the certificate of {address}.",
        "deployer doctor{at}   (on this machine: says what is wrong with it)",
    ),
    rule(
        r"dial tcp: lookup (\S+)|no such host|server misbehaving|temporary failure in name resolution",
        "Nothing answers at {address}: the engine cannot resolve the name.",
        "Use the registry's IP address as --host, or add the name to DNS or to /etc/hosts of the engine's machine.",
    ),
    rule(
        r"connection refused|no route to host|network is unreachable|i/o timeout|Client\.Timeout exceeded"
        r"|TLS handshake timeout|context deadline exceeded|connection timed out|request canceled while waiting",
        "Nothing answers at {address}.",
        f"deployer status   {_ON_ITS_MACHINE}",
        "deployer doctor{at}   (on this machine)",
    ),
)

# distribution: registry/api/errcode and api/v2/errors.go; the image store of before prints a code alone where the
# message is the code's own. moby: daemon/containerd/registry_errors.go, image_pull.go; daemon/internal/distribution.
# containerd: core/remotes/docker authorizer.go, resolver.go, pusher.go, fetcher.go.
_ANSWERS = (
    rule(
        rf"toomanyrequests|too many requests|{_status('429')}",
        "The registry answers that there were too many requests.",
        "Try again in a minute.",
    ),
    rule(
        r"no basic auth credentials",
        "{address} requires login, and Docker has no credentials saved for it.",
        "docker login {address}",
        kind=SignInMissing,
    ),
    rule(
        r"incorrect username or password",
        "{address} does not take this name and password.",
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
        "{address} does not allow that to the user that Docker is signed in as.",
        "docker login {address}   (as a user who may)",
        "The rules are under access: in deployer.yaml on the registry's machine.",
    ),
    rule(
        rf"size invalid|request entity too large|content too large|{_status('413')}",
        "Something in front of {address} refuses uploads of this size.",
        "Raise the limit of the proxy in front of the registry (nginx: client_max_body_size 0), or push past it.",
    ),
    rule(
        rf"\bunsupported\s*$|unsupported: |operation is unsupported|method not allowed|{_status('405')}",
        "{address} does not take that: it is read-only, or no registry.",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        r"no matching manifest for (?P<platform>\S+)|no match for platform in manifest"
        r"|(?:was found but|does not) (?:does not )?(?:match|provide) the specified platform"
        r"|its platform \(\S+\) does not match|operating system \"[^\"]+\" cannot be used on this platform"
        r"|cannot download image with operating system|operating system (?:\"[^\"]*\" )?is not supported",
        "The image at {address} lacks this machine's platform.",
        "deployer pull IMAGE --platform OS/ARCH   (`deployer inspect IMAGE` lists the platforms that it has)",
        kind=PlatformNotInRegistry,
    ),
    rule(
        r"schema 1 support has been removed|manifest\.v1\+(?:json|prettyjws)\" is no longer supported|schema1|"
        r"docker image format v1",
        "The image has a manifest of the oldest kind (schema 1), which this engine does not pull.",
        "Pull it with an engine up to version 25, and push it again from there: that gives it a manifest of today.",
    ),
    rule(
        r"unsupported media type (\S+)|encountered remote \"([^\"]+)\"|unexpected media type (\S+)"
        r"|unsupported manifest format|invalid rootfs in image configuration|mediaType in manifest should be"
        r"|ai models (?:are not yet supported|directly by the engine)|running ai models directly"
        r"|should not have \"(?:manifests|config)|media-type: cannot determine",
        "What {address} has under this name is not an image that Docker can run. {1}{2}{3}",
        kind=NotAnImage,
    ),
    rule(
        r"verification failed for digest|unexpected commit digest|failed size validation|failed precondition"
        r"|layers from manifest don't match|invalid checksum digest|could not fetch content descriptor"
        r"|unexpected end of JSON input(?!: \"\")|gzip: invalid|flate: corrupt|archive/tar: invalid",
        "What {address} sent of this image is not what its manifest says: it is damaged, or was on the way.",
        f"deployer status   {_ON_ITS_MACHINE}",
        "Push the image again from a machine that has it.",
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
        "What answers at {address} is not a registry, or only a part of one.",
        "deployer doctor{at}   (on this machine)",
    ),
    rule(
        r"blob unknown|unknown blob|blob unknown to registry",
        "{address} does not hold a part that the image names.",
        "Push the image again from a machine that has it.",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        r"blob upload (?:unknown|invalid)|digest invalid|digest did not match|content ref .* (?:locked|unavailable)",
        "The upload to {address} was interrupted, or changed on the way.",
        "Push again.",
    ),
    rule(
        rf"error from registry: unavailable|^unavailable\b|: unavailable\s*$|service unavailable|{_status('503')}",
        "{address} takes no requests at the moment: it failed while it answered, is in maintenance, or is overloaded.",
        "Try again in a minute.",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        rf"unexpected EOF|connection reset by peer|broken pipe|server closed|use of closed network|stream error"
        rf"|\bEOF\s*$|{_status('5..')}|error from registry: unknown error",
        "{address} failed while it answered.",
        f"deployer logs registry   {_ON_ITS_MACHINE}",
        f"deployer status   {_ON_ITS_MACHINE}",
    ),
    rule(
        rf"manifest (?:invalid|unverified)|name invalid|tag invalid|{_status('400')}",
        "{address} does not accept what Docker sent it.",
        f"deployer logs registry   {_ON_ITS_MACHINE}",
    ),
    rule(r"(?:error from registry|unknown): ([^\n]+)", "{address} answers: {1}"),
)

TABLE: tuple[MessageRule, ...] = (*_REACHING, *_ANSWERS)
