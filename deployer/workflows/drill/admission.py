"""Login, rules and CA in a drill's copy: as in the backup, and nobody else has access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.layout import CA_PATH
from deployer.settings.values import globs
from deployer.settings.values.checks import EVERYONE
from deployer.tls.own_certificate import check_own
from deployer.workflows.backup.archive import Kept
from deployer.workflows.deployment import access, ca
from deployer.workflows.drill.copy import certificate_file, key_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.drill.client import CopyClient
    from deployer.workflows.drill.copy import Copy

_API = "/v2/"
# No one pushes there: an upload is begun at most.
_REPOSITORY = "deployer/drill"
_OK, _ACCEPTED, _UNAUTHORIZED, _FORBIDDEN = 200, 202, 401, 403


def login_differences(client: CopyClient, stack: Stack, copy: Copy) -> Iterator[str]:
    """What is wrong with the login, a sentence each. Raises Refused if the copy does not respond."""
    if copy.visitor is None:
        status = client.ask("GET", _API, None).status_code
        if status != _OK:
            yield f"No login is required in the backup, but the copy responds with {status} to a request without login."
        return
    wrong = (copy.visitor.name, "wrong")
    for login, words in ((None, "without login"), (wrong, "with a wrong password")):
        status = client.ask("GET", _API, login).status_code
        if status != _UNAUTHORIZED:
            yield f"The copy responds with {status} instead of {_UNAUTHORIZED} to a request {words}."
    status = client.ask("GET", _API, client.login).status_code
    if status != _OK:
        yield f"The copy responds with {status} to a login with the right password."
    yield from _missing_users(stack, copy)
    yield from _rule_differences(client, copy)


def certificate_differences(client: CopyClient, stack: Stack, copy: Copy) -> Iterator[str]:
    """What is wrong with the CA, or with the user's own certificate. Raises Refused if the copy does not respond."""
    origin = copy.origin
    if not origin.archive.about.with_secrets:
        return
    if origin.settings.tls.is_own:
        yield from _own_certificate_differences(stack, copy)
    if not origin.settings.tls.is_internal:
        return
    if origin.ca is None:
        yield "The CA of the registry is not in the backup."
        return
    served = ca.fingerprint_of_pem(client.ask("GET", CA_PATH, None).content)
    expected = ca.fingerprint_of_pem(origin.ca)
    if served != expected:
        yield f"The copy has the CA with the fingerprint {served}; in the backup it is {expected}."


def _missing_users(stack: Stack, copy: Copy) -> Iterator[str]:
    here = set(access.accounts_of(stack.deployment))
    loaded = access.names_in_frontend(stack.engine, stack.containers())
    missing = [one.name for one in copy.origin.accounts if one not in here or one.name not in loaded]
    if missing:
        yield f"Users of the backup are not in the copy: {', '.join(missing)}."


def _rule_differences(client: CopyClient, copy: Copy) -> Iterator[str]:
    """Whether rules are in effect: the drill's own user may pull, and pushes only where everyone may."""
    if not copy.origin.settings.access:
        return
    is_open = any(
        EVERYONE.intersection(rule.users) and "push" in rule.allow and globs.matches(_REPOSITORY, rule.repositories)
        for rule in copy.origin.settings.access
    )
    expected = _ACCEPTED if is_open else _FORBIDDEN
    status = client.ask("POST", f"/v2/{_REPOSITORY}/blobs/uploads/", client.login).status_code
    if status != expected:
        yield f"The copy responds with {status} to a push; by the access rules in the backup, it should be {expected}."


def _own_certificate_differences(stack: Stack, copy: Copy) -> Iterator[str]:
    files = certificate_file(stack.deployment), key_file(stack.deployment)
    if not {Kept.CERTIFICATE, Kept.KEY} <= copy.archive.files.keys():
        yield "The certificate of the registry, or its key, is not in the backup."
        return
    try:
        check_own(*files, copy.origin.settings.host, stack.now())
    except DeployerError as error:
        said = error.message
        for path in files:
            said = said.replace(str(path), path.name)
        yield f"The certificate in the backup cannot be used: {said}"
