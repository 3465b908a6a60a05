"""What the engine prints of a registry, as real engines do, in the user's terms.

One row, one text. [20.10] and [26.1] were printed by such engines, the second with containerd's image store,
for a registry that gave that answer; the others are written in the sources that registry names.
"""

from __future__ import annotations

import pytest

from deployer.engine.messages import registry
from deployer.engine.messages.translation import translate
from deployer.errors import EngineError, ImageNotInRegistry, NotAnImage, PlatformNotInRegistry, SignInMissing

DAEMON = "Error response from daemon: "
RESOLVE = DAEMON + 'failed to resolve reference "reg:5000/x:1": '
HEAD = RESOLVE + "unexpected status from HEAD request to http://reg:5000/v2/x/manifests/1: "
BLOB = "unexpected status from HEAD request to http://reg:5000/v2/x/blobs/sha256:df9d: "
UPLOAD = "unexpected status from POST request to http://reg:5000/v2/x/blobs/uploads/: "
PARSING = (
    "error parsing HTTP {} response body: invalid character 'p' looking for beginning of value: \"plain words\\n\""
)
DO = RESOLVE + 'failed to do request: Head "https://reg:5000/v2/x/manifests/1": '
GET = DAEMON + 'Get "https://reg:5000/v2/": '
REGISTRY = "error from registry: "
CANDIDATE = (
    'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while '
    'trying to verify candidate authority certificate "deployer registry")'
)
EXPIRED = (
    "x509: certificate has expired or is not yet valid: current time 2026-11-26T15:00:00Z is {} 2026-11-25T15:00:00Z"
)
DNS = "dial tcp: lookup reg on [::1]:53: read udp [::1]:44712->[::1]:53: read: connection refused"
PLATFORM = "image with reference reg:5000/x:1 was found but "
TOO_OLD = "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed."

REACHING = [
    # Go's own words, before a registry was reached.
    (
        GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
        "The engine connects to reg:5000 through",
        "Ex",
    ),
    (GET + "Proxy Authentication Required", "The engine connects to reg:5000 through a proxy", "Exempt the registry"),
    (
        GET + "Forbidden",
        "The engine connects to reg:5000 through a proxy, which refused the connection.",
        "Exempt the registry",
    ),
    (
        DO + "Bad Gateway",
        "The engine connects to reg:5000 through a proxy, which refused the connection.",
        "Exempt the registry",
    ),
    (
        GET + "http: server gave HTTP response to HTTPS client",
        "The Docker engine does not trust reg:5000",
        "deployer configure",
    ),
    (
        DO + "http: server gave HTTP response to HTTPS client",
        "The Docker engine does not trust reg:5000",
        "deployer configure",
    ),
    (
        DO + "tls: first record does not look like a TLS handshake",
        "The Docker engine does not trust reg:5000",
        "deployer conf",
    ),
    (
        GET + "x509: certificate signed by unknown authority",
        "The certificate of reg:5000 was issued by a CA",
        "deployer conf",
    ),
    (
        DO + "tls: failed to verify certificate: " + CANDIDATE,
        "The certificate of reg:5000 was not issued by the",
        "Compare",
    ),
    (
        GET + "x509: certificate is valid for a.example, 10.0.0.1, not reg",
        "The certificate of reg:5000 is for a.ex",
        "Use a",
    ),
    (
        DO + "x509: cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs",
        "The certificate",
        "Use a certificate",
    ),
    (
        GET + "x509: certificate relies on legacy Common Name field, use SANs instead",
        "The certificate of reg:5000 do",
        "Use a certificate",
    ),
    (
        GET + "x509: certificate is not valid for any names, but wanted to match reg",
        "The certificate of reg:5000 does",
        "Use a certificate",
    ),
    (
        GET + EXPIRED.format("after"),
        "The certificate of reg:5000 expired on 2026-11-25T15:00:00Z; the engine's clock",
        "If the clock",
    ),
    (
        DO + EXPIRED.format("before"),
        "The certificate of reg:5000 is not valid before 2026-11-25T15:00:00Z; the en",
        "If the clock",
    ),
    (
        GET + "x509: certificate specifies an incompatible key usage",
        "The Docker engine does not accept",
        "deployer doctor",
    ),
    (
        GET + "remote error: tls: internal error",
        "reg:5000 has no certificate for this name, or not yet.",
        "With ACME",
    ),
    (
        DO + "remote error: tls: certificate required",
        "reg:5000 requires a client certificate from the Docker engine.",
        "Put it here: /etc",
    ),
    (
        DAEMON + "missing key client.key for client certificate client.cert. CA",
        "The engine cannot use a cert",
        "Check /etc",
    ),
    (
        GET + "dial tcp: lookup reg on 10.0.0.2:53: no such host",
        "Nothing responds at reg:5000: the engine cannot",
        "Use the",
    ),
    (DO + DNS, "Nothing responds at reg:5000: the engine cannot resolve the name.", "Use the registry's IP address"),
    (GET + "dial tcp 127.0.0.1:5999: connect: connection refused", "Nothing responds at reg:5000.", "deployer status"),
    (DO + "dial tcp 127.0.0.1:5998: connect: connection refused", "Nothing responds at reg:5000.", "deployer status"),
    (DO + "dial tcp 10.0.0.9:5000: connect: no route to host", "Nothing responds at reg:5000.", "deployer status"),
    (DO + "net/http: TLS handshake timeout", "Nothing responds at reg:5000.", "deployer status"),
    (
        GET + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        "Nothing responds at",
        "deployer sta",
    ),
]

TOO_MANY = "The registry rejected the request: too many requests."
NONE_SAVED = "reg:5000 requires login, and Docker has no credentials saved for it."
REJECTED = "reg:5000 requires login, and rejected the credentials that Docker has saved for it."
FORBIDDEN = "reg:5000 does not allow this for the user that Docker is logged in as."
READ_ONLY = "reg:5000 does not support this request: it is read-only, or not a registry."
TOO_LARGE = "A proxy in front of reg:5000 rejects uploads of this size."
FAILED = "reg:5000 failed while responding."
BUSY = "reg:5000 is not accepting requests"
REFUSED = "reg:5000 rejected what Docker sent."
DAMAGED = "The content of this image that reg:5000 sent does not match its manifest"
ANSWERS = [
    ("missing signature key", "reg:5000 sent a manifest of a type that Docker does not know"),  # [20.10]
    ('could not validate layer digest "md5:9e10": unsupported digest algorithm',
     "The manifest of this image at reg:5000 has a digest that Docker does not support."),  # [20.10]
    (DAEMON + "toomanyrequests", TOO_MANY),  # [20.10]
    (DAEMON + PARSING.format(429), TOO_MANY),  # [20.10]
    (HEAD + "429 Too Many Requests", TOO_MANY),  # [26.1]
    (DAEMON + "toomanyrequests: You have reached your unauthenticated pull rate limit.", TOO_MANY),
    (DAEMON + "no basic auth credentials", NONE_SAVED),
    (RESOLVE + "pull access denied, repository does not exist or may require authorization: authorization failed: no "
     "basic auth credentials", NONE_SAVED),  # [26.1]
    ("push access denied, repository does not exist or may require authorization: no basic auth credentials",
     NONE_SAVED),  # [26.1]
    (DAEMON + "unauthorized", REJECTED),  # [20.10]
    (DAEMON + "unauthorized: authentication required", REJECTED),  # [20.10]
    (HEAD + "401 Unauthorized", REJECTED),
    (DAEMON + REGISTRY + "authentication required", REJECTED),
    (RESOLVE + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
     "http://reg:5000/token: 401 Unauthorized", REJECTED),
    (DAEMON + "unauthorized: incorrect username or password", "reg:5000 rejected this user name and password."),
    ("denied: pushes are refused: the registry's disk is nearly full (1.2 GB free of 50 GB; limit 2 GB)",
     "reg:5000: pushes are refused: the registry's disk is nearly full (1.2 GB free of 50 GB; limit 2 GB)."),
    (DAEMON + REGISTRY + "pushes are refused: the registry's disk is nearly full ",
     "reg:5000: pushes are refused: the registry's disk is nearly full."),
    (DAEMON + "denied", FORBIDDEN),  # [20.10]
    ("denied: requested access to the resource is denied", FORBIDDEN),
    (DAEMON + REGISTRY + "requested access to the resource is denied", FORBIDDEN),
    (DAEMON + "pull access denied for reg:5000/x, repository does not exist or may require 'docker login'", FORBIDDEN),
    (DAEMON + PARSING.format(403), FORBIDDEN),  # [20.10]
    (HEAD + "403 Forbidden", FORBIDDEN),  # [26.1]
    (UPLOAD + "403 Forbidden", FORBIDDEN),
    ("size invalid: too large", TOO_LARGE),  # [20.10]
    (PARSING.format(413), TOO_LARGE),  # [20.10]
    (BLOB + "413 Request Entity Too Large", TOO_LARGE),  # [26.1]
    ("unknown: <html><head><title>413 Request Entity Too Large</title></head></html>", TOO_LARGE),
    (DAEMON + "unsupported", READ_ONLY),  # [20.10]
    (PARSING.format(405), READ_ONLY),  # [20.10]
    (BLOB + "405 Method Not Allowed", READ_ONLY),  # [26.1]
    (REGISTRY + "The operation is unsupported.", READ_ONLY),
    (DAEMON + "filesystem layer verification failed for digest sha256:1", DAMAGED),
    (DAEMON + 'failed commit on ref "layer-sha256:1": failed size validation: 0 != 32: failed precond', DAMAGED),
    (DAEMON + 'failed commit on ref "layer-sha256:1": unexpected commit digest sha256:2, expected sha256:1', DAMAGED),
    (DAEMON + "could not fetch content descriptor sha256:1 (application/x) from remote: not found", DAMAGED),
    ("manifest blob unknown: blob unknown to registry", "reg:5000 is missing a part of the image."),
    (DAEMON + "unknown blob", "reg:5000 is missing a part of the image."),
    ("digest invalid: provided digest did not match uploaded content", "The upload to reg:5000 was interrupted"),
    ("blob upload unknown", "The upload to reg:5000 was interrupted"),
    (DAEMON + "received unexpected HTTP status: 503 Service Unavailable", BUSY),  # [20.10]
    (BLOB + "503 Service Unavailable", BUSY),  # [26.1]
    (DAEMON + REGISTRY + "service unavailable", BUSY),
    (DAEMON + "received unexpected HTTP status: 500 Internal Server Error", FAILED),  # [20.10]
    (HEAD + "500 Internal Server Error", FAILED),  # [26.1]
    (HEAD + "502 Bad Gateway", FAILED),
    (DAEMON + REGISTRY + "unknown error", FAILED),
    (GET + "EOF", FAILED),
    (DO + "read tcp 127.0.0.1:40000->127.0.0.1:5000: read: connection reset by peer", FAILED),
    (DAEMON + "manifest invalid", REFUSED),  # [20.10]
    (BLOB + "400 Bad Request", REFUSED),  # [26.1]
    (UPLOAD + "404 Not Found", "reg:5000 is not a registry, or only part of its API responds."),  # [26.1]
    (PARSING.format(404), "reg:5000 is not a registry, or only part of its API responds."),  # [20.10]
    (DAEMON + TOO_OLD, "The image uses manifest schema 1"),
    ('media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd',
     "The image uses manifest schema 1"),
    (DAEMON + REGISTRY + "quota exceeded", "reg:5000 responded: quota exceeded"),
]  # fmt: skip

OF_A_KIND = [
    (DAEMON + "manifest for reg:5000/x:1 not found: manifest unknown: manifest unknown", ImageNotInRegistry),  # [20.10]
    (DAEMON + "manifest unknown", ImageNotInRegistry),  # [20.10]
    (RESOLVE + "reg:5000/x:1: not found", ImageNotInRegistry),  # [26.1]
    (HEAD + "404 Not Found", ImageNotInRegistry),
    (DAEMON + REGISTRY + "repository name not known to registry", ImageNotInRegistry),
    (DAEMON + "repository reg:5000/x not found: name unknown: repository name not known", ImageNotInRegistry),
    ("no matching manifest for linux/amd64 in the manifest list entries", PlatformNotInRegistry),  # [20.10]
    (DAEMON + "no match for platform in manifest: not found", PlatformNotInRegistry),  # [26.1]
    (DAEMON + "no matching manifest for linux/amd64 in the manifest list entries: no match for platform: not found",
     PlatformNotInRegistry),
    (DAEMON + PLATFORM + "does not provide the specified platform (linux/amd64)", PlatformNotInRegistry),
    (DAEMON + PLATFORM + "does not match the specified platform: wanted linux/arm64, actual: x", PlatformNotInRegistry),
    (DAEMON + PLATFORM + "its platform (linux/amd64) does not match the specified platform (x)", PlatformNotInRegistry),
    ('image operating system "windows" cannot be used on this platform', PlatformNotInRegistry),
    ("unsupported media type application/vnd.cncf.helm.config.v1+json", NotAnImage),  # [20.10]
    ("failed to unpack image on snapshotter overlayfs: unexpected media type application/x for sha256:5: not found",
     NotAnImage),  # [26.1]
    ("unsupported manifest media type and no default available: application/x", NotAnImage),
    (DAEMON + 'Encountered remote "application/vnd.oci.image.config.v1+json"(unknown) when fetching', NotAnImage),
    (DAEMON + 'AI models are not yet supported by the Engine, please use "docker model pull/run" instead', NotAnImage),
]  # fmt: skip


@pytest.mark.parametrize(("original", "message", "advice"), REACHING)
def test_why_a_registry_is_not_reached(original: str, message: str, advice: str) -> None:
    error = translate(original, address="reg:5000")
    assert error.message.startswith(message)
    assert error.advice[0].startswith(advice)
    assert error.original == original


@pytest.mark.parametrize(("original", "message"), ANSWERS)
def test_what_a_registry_answered(original: str, message: str) -> None:
    error = translate(original, address="reg:5000")
    assert error.message.startswith(message)
    assert type(error) in {EngineError, SignInMissing}


@pytest.mark.parametrize(("original", "kind"), OF_A_KIND)
def test_what_commands_tell_apart(original: str, kind: type[EngineError]) -> None:
    assert type(translate(original, address="reg:5000")) is kind


def test_every_line_of_the_table_speaks_for_some_text() -> None:
    texts = [*(row[0] for row in REACHING), *(row[0] for row in ANSWERS), *(row[0] for row in OF_A_KIND)]
    first = {next((line for line in registry.TABLE if line.pattern.search(text)), None) for text in texts}
    assert [line.text for line in registry.TABLE if line not in first] == []


@pytest.mark.parametrize(
    ("address", "flags"), [("[::1]:5000", " --host ::1 --port 5000"), ("reg:5000", " --host reg --port 5000")]
)
def test_advice_names_the_registry(address: str, flags: str) -> None:
    assert translate("x509: certificate signed by unknown authority", address=address).advice == (
        f"deployer configure-daemon{flags}",
    )


def test_of_another_registry_there_is_the_sentence_and_no_advice_about_ours() -> None:
    for text in (*(row[0] for row in REACHING), *(row[0] for row in ANSWERS)):
        error = translate(text, address="the image's registry")
        assert not [line for line in error.advice if "deployer" in line or "the image's registry" in line]


def test_what_docker_printed_is_not_filled_in() -> None:
    error = translate("error from registry: no {address} {1}", address="reg:5000")
    assert error.message == "reg:5000 responded: no {address} {1}"


def test_without_a_registry_the_engine_is_not_said_to_have_asked_one() -> None:
    assert translate("dial tcp 10.0.0.9:53: i/o timeout").message == "dial tcp 10.0.0.9:53: i/o timeout"
