"""Kill commands, services and the engine at random moments of a registry's life, for as long as wanted.

In a network of its own, on an engine of its own, so that the machine's containers are left alone.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.soak.commands import COMMANDS, OWN_IMAGES, Command, Scene
from tests.soak.kills import Victim, kill
from tests.soak.pushes import KEPT, OWNER, PRUNED, Pushes
from tests.support.cut_off import gate, helpers, wait_until
from tests.support.dockerd import Dockerd
from tests.support.run import OWN, PATIENCE_SECONDS, free_port
from tests.support.signed_in import client_of, password_of, write_users
from tests.support.stack import DeployedStack, docker
from tests.support.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Sequence

_IMAGES = (*OWN_IMAGES.values(), "deployer-backup:debian")
# How long a command takes is known once one of its kind has ended by itself.
_FIRST_SECONDS = 4.0
_WHOLE_EVERY = 25
_STATE = "{{.Name}} {{json .State}} restarts {{.RestartCount}}"
_PAUSE_SECONDS = 5.0


class LostError(Exception):
    """Something that has to hold does not."""


@dataclass
class Soak:
    """A deployment whose commands and services are killed."""

    scene: Scene
    engine: Dockerd
    typical: dict[str, float] = field(default_factory=dict)
    kills: int = 0

    @property
    def stack(self) -> DeployedStack:
        return self.scene.pushes.stack

    def round(self) -> None:
        """Run a command, kill something while it runs, run it again to its end, and look at the images."""
        chance = self.scene.chance
        command = chance.choice(COMMANDS)(self.scene)
        # The engine takes long to come back.
        weights = [1 if victim is Victim.ENGINE else 6 for victim in Victim]
        (victim,) = chance.choices(list(Victim), weights)
        delay = chance.uniform(0, 1.1 * self.typical.get(command.words[0], _FIRST_SECONDS))
        began = time.monotonic()
        process = Warm(command.words, folder=self.stack.folder, environment=self.stack.environment, stdin=command.stdin)
        wait_until(lambda: process.poll() is not None, delay)
        in_time = process.poll() is None
        if in_time:
            kill(victim, process, self.stack, self.engine)
            self.kills += 1
        else:
            self.typical[command.words[0]] = time.monotonic() - began
        _, said = process.communicate(PATIENCE_SECONDS)
        ended = victim if in_time else "nothing"
        print(f"{self.kills:5} {' '.join(command.words)[:70]:70} {delay:5.1f} s  {ended}", flush=True)
        if "Traceback" in said:
            raise LostError(f"a traceback:\n{said}")
        self.come_back(is_serving=not command.replaces_services)
        self.run_to_its_end(command)
        self.come_back()
        self.look(self.scene.pushes.sample(chance))

    def come_back(self, *, is_serving: bool = True) -> None:
        """Wait until the engine responds again, and if it `is_serving` the registry, by itself once the engine runs."""
        if not self.engine.survived():
            self.engine.stop()
            self.engine.start()
        if is_serving and not wait_until(self.answers):
            raise LostError(f"the registry does not come back\n{self.evidence()}")

    def answers(self) -> bool:
        """Whether the registry responds."""
        try:
            with client_of(self.stack, OWNER) as client:
                return client.get("/v2/", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def run_to_its_end(self, command: Command) -> None:
        """The same command again, undisturbed, does what it is for."""
        done = self.stack.deployer(*command.words, stdin=command.stdin)
        is_accounted_for = done.returncode == 1 and any(words in done.stderr for words in command.refusals)
        if done.returncode and not is_accounted_for:
            raise LostError(f"the command again: {done.returncode}\n{done.stdout}{done.stderr}")
        command.after()
        if command.changes_builds:
            pushes = self.scene.pushes
            pushes.forget(*pushes.gone(PRUNED))

    def look(self, tags: Sequence[object]) -> None:
        """Every one of these tags pulls whole."""
        wanted = set(tags)
        suspects = self.scene.pushes.lost(tag for tag in self.scene.pushes.tags(KEPT + PRUNED) if tag in wanted)
        if not suspects:
            return
        told = "\n".join(f"  {tag}: {why}" for tag, why in suspects.items())
        print(f"      not whole at the first look:\n{told}", flush=True)
        # A refusal that passes is no loss, and is seen above.
        time.sleep(_PAUSE_SECONDS)
        lost = self.scene.pushes.lost(suspects)
        if lost:
            told = "\n".join(f"  {tag}: {why}" for tag, why in lost.items())
            raise LostError(f"lost:\n{told}\n{self.evidence()}")

    def evidence(self) -> str:
        """What deployer, the services and the engine say, for whoever reads of a loss."""
        said = [self.stack.deployer(*words) for words in (("status",), ("check",))]
        containers = docker("ps", "--all", "--quiet", check=False).split()
        states = [docker("inspect", "--format", _STATE, one, check=False) for one in containers]
        logs = [docker("logs", "--tail", "30", one, check=False) for one in containers]
        engine = (self.engine.folder / "log").read_text(errors="replace")[-5000:]
        return "\n".join((*(one.stdout + one.stderr for one in said), *states, *logs, engine))

    def look_at_all(self) -> None:
        """Nothing is left running, and every accepted image is there."""
        if not wait_until(lambda: not gate(self.stack) and not helpers(self.stack)):
            raise LostError(f"left: {gate(self.stack)} {helpers(self.stack)}")
        self.look(self.scene.pushes.tags(KEPT + PRUNED))
        done = self.stack.deployer("status")
        if done.returncode:
            raise LostError(f"status: {done.returncode}\n{done.stdout}{done.stderr}")
        print(f"      {len(self.scene.pushes.accepted)} images whole of {self.scene.pushes.count} pushes", flush=True)


def main() -> int:
    """Run the soak; 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="make soak ARGS='…'", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how often something is killed (1000)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeat an earlier order")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside is not None:
        return _soak(arguments.inside, arguments.kills, arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    _bring_images()
    # A socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="soak-", dir="/tmp") as folder:
        # What is left when the engine is killed ends with the namespaces. The shell is the first process in them, since
        # it waits for orphans: the engine takes a containerd that nobody waited for as one that runs.
        spaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        enter = ("unshare", *spaces, "--", "sh", "-c", 'ip link set lo up; "$@"; exit $?', "sh")
        options = (f"--kills={arguments.kills}", f"--seed={arguments.seed}", f"--inside={folder}")
        return subprocess.run((*enter, sys.executable, "-m", "tests.soak", *options), check=False).returncode


def _bring_images() -> None:
    """Make the images on the machine's engine, which reaches the packages; those that exist are taken as they are."""
    if subprocess.run(["docker", "image", "inspect", *_IMAGES], capture_output=True, check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = DeployedStack(Path(folder), f"{OWN}-soak", free_port())
        try:
            stack.up()
            stack.deployer("backup", f"{folder}/backups", check=True)
        finally:
            stack.remove()


def _soak(folder: Path, kills: int, seed: int) -> int:
    machine = dict(os.environ)
    (folder / "engine").mkdir()
    (folder / "daemon.json").write_text("{}\n")
    engine = Dockerd(folder / "engine", folder / "daemon.json", enter=())
    engine.start()
    with subprocess.Popen(["docker", "save", *_IMAGES], stdout=subprocess.PIPE, env=machine) as saved:
        subprocess.run(["docker", "load", "--quiet"], stdin=saved.stdout, env=engine.environment, check=True)
    os.environ.update(engine.environment)
    own = {f"DEPLOYER_{service.upper()}_IMAGE": f"soak-{service}:1" for service in OWN_IMAGES}
    for service, image in OWN_IMAGES.items():
        docker("tag", image, f"soak-{service}:1")
    stack = DeployedStack(folder, "soak", free_port(), {**own, "DOCKER_CONFIG": str(folder / "logins")})
    (folder / "logins").mkdir()
    login = base64.b64encode(f"{OWNER}:{password_of(OWNER)}".encode()).decode()
    (folder / "logins/config.json").write_text(json.dumps({"auths": {stack.address: {"auth": login}}}))
    write_users(stack, [OWNER])
    stack.up()
    pushes = Pushes(stack, seed)
    soak = Soak(Scene(pushes, folder / "backups", random.Random(seed)), engine)
    pushes.start()
    wait_until(lambda: len(pushes.tags()) > 3)
    try:
        while soak.kills < kills:
            before = soak.kills // _WHOLE_EVERY
            soak.round()
            if soak.kills // _WHOLE_EVERY > before:
                soak.look_at_all()
        pushes.stop()
        soak.look_at_all()
    except LostError as lost:
        print(f"After {soak.kills} kills, with seed {seed}: {lost}", file=sys.stderr)
        return 1
    finally:
        pushes.stop()
    stack.remove()
    engine.stop()
    print(f"{soak.kills} kills, {pushes.count} pushes, nothing lost; seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
