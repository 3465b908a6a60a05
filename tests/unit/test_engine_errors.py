"""The engine's complaints, as real engines print them, in the user's terms."""

from __future__ import annotations

import pytest

from deployer.engine_errors import translate
from deployer.errors import EngineError, EngineUnavailable, ImageNotFound

# (what the engine prints, what the user reads, what mends it)
COMPLAINTS = [
    (
        'Get "https://192.168.100.2:5000/v2/": http: server gave HTTP response to HTTPS client',
        "The Docker engine does not trust reg:5000: it speaks plain HTTP, and the engine wants HTTPS.",
        "deployer configure-daemon --host reg --port 5000",
    ),
    (
        'Get "http://localhost:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused',
        "Nothing answers at reg:5000.",
        "deployer status   (on the machine that runs the registry)",
    ),
    (
        'Get "https://reg/v2/": x509: certificate signed by unknown authority',
        "The certificate of reg:5000 is by an authority that the Docker engine does not know.",
        "deployer configure-daemon --host reg --port 5000",
    ),
    (
        (
            'Get "https://reg/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority '
            '(possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority '
            'certificate "deployer registry")'
        ),
        "The certificate of reg:5000 is not by the authority that the engine trusts, though of the same name",
        (
            "Compare with the fingerprint that `deployer up` prints on the registry's machine: "
            "deployer configure-daemon --host reg --port 5000"
        ),
    ),
    (
        "x509: certificate is valid for registry.example, 10.0.0.1, not reg",
        "The certificate of reg:5000 is for registry.example, 10.0.0.1, not for reg.",
        "Use a name that it has",
    ),
    (
        "x509: cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs",
        "The certificate of reg:5000 does not hold this host as an alternative name",
        "Give the registry a certificate that does",
    ),
    (
        "x509: certificate relies on legacy Common Name field, use SANs instead",
        "The certificate of reg:5000 does not hold this host as an alternative name",
        "Give the registry a certificate that does",
    ),
    (
        (
            "x509: certificate has expired or is not yet valid: current time 2026-11-26T15:00:00Z is after "
            "2026-11-25T15:00:00Z"
        ),
        "The certificate of reg:5000 expired on 2026-11-25T15:00:00Z; the engine's clock says 2026-11-26T15:00:00Z.",
        "Set the clock",
    ),
    (
        (
            "x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before "
            "2026-11-25T15:00:00Z"
        ),
        "The certificate of reg:5000 is not valid before 2026-11-25T15:00:00Z; the engine's clock says 2020-01-01T",
        "Set the clock",
    ),
    (
        "x509: certificate specifies an incompatible key usage",
        "The Docker engine does not accept the certificate of reg:5000.",
        "deployer doctor",
    ),
    ("remote error: tls: internal error", "reg:5000 has no certificate for this name, or none yet.", "Where an ACME"),
    (
        "remote error: tls: certificate required",
        "reg:5000 wants a certificate from the Docker engine.",
        "Put it here: /etc/docker/certs.d/reg:5000/client.cert",
    ),
    (
        "denied: requested access to the resource is denied",
        "reg:5000 does not allow that to the user that Docker is signed in as.",
        "docker login reg:5000",
    ),
    ("no basic auth credentials", "reg:5000 wants a sign-in, and Docker has none saved", "docker login reg:5000"),
    (
        "unauthorized: authentication required",
        "reg:5000 wants a sign-in, and takes none that Docker has saved for it.",
        "docker login reg:5000",
    ),
    (
        "unauthorized: incorrect username or password",
        "reg:5000 does not take this name and password.",
        "docker login reg:5000",
    ),
    (
        "received unexpected HTTP status: 500 Internal Server Error",
        "reg:5000 failed while it answered.",
        "deployer logs registry",
    ),
    (
        "Error response from daemon: manifest for reg/foo:1 not found: manifest unknown",
        "reg:5000 has no such image.",
        "deployer catalog --tags",
    ),
    ("write /x: no space left on device", "A disk is full", "deployer status"),
]


@pytest.mark.parametrize(("original", "message", "advice"), COMPLAINTS)
def test_a_complaint_becomes_a_sentence_and_a_command(original: str, message: str, advice: str) -> None:
    error = translate(original, address="reg:5000")
    assert error.message.startswith(message)
    assert error.advice[0].startswith(advice)
    assert error.original == original


@pytest.mark.parametrize(
    ("address", "flags"),
    [("[::1]:5000", " --host ::1 --port 5000"), ("the registry", "")],
)
def test_the_flags_name_the_registry_where_it_is_known(address: str, flags: str) -> None:
    error = translate("x509: certificate signed by unknown authority", address=address)
    assert error.advice == (f"deployer configure-daemon{flags}",)


@pytest.mark.parametrize("place", ["tcp://127.0.0.1:1", "unix:///tmp/none.sock"])
@pytest.mark.parametrize(
    "words", ["Cannot connect to the Docker daemon at {}. Is", "failed to connect to the docker API at {}; check if"]
)
def test_an_engine_looked_for_elsewhere_is_not_to_be_started_but_looked_for_here(words: str, place: str) -> None:
    elsewhere = translate(words.format(place))
    assert "DOCKER_HOST" in elsewhere.advice[0]
    assert "systemctl" not in str(elsewhere.advice)
    assert "systemctl" in str(translate(words.format("unix:///var/run/docker.sock")).advice)


@pytest.mark.parametrize(
    "original",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the daemon is running: dial unix",
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
        "docker: 'compose' is not a docker command.",
        "docker: unknown command: docker compose",
        "unknown flag: --short\nSee 'docker --help'.",
    ],
)
def test_an_engine_that_cannot_be_used_is_its_own_kind(original: str) -> None:
    assert isinstance(translate(original), EngineUnavailable)


def test_a_missing_image_is_its_own_kind() -> None:
    assert isinstance(translate("Error: No such image: foo:1"), ImageNotFound)


def test_what_nobody_foresaw_is_shown_as_it_came() -> None:
    error = translate("flux capacitor empty")
    assert type(error) is EngineError
    assert error.original == "flux capacitor empty"
