"""Figures of login and TLS: against the registry by itself, and against nginx in front of it."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import bcrypt
import httpx

from benchmarks.documented import address_of, documented
from benchmarks.layers import load_new_image
from benchmarks.load import User, requests_a_second, requests_under_attack
from benchmarks.measure import RATE, THROUGHPUT, Command, Figure, in_turn, medians
from benchmarks.transfer import random_blob
from deployer.host.files import PRIVATE, write_atomically
from deployer.settings.values.account import Account, written
from tests.support.registry_content import image, push
from tests.support.run import free_port
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COST = 10
_USERS = 100
_RULES = 200
_BLOB_SIZE = 300_000_000
_RUNS = 3
_TRANSFERS = 7
_PUSHES = 9
_REPOSITORY = "bench/app"
_USER = User("bench", os.urandom(12).hex())
# Images in memory, so that no disk is measured.
_IN_MEMORY = {"volumes": {"data": {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}}}


def sign_in_figures(folder: Path) -> list[Figure]:
    """A manifest asked for by a user over and over: alone, among many users and rules, and under attack."""
    with (
        _deployed(folder / "few", _users(1)) as few,
        _deployed(folder / "many", _users(_USERS), rules=_RULES) as many,
        documented(folder / "peers", _registry_image(few), _users(1)) as peers,
    ):
        addresses = {"few": _inside(few), "many": _inside(many)}
        addresses |= {"registry": peers.registry_signed_in, "nginx": peers.nginx_signed_in}
        urls = {name: _pushed_manifest(address) for name, address in addresses.items()}
        rates = medians({name: partial(requests_a_second, url, _USER) for name, url in urls.items()}, _RUNS)
        attacked = medians(
            {name: partial(requests_under_attack, urls[name], _USER) for name in ("few", "registry")}, _RUNS
        )
    htpasswd = "the registry's htpasswd"
    many_title = f"… with {_USERS} users and {_RULES} rules"
    return [
        _rate("logged-in requests", rates["few"], rates["registry"], htpasswd, 20),
        _rate("…", rates["few"], rates["nginx"], "nginx's auth_basic", 20),
        _rate(many_title, rates["many"], rates["few"], "one user, no rules"),
        _rate("… while wrong passwords are tried", attacked["few"], attacked["registry"], f"{htpasswd}, tried too"),
    ]


def transfer_figures(folder: Path) -> list[Figure]:
    """A blob of 300 MB pulled and pushed, plain and over TLS."""
    blob = random_blob(folder / "blob", _BLOB_SIZE)
    with (
        _deployed(folder / "plain", b"") as plain,
        _deployed(folder / "encrypted", b"", {"DEPLOYER_TLS": "internal"}) as encrypted,
        documented(folder / "peers", _registry_image(plain), _users(1)) as peers,
    ):
        figures = []
        for title, ours, registry, nginx in (
            ("300 MB", _inside(plain), peers.registry, peers.nginx),
            ("300 MB, TLS", _inside(encrypted, "https"), peers.registry_tls, peers.nginx_tls),
        ):
            addresses = {"ours": ours, "registry": registry, "nginx": nginx}
            pushes = medians({name: partial(blob.push, address) for name, address in addresses.items()}, _TRANSFERS)
            # nginx keeps nothing of its own: what went through it is in `peers.registry`.
            blob.push(peers.registry)
            pulls = medians({name: partial(blob.pull, address) for name, address in addresses.items()}, _TRANSFERS)
            figures += [
                _throughput(f"pull of {title}", pulls, "nginx", 1.5),
                _throughput("…", pulls, "registry"),
                _throughput(f"push of {title}", pushes, "registry", 0.9),
                _throughput("…", pushes, "nginx"),
            ]
    return figures


def layers_figure(folder: Path) -> Figure:
    """`docker push` of a new image of 20 layers, logged in against not logged in."""
    with _deployed(folder / "closed", _users(1)) as closed, _deployed(folder / "open", b"") as opened:
        targets = [f"{stack.address}/{_REPOSITORY}:1" for stack in (closed, opened)]
        config = json.dumps({"auths": {closed.address: {"auth": _USER.encoded}}}).encode()
        write_atomically(folder / "config.json", config, PRIVATE)

        def new_image() -> None:
            docker("image", "rm", *targets, check=False)
            load_new_image(targets[0])
            docker("tag", *targets)

        commands = [Command(["docker", "--config", str(folder), "push", target]) for target in targets]
        try:
            ours, peer = in_turn(*commands, runs=_PUSHES, before=new_image)
        finally:
            docker("image", "rm", *targets, check=False)
    reached = ours / peer <= 1.1
    return Figure("`docker push` of 20 layers, logged in", ours, peer, "not logged in", "≤ 1.1", reached)


def _rate(title: str, ours: float, peer: float, name: str, target: float = 0) -> Figure:
    return Figure(title, ours, peer, name, _at_least(target), ours / peer >= target, RATE)


def _throughput(title: str, found: Mapping[str, float], peer: str, target: float = 0) -> Figure:
    name = {"registry": "the registry directly", "nginx": "nginx in front"}[peer]
    ratio = found["ours"] / found[peer]
    return Figure(title, found["ours"] / 1e6, found[peer] / 1e6, name, _at_least(target), ratio >= target, THROUGHPUT)


def _at_least(target: float) -> str:
    return f"≥ {target}" if target else ""


@contextmanager
def _deployed(
    folder: Path, users: bytes, settings: Mapping[str, str] | None = None, *, rules: int = 0
) -> Iterator[DeployedStack]:
    """A deployment with these lines of its file of users, and with rules, of which the user's is the last."""
    name = f"deployer-bench-{folder.name}-{os.getpid()}"
    # Built here, so that the peer nginx can be made from the same base.
    stack = DeployedStack(folder, name, free_port(), {"DEPLOYER_IMAGES": "build", **(settings or {})})
    stack.directory.mkdir(parents=True)
    write_atomically(stack.directory / "users", users, PRIVATE)
    (stack.directory / "compose.override.yaml").write_text(json.dumps(_IN_MEMORY))
    access = [_rule(number) for number in range(rules, 0, -1)]
    (folder / "deployer.yaml").write_text(json.dumps({"access": access}))
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()


def _rule(number: int) -> dict[str, list[str]]:
    """The first is the user's; the others are shared out among the other users, each for its own team."""
    user, place = (_USER.name, _REPOSITORY) if number == 1 else (f"user{number % (_USERS - 1)}", f"team{number}/*")
    return {"users": [user], "repositories": [place], "allow": ["pull", "push", "delete"]}


def _users(number: int) -> bytes:
    """The lines of an htpasswd file: the user, and others with the same hash."""
    hashed = bcrypt.hashpw(_USER.password.encode(), bcrypt.gensalt(_COST)).decode()
    names = [_USER.name, *(f"user{other}" for other in range(number - 1))]
    return written(Account(name, hashed) for name in names)


def _pushed_manifest(address: str) -> str:
    """Push a small image there; return its manifest's URL."""
    with httpx.Client(base_url=address, auth=(_USER.name, _USER.password), trust_env=False, timeout=60) as client:
        push(client, _REPOSITORY, "1", image("layer"))
    return f"{address}/v2/{_REPOSITORY}/manifests/1"


def _inside(stack: DeployedStack, scheme: str = "http") -> str:
    """The frontend's address on its own network: the engine's proxy on the published port is not measured."""
    return f"{scheme}://{address_of(stack.containers()['frontend'])}:5000"


def _registry_image(stack: DeployedStack) -> str:
    return docker("inspect", "--format", "{{.Config.Image}}", stack.containers()["registry"]).strip()
