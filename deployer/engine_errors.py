"""The engine's complaints in the user's terms, each with the command that mends it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import EngineError, EngineUnavailable, ImageNotFound, ImageNotInRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class _Complaint:
    pattern: re.Pattern[str]
    message: str
    advice: tuple[str, ...] = ()
    kind: type[EngineError] = EngineError


def _complaint(pattern: str, message: str, *advice: str, kind: type[EngineError] = EngineError) -> _Complaint:
    return _Complaint(re.compile(pattern, re.IGNORECASE), message, advice, kind)


# In order: the first that matches speaks. {address} is the registry's, {at} the flags that name it. Numbered groups
# of the pattern stand in the message as {1}. What Go says of certificates: crypto/x509, verify.go.
_COMPLAINTS = (
    _complaint(
        r"cannot connect to the docker daemon at (?!unix:///var/run/docker\.sock)"
        r"|failed to connect to the docker api at (?!unix:///var/run/docker\.sock)",
        "No Docker engine answers on this machine.",
        "unset DOCKER_HOST   (where that variable gives it; a context does too: docker context ls)",
        kind=EngineUnavailable,
    ),
    _complaint(
        r"cannot connect to the docker daemon|failed to connect to the docker api|error during connect",
        "No Docker engine answers on this machine.",
        "sudo systemctl start docker",
        "docker info   (says where the client looks for it)",
        kind=EngineUnavailable,
    ),
    _complaint(
        r"permission denied while trying to connect to the docker",
        "You may not use the Docker engine of this machine.",
        "sudo usermod -aG docker $USER   (then sign out and in again)",
        kind=EngineUnavailable,
    ),
    _complaint(
        r"is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: ",
        "Docker has no Compose plugin here.",
        "Install the package docker-compose-plugin, docker-compose-v2 or docker-compose (version 2 or newer).",
        kind=EngineUnavailable,
    ),
    _complaint(
        r"server gave HTTP response to HTTPS client",
        "The Docker engine does not trust {address}: it speaks plain HTTP, and the engine wants HTTPS.",
        "deployer configure-daemon{at}",
    ),
    _complaint(
        r"certificate has expired or is not yet valid: current time (\S+) is after (\S+)",
        "The certificate of {address} expired on {2}; the engine's clock says {1}.",
        "Set the clock of the engine's machine right, if it is wrong: timedatectl",
        "Else renew the certificate, on the registry's machine: deployer up",
    ),
    _complaint(
        r"certificate has expired or is not yet valid: current time (\S+) is before (\S+)",
        "The certificate of {address} is not valid before {2}; the engine's clock says {1}.",
        "Set the clock of the engine's machine right, if it is wrong: timedatectl",
        "Else look at the clock of the registry's machine.",
    ),
    _complaint(
        r"certificate is valid for (.+), not (\S+)",
        "The certificate of {address} is for {1}, not for {2}.",
        "Use a name that it has: --host NAME",
        "Or bring the registry up with this name, on its machine: deployer up{at}",
    ),
    _complaint(
        r"certificate is not valid for any names|doesn't contain any IP SANs|relies on legacy Common Name",
        "The certificate of {address} does not hold this host as an alternative name, and Docker takes no other.",
        "Give the registry a certificate that does; tls: internal makes one.",
    ),
    _complaint(
        r"while trying to verify candidate authority certificate",
        "The certificate of {address} is not by the authority that the engine trusts, though of the same name: "
        "the registry has a new authority, or another server answers.",
        "Compare with the fingerprint that `deployer up` prints on the registry's machine: "
        "deployer configure-daemon{at}",
    ),
    _complaint(
        r"certificate signed by unknown authority",
        "The certificate of {address} is by an authority that the Docker engine does not know.",
        "deployer configure-daemon{at}",
    ),
    _complaint(
        r"remote error: tls: (?:internal error|unrecognized name)",
        "{address} has no certificate for this name, or none yet.",
        "Where an ACME server gives it, wait a moment; why it does not come: deployer logs frontend",
    ),
    _complaint(
        r"remote error: tls: (?:bad certificate|certificate required|unknown certificate authority)",
        "{address} wants a certificate from the Docker engine.",
        "Put it here: /etc/docker/certs.d/{address}/client.cert, and its key beside it, client.key",
    ),
    _complaint(
        r"x509:|tls: failed to verify",
        "The Docker engine does not accept the certificate of {address}.",
        "deployer doctor",
    ),
    _complaint(
        r"connection refused|connect: no route to host|i/o timeout|Client\.Timeout exceeded|no such host",
        "Nothing answers at {address}.",
        "deployer status   (on the machine that runs the registry)",
        "deployer doctor   (on this one)",
    ),
    _complaint(r"toomanyrequests|too many requests", "The registry answers that there were too many requests."),
    _complaint(
        r"no basic auth credentials",
        "{address} wants a sign-in, and Docker has none saved for it.",
        "docker login {address}",
    ),
    _complaint(
        r"incorrect username or password",
        "{address} does not take this name and password.",
        "docker login {address}",
    ),
    _complaint(
        r"unauthorized|authentication required",
        "{address} wants a sign-in, and takes none that Docker has saved for it.",
        "docker login {address}",
    ),
    _complaint(
        r"denied: ",
        "{address} does not allow that to the user that Docker is signed in as.",
        "docker login {address}   (as a user who may)",
        "Who may do what stands under access: in deployer.yaml on the registry's machine.",
    ),
    _complaint(
        r"no space left on device",
        "A disk is full: the engine's own, or the registry's.",
        "deployer status",
    ),
    _complaint(
        r"manifest unknown|manifest for .* not found|name unknown|repository .* not found",
        "{address} has no such image.",
        "deployer catalog --tags",
        kind=ImageNotInRegistry,
    ),
    _complaint(
        r"received unexpected HTTP status: 5|unexpected status.* 5\d\d",
        "{address} failed while it answered.",
        "deployer logs registry",
        "deployer status",
    ),
    _complaint(
        r"port is already allocated|address already in use|ports are not available",
        "The port is taken by something else.",
        "deployer up --port PORT   (with a free one)",
    ),
    _complaint(
        r"cannot start a paused container|container .* is paused",
        "A container of the deployment is paused.",
        "docker unpause CONTAINER   (`deployer status` names it)",
    ),
    _complaint(
        r"exec: .* executable file not found",
        "The image does not hold the program that this service runs; is it the right image?",
        "deployer render --diff   (shows which image is asked for)",
    ),
    _complaint(
        r"no such image|image not known|reference does not exist",
        "The engine has no such image.",
        "docker images",
        kind=ImageNotFound,
    ),
)


def translate(original: str, *, address: str = "the registry") -> EngineError:
    """Turn what the engine printed into an error that says what happened and what mends it."""
    for complaint in _COMPLAINTS:
        found = complaint.pattern.search(original)
        if found:
            filled = tuple(_filled(line, found, address) for line in (complaint.message, *complaint.advice))
            return complaint.kind(filled[0], filled[1:], original)
    return EngineError("The Docker engine could not do that.", ("deployer doctor",), original)


def _filled(text: str, found: re.Match[str], address: str) -> str:
    for number, words in enumerate(found.groups(""), 1):
        text = text.replace(f"{{{number}}}", words)
    host, _, port = address.rpartition(":")
    at = f" --host {host.strip('[]')} --port {port}" if port.isdecimal() else ""
    return text.replace("{at}", at).replace("{address}", address)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what running the client raises, here or in python-on-whales, into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise _no_client() from error
    except Exception as error:
        # Compared by name, so that python-on-whales need not be imported to tell.
        if type(error).__name__ == "ClientNotFoundError":
            raise _no_client() from error
        if not hasattr(error, "docker_command"):
            raise
        raise translate(str(getattr(error, "stderr", "") or getattr(error, "stdout", "") or "")) from error


def _no_client() -> EngineUnavailable:
    return EngineUnavailable(
        "There is no `docker` program on this machine.", ("Install Docker Engine, or Docker Desktop.",)
    )
