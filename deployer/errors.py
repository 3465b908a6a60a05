"""What may go wrong, each with its exit code and its advice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from deployer.printable import one_line
from deployer.redaction import without_quoted_secrets, without_secrets

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_INTERRUPTED = 130


@dataclass
class DeployerError(Exception):
    """An expected failure: one sentence, how to fix it, and the original words underneath.

    The sentence is one line, whatever it quotes. `advice` holds commands or sentences to follow, one
    a line; `original` is the text of the engine, the registry or the daemon, as it came but for the secrets in it.
    """

    exit_code: ClassVar[int] = EXIT_FAILURE

    message: str
    advice: tuple[str, ...] = ()
    original: str = ""

    def __post_init__(self) -> None:
        self.message = one_line(without_quoted_secrets(self.message))
        self.original = without_secrets(self.original)

    def __str__(self) -> str:
        return self.message


class UsageError(DeployerError):
    """Words on the command line that do not make sense."""

    exit_code: ClassVar[int] = EXIT_USAGE


@dataclass
class ConfigurationError(DeployerError):
    """Mistakes in deployer.yaml, the environment or the flags, all of them at once."""

    exit_code: ClassVar[int] = EXIT_USAGE

    problems: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        self.problems = tuple(map(without_quoted_secrets, self.problems))


class InvalidReference(UsageError):
    """A name that is not an image reference."""


class EngineError(DeployerError):
    """The Docker engine, Compose or their client refused or failed."""


class EngineUnavailable(EngineError):
    """No engine answers, or its client or Compose is missing."""


class UnsetVariables(EngineError):
    """Compose's files use variables, and what deployer runs gets none.

    `takes_default`: a default would be used; it is not for those that Compose itself needs.
    """

    def __init__(self, names: tuple[str, ...], original: str, *, takes_default: bool = True) -> None:
        used = ", ".join(f"${{{name}}}" for name in names)
        super().__init__(
            f"The Compose files use {used}. To keep the environment from changing a running registry, deployer passes "
            "Compose no variables from the shell or an .env file.",
            (
                (
                    f"In compose.override.yaml, write the value itself or a default: ${{{names[0]}:-VALUE}}"
                    if takes_default
                    else f"In compose.override.yaml and the files that it names, write the value itself for {used}."
                ),
                "If no variable is intended, write $$ instead of $.",
            ),
            original,
        )


class ImageNotFound(EngineError):
    """The engine holds no image of that name."""


class ImageInUse(EngineError):
    """The engine does not remove an image that a container needs."""


class ImageNotInRegistry(EngineError):
    """The registry answered the engine that there is no such image."""


class PlatformNotInRegistry(EngineError):
    """The registry has the image, and not for the platform that was asked for."""


class SignInMissing(EngineError):
    """The registry requires login, and Docker sent none that it takes."""


class NotAnImage(EngineError):
    """The registry has something of that name that the engine cannot take for an image."""


class PreflightError(DeployerError):
    """Something in the way of `up`, found before anything was changed."""


class ImagesDiskFull(PreflightError):
    """The disk with the images has too little room."""


class AnotherDeployment(PreflightError):
    """What runs under a deployment's name is another one, or another engine runs it."""


class NotReady(DeployerError):
    """The registry did not begin to answer in time."""


class UpgradeFailed(DeployerError):
    """An upgrade did not come to its end; the message says what runs now."""


class RegistryError(DeployerError):
    """The registry refused, or answered something that is not a registry's answer."""


class RegistryUnreachable(RegistryError):
    """Nothing answers at the registry's address."""


class LateAnswer(RegistryUnreachable):
    """The registry took the request, and did not answer it in time."""


class TryAgain(RegistryError):
    """No answer for now, whatever the registry holds: it is busy or starting, or the connection broke."""


class StorageFull(RegistryError):
    """The registry has no room for what it has to write."""


class Obstructed(RegistryError):
    """The registry cannot read its storage, since a file is in place of a directory, or the reverse."""


class NotFound(RegistryError):
    """The registry knows no such repository, tag or digest."""


class TooLarge(RegistryError):
    """The answer is larger than is read of its kind; asking again gives the same."""


@dataclass
class ContentDamaged(RegistryError):
    """What came is not what its digest promises; `size` are the bytes that came."""

    size: int = 0


class Denied(RegistryError):
    """The registry requires login, or forbids what was asked."""


class Forbidden(Denied):
    """The registry knows who asks, and does not allow that user what was asked."""


class UnknownManifest(RegistryError):
    """A manifest of a type that is not known here; others may well read it."""


# These say nothing of the content that was asked for, be it whole, damaged or gone.
NOT_OF_CONTENT = (RegistryUnreachable, Denied, TryAgain)


class DeletingDisabled(RegistryError):
    """The registry is configured not to delete, or is read-only."""


class StorageError(DeployerError):
    """The registry's storage cannot be read or changed, or is not what it should be."""


class StorageUnreadable(StorageError):
    """The registry's storage cannot be read, by the registry neither."""


class BackupError(DeployerError):
    """Backups cannot be made or read, or are not what they should be."""


class NoBackups(BackupError):
    """There are no backups at a target."""


class WrongPassword(BackupError):
    """The password does not open the backups at a target."""


class GateError(DeployerError):
    """Writes cannot be paused, or do not come to an end."""


class PushInProgress(GateError):
    """A push does not come to an end in the time that there is."""


class HostError(DeployerError):
    """A file or program of this machine is in the way."""


class Busy(HostError):
    """Another command is changing the deployment."""


class ConfirmationNeeded(DeployerError):
    """A question that cannot be answered: no terminal, and no `--yes`."""


class Cancelled(DeployerError):
    """The user answered no; nothing was changed."""
