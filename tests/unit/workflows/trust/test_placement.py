from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon.kind import EngineKind
from deployer.rendering import snippets
from deployer.tls import places as trust_places
from deployer.tls.places import ClientPaths, TrustTarget
from deployer.tls.system_store import Store
from deployer.workflows.trust import placement
from deployer.workflows.trust.engine_view import EngineLocation
from tests.support.certificates import make_ca, now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"
ROOT, OTHER = make_ca("deployer registry docs"), make_ca("Another")
HERE = EngineLocation("unix:///var/run/docker.sock", EngineKind.SYSTEM, daemon=None)


@dataclass
class World:
    """A machine in a folder; its system takes a CA over when the program for that runs."""

    root: Path
    runs: list[str] = field(default_factory=list)

    @property
    def client_paths(self) -> ClientPaths:
        environment = {"HOME": str(self.root / "home"), "PATH": str(self.root / "bin")}
        return ClientPaths(environment, self.root, is_root=True, platform="linux", run=self.run)

    @property
    def target(self) -> TrustTarget:
        return TrustTarget(self.client_paths, ADDRESS)

    @property
    def bundle(self) -> Path:
        return self.root / "etc/ssl/certs/ca-certificates.crt"

    @property
    def store(self) -> Store:
        return Store(
            self.root / "usr/local/share/ca-certificates/deployer-192.168.100.2-5000.crt", "update-ca-certificates"
        )

    def run(self, command: Sequence[str]) -> None:
        self.runs.append(command[0])
        found = sorted(self.store.file.parent.glob("*.crt"))
        self.bundle.write_bytes(b"".join(path.read_bytes() for path in found))

    def install(self, *programs: str) -> None:
        for program in programs:
            (self.root / "bin" / program).touch(mode=0o755)

    def file(self, tool: str, name: str = "ca.crt") -> Path:
        return self.root / "etc" / tool / "certs.d" / ADDRESS / name

    def plan(self, pem: bytes = ROOT.pem, *, system: bool = False, held: bool = False) -> placement.PlacementPlan:
        places = placement.places(self.target, HERE)
        return placement.plan(ADDRESS, pem, places, self.store if system else None, held=held)

    def put(self, pem: bytes = ROOT.pem, *, system: bool = False) -> placement.PlacementPlan:
        return placement.apply(self.plan(pem, system=system), self.client_paths, now())

    def plan_removal(self) -> placement.PlacementPlan:
        return placement.plan_removal(self.target, HERE)

    def remove(self) -> placement.PlacementPlan:
        return placement.apply(self.plan_removal(), self.client_paths, now())

    def files(self) -> set[str]:
        found = (path for top in ("etc", "home", "usr") for path in (self.root / top).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)) for path in found}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(trust_places, "_PROGRAM_FOLDERS", "/nowhere")
    made = World(tmp_path)
    for folder in ("bin", "etc/ssl/certs", "usr/local/share/ca-certificates"):
        (tmp_path / folder).mkdir(parents=True)
    made.bundle.touch()
    made.install("docker", "update-ca-certificates")
    return made


def test_docker_alone(world: World) -> None:
    before = world.files()
    old = os.umask(0o077)
    try:
        done = world.put()
    finally:
        os.umask(old)
    assert [(item.client, item.change) for item in done.items] == [("Docker", "add")]
    assert world.file("docker").read_bytes() == ROOT.pem
    assert world.file("docker").stat().st_mode & 0o777 == 0o644
    assert world.file("docker").parent.stat().st_mode & 0o777 == 0o755
    assert not world.plan().is_needed
    assert world.remove().is_needed
    assert world.files() == before
    assert not world.file("docker").parent.exists()
    assert not world.plan_removal().is_needed


def test_every_tool_that_is_here(world: World) -> None:
    world.install("podman", "nerdctl")
    world.put()
    for tool in ("docker", "containers", "containerd"):
        assert world.file(tool).read_bytes() == ROOT.pem
    assert world.file("containerd", "hosts.toml").read_bytes() == snippets.containerd_hosts(ADDRESS)
    assert not world.plan().is_needed
    world.remove()
    assert world.files() == {"etc/ssl/certs/ca-certificates.crt"}


def test_podman_without_docker(world: World) -> None:
    (world.root / "bin/docker").unlink()
    world.install("podman")
    assert [item.client for item in world.put().items] == ["podman"]
    # With nothing at all here, Docker is meant, to come later.
    (world.root / "bin/podman").unlink()
    assert [item.client for item in world.plan().items] == ["Docker"]


def test_another_ca_is_kept_beside(world: World) -> None:
    world.put(OTHER.pem)
    [item] = world.plan().items
    assert item.before is not None
    assert (item.change, item.before.fingerprint) == ("replace", OTHER.fingerprint)
    [item] = world.put().items
    assert item.backup is not None
    assert item.backup.read_bytes() == OTHER.pem
    # Docker reads *.crt, *.cert and *.key.
    assert item.backup.suffix not in {".crt", ".cert", ".key"}
    assert world.file("docker").read_bytes() == ROOT.pem
    assert placement.left_beside(world.remove()) == (item.backup,)
    assert not world.file("docker").exists()


def test_a_file_that_is_no_certificate_is_kept_beside_too(world: World) -> None:
    world.file("docker").parent.mkdir(parents=True)
    world.file("docker").write_bytes(b"x")
    assert world.plan().items[0].before is None
    [item] = world.put().items
    assert item.backup is not None
    assert item.backup.read_bytes() == b"x"


def test_a_link_is_replaced_and_not_what_it_leads_to(world: World) -> None:
    company = world.root / "company.pem"
    company.write_bytes(OTHER.pem)
    world.file("docker").parent.mkdir(parents=True)
    world.file("docker").symlink_to(company)
    [item] = world.put().items
    assert item.backup is not None
    assert item.backup.parent == world.file("docker").parent
    assert company.read_bytes() == OTHER.pem
    assert world.file("docker").read_bytes() == ROOT.pem
    world.file("docker").unlink()
    world.file("docker").symlink_to(company)
    world.remove()
    assert company.read_bytes() == OTHER.pem
    assert not world.file("docker").is_symlink()


def test_files_of_the_users_own_stay(world: World) -> None:
    world.install("nerdctl")
    world.put()
    own = world.file("docker", "client.cert")
    own.write_bytes(b"mine")
    hosts = world.file("containerd", "hosts.toml")
    hosts.write_text("# mine")
    removed = world.remove()
    assert placement.left_beside(removed) == (own,)
    assert [warning for warning in removed.warnings if str(hosts) in warning]
    assert hosts.read_text() == "# mine"
    # What the user's own file may name stays with it.
    assert world.file("containerd").exists()
    drafted = world.plan(OTHER.pem)
    assert [item.client for item in drafted.items] == ["Docker"]
    assert "was not created by deployer and is kept" in drafted.warnings[0]


def _everywhere(world: World) -> list[Path]:
    home = world.root / "home"
    return [
        world.file("docker"),
        world.file("containers"),
        *(home / name / "certs.d" / ADDRESS / "ca.crt" for name in (".docker", ".config/docker", ".config/containers")),
    ]


@pytest.mark.parametrize("content", [OTHER.pem, b"not a certificate", ROOT.pem + OTHER.pem])
def test_what_deployer_may_not_have_installed_is_kept_beside(world: World, content: bytes) -> None:
    world.install("nerdctl")
    places = [*_everywhere(world), world.file("containerd")]
    for path in places:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert all(item.keeps_backup for item in world.plan_removal().changes)
    removed = world.remove()
    assert not any(path.exists() for path in places)
    assert placement.left_beside(removed) == ()
    backups = [item.backup for item in removed.items if item.backup is not None]
    assert sorted(path.parent for path in backups) == sorted(path.parent for path in places)
    for path in backups:
        assert path.read_bytes() == content
        # Docker and podman read *.crt, *.cert and *.key.
        assert path.suffix not in {".crt", ".cert", ".key"}
    assert not world.plan_removal().is_needed


def test_the_systems_file_has_deployers_name_and_goes_without_a_backup(world: World) -> None:
    world.put(OTHER.pem, system=True)
    removed = world.remove()
    assert {item.client: item.backup is not None for item in removed.items} == {"the system": False, "Docker": True}
    # Where all files of the folder are read, a backup would be trusted.
    assert list(world.store.file.parent.iterdir()) == []


def test_removing_finds_every_place(world: World) -> None:
    places = _everywhere(world)
    for path in places:
        path.parent.mkdir(parents=True)
        path.write_bytes(ROOT.pem)
    other = world.root / "etc/docker/certs.d/other:5000/ca.crt"
    other.parent.mkdir()
    other.write_bytes(ROOT.pem)
    assert len(placement.installed(world.target, HERE)) == 5
    world.remove()
    assert not any(path.exists() for path in places)
    assert other.exists()


def test_what_a_killed_run_left_goes_too(world: World) -> None:
    world.put()
    world.file("docker", ".ca.crt.k2j3h4").write_bytes(b"half")
    world.remove()
    assert not world.file("docker").parent.exists()


def test_the_system_takes_it_over_and_forgets(world: World) -> None:
    world.put(system=True)
    assert world.runs == ["update-ca-certificates"]
    assert ROOT.pem in world.bundle.read_bytes()
    assert not world.plan(system=True, held=True).is_needed
    assert [one.path for one in placement.installed(world.target, HERE)] == [
        world.file("docker"),
        world.store.file,
    ]
    world.remove()
    assert world.runs == ["update-ca-certificates"] * 2
    assert world.files() == {"etc/ssl/certs/ca-certificates.crt"}
    assert world.bundle.read_bytes() == b""


def test_killed_before_the_system_took_it_over(world: World) -> None:
    def killed(command: Sequence[str]) -> None:
        raise KeyboardInterrupt

    client_paths = ClientPaths(world.client_paths.environment, world.root, is_root=True, platform="linux", run=killed)
    with pytest.raises(KeyboardInterrupt):
        placement.apply(world.plan(system=True), client_paths, now())
    assert world.plan(system=True, held=False).is_needed
    world.put(system=True)
    assert ROOT.pem in world.bundle.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        placement.apply(world.plan_removal(), client_paths, now())
    assert world.plan_removal().is_needed
    world.remove()
    assert world.bundle.read_bytes() == b""
    assert world.files() == {"etc/ssl/certs/ca-certificates.crt"}


@pytest.mark.parametrize("stop", range(4))
def test_killed_between_two_files_the_next_run_finishes(
    world: World, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.install("podman", "nerdctl")
    carried_out, left = placement._carried_out, iter(range(stop))

    def until_killed(item: placement.Item, at: object) -> placement.Item:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return carried_out(item, now())

    for deed, again in ((world.put, world.plan), (world.remove, world.plan_removal)):
        left = iter(range(stop))
        with monkeypatch.context() as patch:
            patch.setattr(placement, "_carried_out", until_killed)
            with pytest.raises(KeyboardInterrupt):
                deed()
        hosts = world.file("containerd", "hosts.toml")
        assert not hosts.exists() or world.file("containerd").exists()
        deed()
        assert not again().is_needed


def test_without_permission_nothing_is_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install("podman")
    before = world.files()
    denied = world.file("containers").parent.parent.parent
    denied.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: path != denied)
    with pytest.raises(daemon_file.NoPermission, match=r"ca\.crt cannot be changed: Permission denied"):
        world.put()
    assert world.files() == before


def test_rootless_and_desktop(world: World) -> None:
    for engine, folder in (
        (EngineLocation("unix:///run/user/7/docker.sock", EngineKind.ROOTLESS, daemon=None), ".config/docker"),
        (EngineLocation("unix:///home/me/.docker/x.sock", EngineKind.DESKTOP, daemon=None), ".docker"),
    ):
        [place] = placement.places(world.target, engine).found
        assert place.file == world.root / "home" / folder / "certs.d" / ADDRESS / "ca.crt"


def test_an_engine_elsewhere(world: World) -> None:
    engine = EngineLocation("ssh://me@there", EngineKind.SYSTEM, daemon=None)
    with pytest.raises(HostError, match="on another machine"):
        placement.places(world.target, engine)
    world.install("skopeo")
    places = placement.places(world.target, engine)
    assert [place.client for place in places.found] == ["podman"]
    assert "ssh://me@there" in places.warnings[0]


def test_docker_desktop_seen_from_wsl(world: World) -> None:
    environment = {**world.client_paths.environment, "WSL_DISTRO_NAME": "Debian"}
    engine = EngineLocation("unix:///var/run/docker.sock", EngineKind.DESKTOP, daemon=None)
    with pytest.raises(HostError, match="on the Windows side"):
        placement.places(TrustTarget(replace(world.client_paths, environment=environment), ADDRESS), engine)
