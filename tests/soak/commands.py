"""The commands that are cut off, and what is done so that each can be tried again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.soak.pushes import PRUNED
from tests.support.stack import docker

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.soak.pushes import Pushes, Tag

Words = tuple[str, ...]
OWN_IMAGES = {"registry": "deployer-registry:debian", "frontend": "deployer-frontend:2.11.7"}
"""What the services run, under names of the soak's own, which lead to newer ones later."""


@dataclass
class Scene:
    """A deployment under pushes, where its backups go, and the random choices of one soak."""

    pushes: Pushes
    target: Path
    chance: random.Random
    users: int = 0
    upgrades: int = 0
    # What the last whole backup has.
    backed_up: frozenset[Tag] = frozenset()

    def whole_backups(self) -> list[str]:
        """The IDs of the backups that are listed."""
        if not self.target.exists():
            return []
        listed = self.pushes.stack.deployer("backup", "list", str(self.target), "--json")
        return [] if listed.returncode else [str(one["id"]) for one in json.loads(listed.stdout)["backups"]]


@dataclass(frozen=True)
class Command:
    """One command: what it is in words, and what it is given on standard input."""

    words: Words
    stdin: str = ""
    # With what a second run may be refused: that nothing is left, or that it was pushed to meanwhile.
    refusals: Words = ()
    # Whether tags of builds may go that are pushed meanwhile.
    changes_builds: bool = False
    # Whether it replaces services: if that was cut off, they serve again once it has run to its end.
    replaces_services: bool = False
    # What holds once it has come to its end.
    after: Callable[[], None] = lambda: None


def gc(scene: Scene) -> Command:
    """A collection, sometimes of untagged manifests too."""
    return Command(("gc", *scene.chance.choice(((), ("--untagged", "--older-than", "0s"))), "--yes"))


def delete(scene: Scene) -> Command:
    """The removal of old tags, or of a new one."""
    tags = list(scene.pushes.superfluous())[:40] or scene.pushes.tags()[-1:]
    scene.pushes.forget(*tags)
    return Command(("delete", *map(str, tags), "--yes"), refusals=("No ",)) if tags else gc(scene)


def prune(scene: Scene) -> Command:
    """Retention, in the repository of builds."""
    return Command(("prune", "ci/*", "--keep", "3", "--yes"), changes_builds=True)


def delete_repository(scene: Scene) -> Command:
    """The removal of the repository of builds."""
    scene.pushes.forget(*scene.pushes.tags(PRUNED))
    return Command(
        ("delete", "--repository", *PRUNED, "--yes"),
        refusals=("No repository named", "received a push in the meantime"),
        changes_builds=True,
    )


def backup(scene: Scene) -> Command:
    """A backup, of which few are kept."""
    tags = frozenset(scene.pushes.tags())

    def done() -> None:
        scene.backed_up = tags

    return Command(("backup", str(scene.target), "--keep", "3"), after=done)


def restore(scene: Scene) -> Command:
    """What the last backup has of one repository; tags that were deleted since come back."""
    if not scene.whole_backups():
        return backup(scene)
    return Command(("restore", str(scene.target), "--only", scene.chance.choice(("app/one", "multi")), "--yes"))


def up(scene: Scene) -> Command:
    """A change of the deployment: another label, so that the registry is made again."""
    override = scene.pushes.stack.directory / "compose.override.yaml"
    value = scene.chance.randrange(1_000_000)
    override.write_text(f'services: {{registry: {{labels: {{soak: "{value}"}}}}}}\n')
    return Command(("up", "--yes"), replaces_services=True)


def check(_: Scene) -> Command:
    """Every byte, while others push: nothing may be found."""
    return Command(("check", "--full"))


def repair(scene: Scene) -> Command:
    """A layer that rots on the disk, and comes back from the backup."""
    tags = sorted(scene.backed_up & set(scene.pushes.tags()), key=str)
    if not tags:
        return backup(scene)
    scene.pushes.rot(scene.chance.choice(tags), scene.chance)
    return Command(("check", "--full", "--repair", "--yes"))


def upgrade(scene: Scene) -> Command:
    """A newer image of a service, or the one before it."""
    if scene.upgrades and scene.chance.random() < 0.3:
        return Command(("upgrade", "--rollback", "--yes"), replaces_services=True)
    scene.upgrades += 1
    service, image = scene.chance.choice(tuple(OWN_IMAGES.items()))
    made = f"FROM {image}\nLABEL soak={scene.upgrades}\n"
    docker("build", "--quiet", "--tag", f"soak-{service}:1", "-", stdin=made.encode())
    # No hub has these images: if the first run came to its end, there is nothing newer.
    return Command(("upgrade", "--yes"), refusals=("this machine has no newer one",), replaces_services=True)


def user(scene: Scene) -> Command:
    """Another user, or the last one's end."""
    if scene.users and scene.chance.random() < 0.5:
        scene.users -= 1
        return Command(("user", "remove", f"user{scene.users}", "--yes"), refusals=("No such user",))
    scene.users += 1
    words = ("user", "add", f"user{scene.users - 1}", "--cost", "10", "--password-stdin")
    return Command(words, stdin="a passphrase of the soak", refusals=("already exists",))


def status(_: Scene) -> Command:
    """Nothing but looking, which also finishes what was interrupted."""
    return Command(("status",))


COMMANDS: tuple[Callable[[Scene], Command], ...] = (
    *(gc, delete, prune, delete_repository, backup, restore, check, repair, upgrade, up, user, status),
)
