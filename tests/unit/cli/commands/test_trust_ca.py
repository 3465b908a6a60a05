from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.main import main
from deployer.cli.output import Output
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon import process
from deployer.host.daemon.kind import EngineKind
from deployer.layout import CA_PATH
from deployer.tls import places
from deployer.tls.places import ClientPaths
from deployer.tls.probe import Peer
from deployer.workflows.trust import client, placement
from deployer.workflows.trust.client import ClientMachine
from deployer.workflows.trust.engine_view import EngineView
from tests.support.certificates import Server, certificate, make_ca, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# No program asks this address: the registry of the test answers in its place.
HOST = "192.168.100.2"
ADDRESS = f"{HOST}:5000"
ROOT, OTHER = make_ca("deployer registry docs"), make_ca("Another")


@dataclass
class Shell:
    """The command line of a machine in a folder, with a registry that presents a certificate of its own CA."""

    folder: Path
    server: Server
    capture: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    @property
    def file(self) -> Path:
        return self.folder / "root/etc/docker/certs.d" / ADDRESS / "ca.crt"

    def run(self, *words: str) -> int:
        code = main(["configure-daemon", "--host", HOST, "--file", "daemon.json", *words])
        self.out, self.err = self.capture.readouterr()
        return code

    def json(self, *words: str) -> dict[str, Any]:
        assert self.run("--json", *words) == 0, self.err
        return dict(json.loads(self.out))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path / "config", "PATH": tmp_path / "bin"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr(places, "_PROGRAM_FOLDERS", "/nowhere")
    monkeypatch.setattr(process, "validate", lambda machine, daemon, content: False)
    silent = EngineView(None, lambda: (_ for _ in ()).throw(AssertionError("asked")), "No Docker engine answers.")
    monkeypatch.setattr(client, "view_of", lambda engine: silent)
    monkeypatch.setattr(client, "ClientPaths", lambda environment: ClientPaths(environment, tmp_path / "root"))
    (tmp_path / "root").mkdir()
    made = certificate("127.0.0.1", signer=ROOT)
    with serving(tmp_path / "server", made, {CA_PATH: ROOT.pem}) as server:
        monkeypatch.setattr(ClientMachine, "registry", lambda self, settings: Peer("127.0.0.1", server.port))
        yield Shell(tmp_path, server, capsys)


def test_the_ca_is_shown_and_asked_about(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.run() == 1
    assert "CN=deployer registry docs" in shell.out
    assert f"SHA-256: {ROOT.fingerprint}" in shell.out
    assert f"Docker: {shell.file}   (new)" in shell.out
    assert "Cannot prompt: there is no terminal" in shell.err
    assert not shell.file.exists()
    asked: list[str] = []
    monkeypatch.setattr(Output, "confirm", lambda self, question, **_: asked.append(question))
    assert shell.run() == 0
    assert asked == [f"Trust this CA for {ADDRESS}?"]
    assert shell.file.read_bytes() == ROOT.pem
    assert f"{ADDRESS} is trusted." in shell.out
    assert "`deployer status" in shell.err
    assert shell.run() == 0
    assert f"{ADDRESS} is already trusted; nothing to do." in shell.out
    assert len(asked) == 1


def test_yes_without_a_fingerprint_is_warned_of(shell: Shell) -> None:
    assert shell.run("--yes") == 0
    assert "The fingerprint was not compared" in shell.err


def test_a_fingerprint_asks_nothing(shell: Shell) -> None:
    assert shell.run("--fingerprint", ROOT.fingerprint.lower().replace(":", "")) == 0
    assert shell.file.read_bytes() == ROOT.pem
    assert shell.err == ""
    assert shell.run("--fingerprint", OTHER.fingerprint) == 1
    assert OTHER.fingerprint in shell.err
    assert shell.run("--fingerprint", "abc") == 2
    assert "not a SHA-256 fingerprint" in shell.err


def test_a_fingerprint_is_compared_where_the_system_trusts_the_certificate_too(shell: Shell) -> None:
    bundle = shell.folder / "root/etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(ROOT.pem)
    assert shell.run("--fingerprint", OTHER.fingerprint) == 1
    assert f"you specified {OTHER.fingerprint}. Nothing was installed." in shell.err
    assert not shell.file.exists()
    assert shell.run("--fingerprint", ROOT.fingerprint) == 0
    assert "that this system already trusts; its CA:" in shell.out
    assert shell.file.read_bytes() == ROOT.pem


def test_a_replaced_ca_is_asked_about(shell: Shell) -> None:
    shell.file.parent.mkdir(parents=True)
    shell.file.write_bytes(OTHER.pem)
    assert shell.run() == 1
    assert OTHER.fingerprint in shell.out
    assert ROOT.fingerprint in shell.out
    assert shell.file.read_bytes() == OTHER.pem
    assert shell.run("--yes") == 0
    assert "Backup: " in shell.out
    assert shell.file.read_bytes() == ROOT.pem


def test_a_ca_known_to_one_tool_goes_to_others_but_replaces_nothing_unasked(shell: Shell) -> None:
    podmans = shell.folder / "root/etc/containers/certs.d" / ADDRESS / "ca.crt"
    podmans.parent.mkdir(parents=True)
    podmans.write_bytes(ROOT.pem)
    shell.file.parent.mkdir(parents=True)
    shell.file.write_bytes(OTHER.pem)
    assert shell.run() == 1
    assert shell.file.read_bytes() == OTHER.pem
    shell.file.unlink()
    assert shell.run() == 0
    assert shell.file.read_bytes() == ROOT.pem


def test_a_file_with_the_ca(shell: Shell) -> None:
    shell.server.files.clear()
    assert shell.run("--yes") == 1
    assert "does not provide its CA certificate" in shell.err
    assert "--ca FILE" in shell.err
    (shell.folder / "mine.pem").write_bytes(ROOT.pem)
    assert shell.run("--ca", "mine.pem") == 1
    assert shell.run("--ca", "mine.pem", "--yes") == 0
    assert shell.file.read_bytes() == ROOT.pem


def test_a_dry_run_changes_nothing(shell: Shell) -> None:
    before = sorted(shell.folder.rglob("*"))
    assert shell.run("--dry-run") == 0
    assert f"Docker: {shell.file}   (new)" in shell.out
    assert shell.json("--dry-run")["changed"] is False
    assert sorted(shell.folder.rglob("*")) == before


def test_json(shell: Shell) -> None:
    found = shell.json("--fingerprint", ROOT.fingerprint)
    facts = found.pop("authority")
    assert (facts["subject"], facts["sha256"]) == ("CN=deployer registry docs", ROOT.fingerprint)
    assert found == {
        "address": ADDRESS,
        "needed": True,
        "action": "add",
        "way": "authority",
        "source": "registry",
        "compared": True,
        "places": [
            {
                "client": "Docker",
                "file": str(shell.file),
                "change": "add",
                "subject_before": None,
                "sha256_before": None,
                "backup": None,
                "remark": None,
            }
        ],
        "warnings": [],
        "dry_run": False,
        "changed": True,
        "insecure": None,
    }
    assert shell.json()["changed"] is False
    removed = shell.json("--remove")
    assert (removed["action"], removed["changed"]) == ("remove", True)
    assert shell.json("--remove")["changed"] is False


def test_an_entry_that_would_let_docker_not_verify_goes(shell: Shell) -> None:
    (shell.folder / "daemon.json").write_text(f'{{"insecure-registries": ["{ADDRESS}", "other:1"]}}')
    assert shell.run("--yes") == 0
    assert "turns off verification of the registry" in shell.err
    assert json.loads((shell.folder / "daemon.json").read_text()) == {"insecure-registries": ["other:1"]}


def test_what_keeps_docker_from_verifying_is_warned_of(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        """An engine that takes the registry unverified, whose file cannot be edited here."""

        version, kind, endpoint = "28.5.2", EngineKind.SYSTEM, "unix:///srv/docker.sock"
        hosts, cidrs = (ADDRESS,), ()

    monkeypatch.setattr(client, "view_of", lambda engine: EngineView(Elsewhere(), Elsewhere))
    (shell.folder / "daemon.json").write_text("{,}")
    assert shell.run("--yes") == 0
    assert f"Docker does not verify {ADDRESS}: " in shell.err
    monkeypatch.setattr(Elsewhere, "hosts", ())
    monkeypatch.setattr(Elsewhere, "cidrs", ("192.168.0.0/16",))
    assert shell.run() == 0
    assert "contains a network that includes it" in shell.err


def test_removing_undoes_both(shell: Shell) -> None:
    assert shell.run("--yes") == 0
    (shell.folder / "daemon.json").write_text(f'{{"insecure-registries": ["{ADDRESS}"]}}')
    assert shell.run("--remove", "--dry-run") == 0
    assert f"Docker: {shell.file}   (removed)" in shell.out
    assert shell.file.exists()
    assert shell.run("--remove") == 0
    assert not shell.file.parent.exists()
    assert json.loads((shell.folder / "daemon.json").read_text()) == {"insecure-registries": []}


def test_a_ca_that_deployer_may_not_have_installed_is_shown_and_kept(shell: Shell) -> None:
    shell.file.parent.mkdir(parents=True)
    shell.file.write_bytes(OTHER.pem)
    shown = f"  CN=Another, SHA-256 {OTHER.fingerprint}; a backup is kept, as deployer may not have installed it."
    assert shell.run("--remove", "--dry-run") == 0
    assert shown in shell.out.splitlines()
    assert shell.file.read_bytes() == OTHER.pem
    assert shell.run("--remove") == 0
    assert shown in shell.out.splitlines()
    [backup] = shell.file.parent.iterdir()
    assert backup.read_bytes() == OTHER.pem
    assert f"Backup: {backup}" in shell.out
    assert "Kept" not in shell.err
    shell.file.write_bytes(OTHER.pem)
    [place] = shell.json("--remove")["places"]
    assert (place["subject_before"], place["sha256_before"]) == ("CN=Another", OTHER.fingerprint)
    assert place["backup"] == str(backup)


def test_the_registrys_own_ca_is_shown_and_goes(shell: Shell) -> None:
    assert shell.run("--yes") == 0
    assert shell.run("--remove") == 0
    assert f"  CN=deployer registry docs, SHA-256 {ROOT.fingerprint}" in shell.out.splitlines()
    assert not shell.file.parent.exists()


def test_a_registry_on_this_machine(shell: Shell) -> None:
    here = ("--host", "localhost")
    assert shell.run(*here) == 0
    assert "needs no entry" in shell.out
    assert shell.server.asked == []
    # For podman, curl and browsers, where that is wanted.
    assert shell.run(*here, "--fingerprint", ROOT.fingerprint) == 0
    file = shell.folder / "root/etc/docker/certs.d/localhost:5000/ca.crt"
    assert file.exists()
    assert shell.run(*here, "--remove") == 0
    assert not file.exists()


def test_tls_that_the_settings_rule_out(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("--system",), ("--ca", "x"), ("--fingerprint", ROOT.fingerprint)):
        assert shell.run("--insecure", *words) == 2
        assert "--insecure means that" in shell.err
    monkeypatch.setenv("DEPLOYER_TLS", "off")
    assert shell.run("--system") == 2
    assert "tls: off in the settings means" in shell.err
    assert shell.run() == 0
    assert shell.server.asked == []
    assert ADDRESS in (shell.folder / "daemon.json").read_text()


def test_a_system_whose_way_is_not_known(shell: Shell) -> None:
    assert shell.run("--system", "--yes") == 1
    assert "update-ca-certificates" in shell.err
    assert not shell.file.exists()


def test_without_permission_the_sudo_command_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(plan: object) -> None:
        raise daemon_file.NoPermission("It cannot be changed: Permission denied.")

    monkeypatch.setattr(placement, "require_permission", refuse)
    (shell.folder / "mine.pem").write_bytes(ROOT.pem)
    assert shell.run("--ca", "mine.pem", "--fingerprint", ROOT.fingerprint, "--yes") == 1
    line = next(line for line in shell.err.splitlines() if "sudo" in line)
    words = shlex.split(line.removeprefix("  → "))
    assert words[words.index("--ca") :] == [
        *("--ca", f"{shell.folder}/mine.pem", "--fingerprint", ROOT.fingerprint),
        *("--file", f"{shell.folder}/daemon.json", "--yes"),
    ]


def test_what_answers_otherwise_afterwards_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = placement.apply

    def end(*given: Any) -> placement.PlacementPlan:
        monkeypatch.setattr(ClientMachine, "registry", lambda self, settings: Peer("127.0.0.1", 1))
        return apply(*given)

    monkeypatch.setattr(placement, "apply", end)
    assert shell.run("--yes") == 1
    assert "cannot be verified with it" in shell.err
