"""Image names, by the grammar of distribution/reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from deployer.errors import InvalidReference

NAME_MAX_LENGTH = 255
TAG_MAX_LENGTH = 128
DEFAULT_TAG = "latest"

# As regular expressions that Go and JavaScript read the same way; rendered into what the frontend reads.
_NAME_PART = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*"
NAME_PATTERN = f"{_NAME_PART}(?:/{_NAME_PART})*"
TAG_PATTERN = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"

_COMPONENT = re.compile(_NAME_PART)
_DOMAIN_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_DOMAIN_COMPONENT}(?:\.{_DOMAIN_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG = re.compile(TAG_PATTERN)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_SEPARATOR = re.compile(r"\.|_|__|-+")
_FORM = "Use: [HOST:PORT/]NAME[:TAG]"
_SHORTER = "Use a shorter name."
_SHA512 = re.compile(r"sha512:[0-9a-f]{128}")


@dataclass(frozen=True)
class Reference:
    """One image name taken apart: `[domain/]repository[:tag][@digest]`.

    `domain` is "" if the name has none; `repository` never holds the domain.
    """

    domain: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The name without tag and digest, with the domain if there is one."""
        return f"{self.domain}/{self.repository}" if self.domain else self.repository

    def tagged(self) -> Reference:
        """The same reference with the default tag if it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def at(self, domain: str) -> Reference:
        """The same repository, tag and digest at another registry."""
        return replace(self, domain=domain)


def parse(text: str) -> Reference:
    """Take an image name apart.

    The first component is a domain when it holds a dot, a colon or an uppercase letter, or is
    "localhost" (distribution/reference, splitDockerDomain). Raises InvalidReference with a
    sentence that says what is wrong.
    """
    _refuse_obvious_mistakes(text)
    rest, digest = _split_digest(text)
    domain, remainder = _split_domain(rest)
    repository, tag = _split_tag(remainder, text)
    meant = Reference(domain.lower() if _is_domain_by_case(domain) else domain, repository.lower(), tag, digest)
    _check_repository(repository, text, str(meant))
    if len(domain) + len(repository) + bool(domain) > NAME_MAX_LENGTH:
        raise InvalidReference(
            f"'{text[:40]}…' is too long: a name can have at most {NAME_MAX_LENGTH} characters, this one has "
            f"{len(domain) + len(repository) + bool(domain)}.",
            (_SHORTER,),
        )
    return Reference(domain, repository, tag, digest)


def refuse_upper_case(reference: Reference, text: str) -> None:
    """Refuse a domain that is one by an uppercase letter alone, as in `Team/app:1`.

    distribution/reference treats it as a host, which is never intended. Raises InvalidReference.
    """
    domain = reference.domain
    if _is_domain_by_case(domain):
        raise _upper_case(text, str(reference.at(domain.lower())))


def refuse_scheme(text: str) -> None:
    """Refuse a URL in the place of a name. Raises InvalidReference."""
    scheme, found, rest = text.partition("://")
    if found:
        raise InvalidReference(f"'{text}' starts with '{scheme}://'; image names have no scheme.", (f"Use: {rest}",))


def parse_repository(text: str) -> str:
    """Check the name of a repository on its own, with neither domain, tag nor digest.

    Raises InvalidReference.
    """
    if not text:
        raise InvalidReference("The repository name is empty.", ("Use: NAME",))
    if "@" in text or ":" in text:
        raise InvalidReference(
            f"'{text}' has a tag or a digest; give only the repository name.",
            ("Omit the address, the tag and the digest. Use: NAME",),
        )
    _refuse_pattern(text)
    _check_repository(text, text, text.lower())
    if len(text) > NAME_MAX_LENGTH:
        raise InvalidReference(
            f"'{text[:40]}…' is too long: a name can have at most {NAME_MAX_LENGTH} characters.", (_SHORTER,)
        )
    return text


def is_digest(text: str) -> bool:
    """Whether the text is a sha256 or sha512 digest as registries write it."""
    return bool(_SHA256.fullmatch(text) or _SHA512.fullmatch(text))


def is_tag(text: str) -> bool:
    """Whether the text is a tag."""
    return bool(_TAG.fullmatch(text))


def is_repository(text: str) -> bool:
    """Whether the text is the name of a repository, with neither domain, tag nor digest."""
    return len(text) <= NAME_MAX_LENGTH and all(_COMPONENT.fullmatch(part) for part in text.split("/"))


def is_domain(text: str) -> bool:
    """Whether the text is valid as `host[:port]` before an image's name."""
    return bool(_DOMAIN.fullmatch(text))


def _upper_case(text: str, meant: str) -> InvalidReference:
    return InvalidReference(f"'{text}' has uppercase letters; repository names must be lowercase.", (f"Use: {meant}",))


def _refuse_pattern(text: str) -> None:
    """Without its wildcards, a pattern would be advised as the name of something else."""
    if "*" in text or "?" in text:
        raise InvalidReference(
            f"'{text}' is a pattern; a single name is needed here.",
            (
                "List the names: deployer catalog --tags",
                "Only `catalog`, `prune`, `check` and `restore --only` accept patterns.",
            ),
        )


def _refuse_obvious_mistakes(text: str) -> None:
    if not text:
        raise InvalidReference("The image name is empty.", (_FORM,))
    _refuse_pattern(text)
    refuse_scheme(text)
    if text != text.strip() or any(character.isspace() for character in text):
        raise InvalidReference(
            f"'{text}' contains a space, which is not allowed in image names.", _without_spaces(text)
        )
    if any(part in {".", ".."} for part in text.split("/")):
        raise InvalidReference(
            f"'{text}' has '.' or '..' as a path component, which is not allowed in image names.", _nearest(text)
        )


def _split_digest(text: str) -> tuple[str, str | None]:
    rest, found, digest = text.partition("@")
    if not found:
        return text, None
    if is_digest(digest):
        return rest, digest
    algorithm = digest.partition(":")[0]
    if _DIGEST.fullmatch(digest) and algorithm not in {"sha256", "sha512"}:
        raise InvalidReference(
            f"'{digest}' uses the algorithm '{algorithm}'; registries accept sha256 and sha512.",
            ("Use the image's tag, or its sha256 digest as shown by `deployer inspect`.",),
        )
    raise InvalidReference(
        f"'{digest}' in '{text}' is not a valid digest.", ("A digest is 'sha256:' and 64 characters of 0-9 and a-f.",)
    )


def _split_domain(text: str) -> tuple[str, str]:
    first, found, rest = text.partition("/")
    looks_like_domain = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if not found or not looks_like_domain:
        return "", text
    if not _DOMAIN.fullmatch(first):
        raise InvalidReference(
            f"'{first}' in '{text}' is not a valid registry address (HOST or HOST:PORT).", (f"Use: HOST:PORT/{rest}",)
        )
    return first, rest


def _split_tag(remainder: str, text: str) -> tuple[str, str | None]:
    repository, found, tag = remainder.partition(":")
    if not found:
        return repository, None
    if not tag:
        raise InvalidReference(f"'{text}' ends in ':' with no tag after it.", _nearest(text))
    if ":" in tag:
        raise InvalidReference(f"'{text}' has two tags; an image name has one.", (_FORM,))
    if "/" in tag:
        raise InvalidReference(f"'{text}' has a '/' in its tag, or an address without a name after it.", (_FORM,))
    if len(tag) > TAG_MAX_LENGTH:
        raise InvalidReference(
            f"The tag of '{repository}' is too long: it can have at most {TAG_MAX_LENGTH} characters, this one "
            f"has {len(tag)}.",
            ("Use a shorter tag.",),
        )
    if not _TAG.fullmatch(tag):
        raise InvalidReference(
            f"'{tag}' is not a valid tag: letters, digits, '_', '.' and '-' are allowed, and the first must not "
            "be '.' or '-'.",
            _nearest(text),
        )
    return repository, tag


def _is_domain_by_case(domain: str) -> bool:
    return bool(domain) and "." not in domain and ":" not in domain and domain != "localhost"


def _check_repository(repository: str, text: str, meant: str) -> None:
    if not repository:
        raise InvalidReference(f"'{text}' has no repository name.", (_FORM,))
    for component in repository.split("/"):
        if _COMPONENT.fullmatch(component):
            continue
        if component != component.lower() and _COMPONENT.fullmatch(component.lower()):
            raise _upper_case(text, meant)
        if not component:
            raise InvalidReference(
                f"'{text}' has an empty path component (a '/' at the start or end, or '//').", _nearest(text)
            )
        raise InvalidReference(
            f"'{component}' in '{text}' is not a valid part of a repository name: use lowercase letters and "
            "digits, with single '.', one or two '_', or '-' between them.",
            _nearest(text),
        )


def _without_spaces(text: str) -> tuple[str, ...]:
    """The advice for a text with spaces: several names, or one."""
    words = text.split()
    try:
        parsed = [parse(word) for word in words]
    except InvalidReference:
        parsed = []
    several = f"Give several names as separate arguments, without quotes: {' '.join(words)}"
    if len(parsed) > 1 and all(one.tag or one.digest for one in parsed):
        return (several,)
    return (*([several] if len(parsed) > 1 else []), *_nearest(text))


def _nearest(text: str) -> tuple[str, ...]:
    """The advice to write the valid name that is near this text, or the form of one if none is."""
    spaced = re.sub(r"\s+", "-", re.sub(r"\s*([:/@])\s*", r"\1", text.strip()))
    name, at, digest = spaced.partition("@")
    parts = [part for part in name.split("/") if part not in {"", ".", ".."}]
    has_domain = len(parts) > 1 and bool(_DOMAIN.fullmatch(parts[0])) and bool(re.search(r"[.:]", parts[0]))
    domain = parts[:1] if has_domain else []
    last, _, tag = parts[-1].partition(":") if parts else ("", "", "")
    tag = re.sub(r"[^\w.-]+", "-", tag, flags=re.ASCII).strip(".-")
    path = [_near_component(part) for part in (*parts[len(domain) : -1], last)]
    if not all(path) or (at and not is_digest(digest)):
        return (_FORM,)
    return (f"Use: {'/'.join((*domain, *path))}{f':{tag}' if tag else ''}{at}{digest}",)


def _near_component(text: str) -> str:
    joined = re.sub(
        r"[^a-z0-9]+", lambda found: found[0] if _SEPARATOR.fullmatch(found[0]) else "-", text.lower(), flags=re.ASCII
    )
    return joined.strip("._-")
