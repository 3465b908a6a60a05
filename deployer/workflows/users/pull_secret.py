"""The Secret by which a Kubernetes cluster logs in to pull."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import Denied, UsageError
from deployer.host import passwords
from deployer.host.files import PRIVATE, read_if_there, write_atomically
from deployer.record import Record
from deployer.registry.login.credentials import Credentials
from deployer.rendering import snippets
from deployer.settings.values import checks
from deployer.workflows.deployment import access
from deployer.workflows.users import accounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.paths import Deployment
    from deployer.registry.client import RegistryClient
    from deployer.settings.model import Settings
    from deployer.workflows.users.accounts import Accounts

_MOST_OF_A_NAME = 253
# Kubernetes: "Object Names and IDs", DNS subdomain names for Secrets and labels for namespaces.
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SECRET_NAME = re.compile(rf"(?=.{{1,{_MOST_OF_A_NAME}}}\Z){_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(rf"(?=.{{1,63}}\Z){_LABEL}")


@dataclass(frozen=True)
class SecretRequest:
    """The user that a cluster pulls as, the name of the Secret, and the file for it; None and "" mean the defaults."""

    user: str
    name: str | None = None
    namespace: str = ""
    file: Path | None = None


def issue(
    settings: Settings,
    deployment: Deployment,
    request: SecretRequest,
    *,
    ask: Callable[[], str],
    registry: Callable[[Credentials], RegistryClient],
) -> str:
    """The Secret's manifest, with the password that `ask` gives once it is checked, written to the file too if asked.

    It is checked against the users that this machine keeps, or by a login if the registry runs elsewhere, with
    the client that `registry` makes. Raises DeployerError.
    """
    accounts.check_name(request.user)
    name = default_name(settings.host) if request.name is None else request.name
    check_names(name, request.namespace)
    if request.file is not None:
        _check_target(request.file, settings, request.user)
    known = kept_here(settings, deployment)
    if known:
        accounts.find(known, request.user)
    credentials = Credentials(request.user, ask())
    if known:
        check_against(known, credentials)
    else:
        with registry(credentials) as client:
            check_at(client)
    text = manifest(settings, credentials, name=name, namespace=request.namespace)
    if request.file is not None:
        write_atomically(request.file, text.encode(), PRIVATE)
    return text


def _check_target(file: Path, settings: Settings, user: str) -> None:
    """Make sure that only a Secret for the same address and user is replaced. Raises UsageError or HostError."""
    if not file.exists():
        return
    example = manifest(settings, Credentials(user, ""), name="registry", namespace="")
    if not file.is_file() or not (read_if_there(file) or b"").startswith(example.encode().splitlines()[0]):
        raise UsageError(
            f"{file} already exists, and is not a Secret of {user} for {settings.address}; it was not changed.",
            ("Give another file.",),
        )


def default_name(host: str) -> str:
    """A Secret's name for the registry at that host: registry-HOST, as Kubernetes takes it."""
    return re.sub(r"[^a-z0-9.-]", "-", f"registry-{host.lower()}")[:_MOST_OF_A_NAME].rstrip("-.")


def check_names(name: str, namespace: str) -> None:
    """Make sure that Kubernetes accepts these names; "" is no namespace. Raises UsageError."""
    allowed = "use lowercase letters, digits and '-'"
    if not _SECRET_NAME.fullmatch(name):
        raise UsageError(f"{checks.shown(name)} is not a valid Secret name: {allowed}, in parts with '.' between them.")
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise UsageError(f"{checks.shown(namespace)} is not a valid namespace: {allowed}, at most 63 characters.")


def kept_here(settings: Settings, deployment: Deployment) -> Accounts:
    """The registry's users, where this machine keeps them; else none. Raises HostError if they are damaged."""
    record = Record.read(deployment.record_file)
    if record is not None and (record.host, record.port) != (settings.host, settings.port):
        # A client of another registry may run its own.
        return ()
    return access.accounts_of(deployment)


def check_against(known: Accounts, credentials: Credentials) -> None:
    """Make sure that the password is the one that is kept. Raises NotFound or Denied."""
    one = accounts.find(known, credentials.username)
    if not passwords.matches(credentials.password, one.hash):
        raise Denied(f"Wrong password for '{one.name}'.", (f"deployer user password {one.name}",))


def check_at(client: RegistryClient) -> None:
    """Make sure that the registry accepts the client's login. Raises DeployerError."""
    client.ping()
    if not client.signs_in:
        raise Denied(
            f"The registry at {client.place.address} does not require login; a cluster can pull from it without a "
            "Secret."
        )


def manifest(settings: Settings, credentials: Credentials, *, name: str, namespace: str) -> str:
    """The Secret's manifest, of type kubernetes.io/dockerconfigjson. It holds the password."""
    packed = credentials.basic().removeprefix("Basic ")
    entry = {"username": credentials.username, "password": credentials.password, "auth": packed}
    config = base64.b64encode(json.dumps({"auths": {settings.address: entry}}).encode()).decode()
    return snippets.pull_secret(settings.address, credentials.username, config, name=name, namespace=namespace)
