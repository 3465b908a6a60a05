"""What a user's new password has to be, and its hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host import passwords

if TYPE_CHECKING:
    from deployer.settings.model import Settings


@dataclass(frozen=True)
class PasswordPolicy:
    """The words that a guesser of this password tries first, and the cost of its hash; `force` allows weak ones."""

    guesses: tuple[str, ...]
    cost: int
    force: bool

    @classmethod
    def of(cls, settings: Settings, user: str, cost: int, *, force: bool) -> PasswordPolicy:
        """The policy for a user of a registry. Raises UsageError if the cost does not serve."""
        passwords.check_cost(cost, force=force)
        return cls((user, settings.name, settings.host, "registry", "docker"), cost, force)

    @property
    def is_slow(self) -> bool:
        """Whether each login will take long."""
        return self.cost > passwords.USUAL_COSTS[-1]

    def check(self, password: str) -> None:
        """Make sure that a password is good enough. Raises PasswordRefused."""
        passwords.check(password, self.guesses, force=self.force)

    def hashed(self, password: str) -> str:
        """The hash of a password that `check` took; slow on purpose."""
        return passwords.hashed(password, self.cost)
