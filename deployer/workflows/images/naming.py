"""Names on the command line: of this registry, or refused; unknown ones with what is like them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer import suggest
from deployer.errors import DeployerError, NotFound, RegistryError, UsageError
from deployer.reference import Reference, is_domain, is_tag, parse, refuse_scheme, refuse_upper_case
from deployer.registry.protocol.place import Place
from deployer.settings.values import globs
from deployer.workflows.images.reading import Reader
from deployer.workflows.images.states import not_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.registry.client import RegistryClient


def own_reference(text: str, place: Place) -> Reference:
    """Take the name of an image of this registry apart; this registry's own address before it is dropped.

    Raises InvalidReference, and UsageError for another registry's image.
    """
    reference = parse(text)
    refuse_upper_case(reference, text)
    if reference.domain and not _same_place(reference.domain, place):
        raise _of_another(text, reference.domain, str(reference.at("")), place)
    return reference.at("")


def own_repository(text: str, place: Place) -> str:
    """The name of a repository of this registry, given without tag and digest.

    Raises InvalidReference, and UsageError if there is a tag or a digest, or another registry.
    """
    reference = own_reference(text, place)
    if reference.tag or reference.digest:
        raise _is_image(text, reference.repository)
    return reference.repository


def own_pattern(text: str, place: Place, *, only_here: bool = False) -> str:
    """A pattern of this registry's repositories, or an image, as it is written without this registry's own address.

    What can be the first part of a repository's name, such as `my.team`, is not taken for another address.
    `only_here`: the command works only on the registry's machine. Raises InvalidReference, and UsageError for
    another registry's.
    """
    refuse_scheme(text)
    address, slash, rest = text.partition("/")
    looks_like_address = address == "localhost" or not {".", ":"}.isdisjoint(address)
    if not (slash and looks_like_address and is_domain(address)):
        return text
    if _same_place(address, place):
        return rest
    if ":" not in address:
        return text
    raise _of_another(text, address, rest, place, only_here=only_here)


def own_repositories(patterns: Iterable[str], place: Place, *, only_here: bool = False) -> tuple[str, ...]:
    """Patterns of this registry's repositories, without its own address.

    Raises InvalidReference, and UsageError if there is a tag or a digest, or another registry.
    """
    found = tuple(own_pattern(text, place, only_here=only_here) for text in patterns)
    for one in found:
        if globs.is_name(one) and (":" in one or "@" in one):
            raise _is_image(one, re.split("[:@]", one)[0])
    return found


def tags_of(client: RegistryClient, repository: str) -> tuple[str, ...]:
    """The tags of a repository; none if it is emptied.

    Raises NotFound with the names that are most like it.
    """
    try:
        return client.tags(repository)
    except NotFound as error:
        try:
            known = client.catalog()
        except RegistryError:
            raise error from None
        # On object storage an emptied repository has no tag list, and stays in the catalog.
        if repository in known:
            return ()
        advice = suggest.did_you_mean(repository, known) or ("To list the repositories: deployer catalog",)
        raise NotFound(error.message, advice, error.original) from error


def unknown_image(client: RegistryClient, reference: Reference, error: NotFound) -> DeployerError:
    """The error for a tag or digest that is not there, with the repositories or tags most like it.

    Of one that is there and cannot be found, it says why, and how to repair it.
    """
    try:
        tags = tuple(filter(is_tag, tags_of(client, reference.repository)))
    except NotFound as unknown:
        return unknown
    except RegistryError:
        return error
    if reference.digest or (reference.tag or "latest") in tags:
        reader = Reader(client, reference.repository, client.overview(reference.repository))
        damaged = reader.damaged([reference.digest or reader.digest(reference.tag or "latest")])
        if any(one.is_here for one in damaged):
            return RegistryError(not_whole(str(reference), damaged), original=error.original)
    if reference.digest or not tags:
        advice: tuple[str, ...] = () if tags else ("This repository is empty.",)
    elif (reference.tag or "latest") in tags:
        advice = (
            "The tag exists, but its manifest is missing.",
            "deployer check --repair   (on the machine that runs the registry)",
            "Or push the image again.",
        )
    else:
        known = [f"{reference.repository}:{tag}" for tag in tags]
        advice = suggest.did_you_mean(str(reference), known) or (
            f"To list its tags: deployer tags {reference.repository}",
        )
    return NotFound(error.message, advice, error.original)


def _of_another(text: str, address: str, rest: str, place: Place, *, only_here: bool = False) -> UsageError:
    other = f"run the command on the machine that runs {address}." if only_here else "--host HOST --port PORT"
    return UsageError(
        f"'{text}' belongs to the registry {address}; this one is {place.address}.",
        (f"For this registry: {rest}", f"For another: {other}"),
    )


def _is_image(text: str, repository: str) -> UsageError:
    return UsageError(
        f"'{text}' is the name of one image; a repository name has no tag or digest.",
        (f"To list its tags: deployer tags {repository}", f"To show that image: deployer inspect {text}"),
    )


def _same_place(domain: str, place: Place) -> bool:
    try:
        other = Place.of(f"{place.url.partition(':')[0]}://{domain}")
    except ValueError:
        # Of the form of an address, with a port or an IPv6 address that does not exist.
        return False
    if other.address.lower() == place.address.lower():
        return True
    port = place.address.rpartition(":")[2]
    return other.is_loopback and place.is_loopback and other.address.rpartition(":")[2] == port
