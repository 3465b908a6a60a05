"""The commands for users, without an engine: what they change, ask, refuse and say."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from deployer.cli.main import main
from deployer.host import passwords
from deployer.paths import Deployment
from deployer.settings.values import account
from deployer.settings.values.checks import ACTIONS
from deployer.workflows.deployment import access
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.users import in_force

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "correct horse battery staple"
OTHER = "Tr0mbone-quartz-lamp"
HASH = "$2b$10$" + "a" * 53

RULES = """\
access:
  - {users: [admin], allow: [pull, push, delete]}
  - {users: [bob, ann], repositories: ["team/*", centos], allow: [pull]}
"""


@dataclass
class Shell:
    """The command line in its own folder; what `apply` found is remembered."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    running: bool = True
    applied: list[tuple[str, ...]] = field(default_factory=list)
    out: str = ""
    err: str = ""

    @property
    def deployment(self) -> Deployment:
        return Deployment.of("registry", {"XDG_DATA_HOME": str(self.folder / "data")})

    @property
    def users(self) -> dict[str, str]:
        return {one.name: one.hash for one in access.accounts_of(self.deployment)}

    def apply(self, stack: Any) -> bool:
        self.applied.append(tuple(one.name for one in access.accounts_of(stack.deployment)))
        stack.deployment.reload_pending_file.unlink(missing_ok=True)
        return self.running

    def run(self, *words: str, stdin: bytes = b"") -> int:
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        code = main(list(words))
        self.out, self.err = self.capture.readouterr()
        return code

    def add(self, name: str, *words: str, password: str = GOOD) -> int:
        return self.run("user", "add", name, "--cost", "10", "--password-stdin", *words, stdin=f"{password}\n".encode())

    def keep(self, *names: str) -> None:
        """Let there be users, without the work of hashing."""
        self.deployment.directory.mkdir(parents=True, exist_ok=True)
        self.deployment.users_file.write_bytes(account.written(account.Account(name, HASH) for name in names))
        self.deployment.users_file.chmod(0o600)

    def configure(self, text: str) -> None:
        (self.folder / "deployer.yaml").write_text(text)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(tmp_path, capsys, monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, folder in (
        ("HOME", "."),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("DOCKER_CONFIG", "d"),
    ):
        monkeypatch.setenv(name, str(tmp_path / folder))

    def no_process(*words: Any, **_: Any) -> None:
        raise AssertionError(f"a process was started: {words}")

    monkeypatch.setattr(in_force, "apply", made.apply)
    monkeypatch.setattr(subprocess, "Popen", no_process)
    monkeypatch.setattr(Stack, "containers", lambda _: ())
    return made


def test_the_first_user_before_the_first_up(shell: Shell) -> None:
    shell.running = False
    assert shell.add("admin") == 0
    assert shell.out == "Added user admin. Permissions: full access (pull, push, delete)\n"
    assert shell.err.splitlines() == [
        "The change takes effect when the registry is started: deployer up",
        "From now on everyone has to log in: docker login localhost:5000",
    ]
    assert passwords.matches(GOOD, shell.users["admin"])
    assert shell.deployment.users_file.stat().st_mode & 0o777 == 0o600


def test_a_running_registry_takes_the_next_one_over(shell: Shell) -> None:
    shell.keep("admin")
    shell.configure(RULES)
    assert shell.add("bob") == 0
    assert shell.out == "Added user bob. Permissions: pull: team/*, centos\n"
    assert shell.err.splitlines() == [
        "Applied to the running registry; nothing was restarted.",
    ]
    assert shell.applied == [("admin", "bob")]
    assert shell.add("zed") == 0
    assert shell.out == "Added user zed. Permissions: none\n"


def test_the_advices_name_the_deployment(shell: Shell) -> None:
    shell.running = False
    assert shell.add("bob", "--name", "team", "--port", "5077") == 0
    assert "The change takes effect when the registry is started: deployer up --name team --port 5077" in shell.err
    assert shell.add("bob", "--name", "team") == 1
    assert "→ For a new password: deployer user password --name team bob" in shell.err
    assert not shell.deployment.directory.exists()


@pytest.mark.parametrize(
    ("stdin", "kept"),
    [
        (GOOD.encode(), GOOD),
        (f"{GOOD}\r\n".encode(), GOOD),
        (f"{GOOD}\n\n".encode(), GOOD),
        ("é!k X9vR2#\n".encode(), "é!k X9vR2#"),
    ],
)
def test_standard_input_is_the_password(shell: Shell, stdin: bytes, kept: str) -> None:
    assert shell.run("user", "add", "bob", "--cost", "10", "--password-stdin", stdin=stdin) == 0
    assert passwords.matches(kept, shell.users["bob"])


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"", "The password is empty."),
        (b"\n\n", "The password is empty."),
        (b"\nsecond\n", "more than one line"),
        (b"kX9vR2-kX9\nsecond", "more than one line"),
        (b"kX9vR2-kX9\rsecond\n", "more than one line"),
        (b" kX9vR2-kX9-wq\n", "starts or ends with a space"),
        ("kX9vR2-kX9-wq\u00a0".encode(), "starts or ends with a space"),
        (b"\xff\xfe secret\n", "The password is not UTF-8 text."),
        (b"kX9" * 25, "has 75 bytes"),
        (b"kX9" * 2000, "has more than 4096 bytes"),
        (b"bob12345\n", "too easy to guess"),
        (b"a\x07b\n", "control character"),
    ],
)
def test_a_password_that_does_not_serve_is_refused_and_not_shown(shell: Shell, stdin: bytes, words: str) -> None:
    assert shell.run("user", "add", "bob", "--password-stdin", stdin=stdin) == 1
    assert words in shell.err
    assert "Traceback" not in shell.err
    assert not any(piece and piece in shell.out + shell.err for piece in ("kX9", "bob1", "secret", "second"))
    assert not shell.deployment.directory.exists()


def test_a_weak_password_can_be_forced_and_an_empty_one_not(shell: Shell) -> None:
    assert shell.add("bob", "--force", "--cost", "4", password="bob") == 0
    assert account.Account("bob", shell.users["bob"]).cost == 4
    assert shell.add("ann", "--force", password="") == 1


def test_blanks_at_the_ends_can_be_forced(shell: Shell) -> None:
    assert shell.add("bob", "--force", password=f" {GOOD} ") == 0
    assert passwords.matches(f" {GOOD} ", shell.users["bob"])


@pytest.mark.parametrize("words", [("add", "bob"), ("password", "admin")])
def test_without_a_terminal_a_password_is_not_asked_for(shell: Shell, words: tuple[str, ...]) -> None:
    shell.keep("admin")
    assert shell.run("user", *words, stdin=f"{GOOD}\n{GOOD}\n".encode()) == 1
    assert "there is no terminal" in shell.err
    assert "--password-stdin" in shell.err
    assert shell.users == {"admin": HASH}


@pytest.mark.parametrize("words", [("add", "bob"), ("password", "admin")])
def test_no_password_is_taken_as_an_argument(shell: Shell, words: tuple[str, ...]) -> None:
    shell.keep("admin")
    assert shell.run("user", *words, "--password", GOOD) == 2
    assert shell.run("user", *words, GOOD) == 2
    assert shell.users == {"admin": HASH}


def test_a_forced_cost_that_takes_long_is_said_before(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def hashed(_: str, cost: int) -> str:
        asked.append(cost)
        return HASH

    monkeypatch.setattr(passwords, "hashed", hashed)
    assert shell.add("bob", "--cost", "20", "--force") == 0
    assert asked == [20]
    assert "Hashing is slow at this cost" in shell.err
    assert shell.add("ann") == 0
    assert "takes long" not in shell.err


def test_closed_standard_input_is_an_empty_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, said in ((["--password-stdin"], "is empty"), ([], "no terminal")):
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["user", "add", "bob", *words]) == 1
        assert said in shell.capture.readouterr().err


def test_wrong_names_and_costs_are_exit_2(shell: Shell) -> None:
    assert shell.add("a b") == 2
    assert "Error: 'a b' is not a valid user name" in shell.err
    assert shell.add("bob", "--cost", "31") == 2
    assert shell.add("bob", "--cost", "5") == 2
    assert "Add --force" in shell.err
    assert not shell.deployment.directory.exists()


@pytest.mark.parametrize("words", [("add", "bob", "--password-stdin"), ("import", "x.htpasswd")])
def test_login_over_an_unencrypted_network_is_refused_unless_that_is_written(
    shell: Shell, words: tuple[str, ...]
) -> None:
    (shell.folder / "x.htpasswd").write_text(f"bob:{HASH}\n")
    stdin = f"{GOOD}\n".encode()
    assert shell.run("user", *words, "--host", "registry.example", stdin=stdin) == 2
    assert "there is no TLS" in shell.err
    assert not shell.deployment.directory.exists()
    shell.configure("tls: off\n")
    assert shell.run("user", *words, "--host", "registry.example", stdin=stdin) == 0
    shell.configure("tls: internal\n")
    shell.deployment.users_file.unlink()
    assert shell.run("user", *words, "--host", "registry.example", stdin=stdin) == 0


def test_another_password(shell: Shell) -> None:
    shell.keep("ann", "bob")
    assert shell.run("user", "password", "bob", "--cost", "10", "--password-stdin", stdin=OTHER.encode()) == 0
    assert shell.out == "Changed the password for bob.\n"
    assert passwords.matches(OTHER, shell.users["bob"])
    assert shell.users["ann"] == HASH
    assert shell.run("user", "password", "bop", "--password-stdin", stdin=OTHER.encode()) == 1
    assert "Did you mean bob?" in shell.err


def test_removing_a_user_says_what_goes_and_asks(shell: Shell) -> None:
    shell.keep("admin", "bob")
    shell.configure(RULES)
    assert shell.run("user", "remove", "bob") == 1
    assert "Current permissions of bob: pull: team/*, centos" in shell.err
    assert "Remove user bob from localhost:5000? Cannot prompt: there is no terminal." in shell.err
    assert set(shell.users) == {"admin", "bob"}
    assert shell.run("user", "remove", "bob", "--yes") == 0
    assert shell.out == "Removed user bob.\n"
    assert f"access[1] in {shell.folder / 'deployer.yaml'} still names bob; remove the name" in shell.err
    assert shell.applied == [("admin",)]
    assert shell.run("user", "remove", "bob", "--yes") == 1
    assert "No such user: 'bob'." in shell.err


def test_the_last_user_is_removed_only_with_open(shell: Shell) -> None:
    shell.keep("bob")
    assert shell.run("user", "remove", "bob", "--yes") == 1
    assert "open to everyone" in shell.err
    assert "deployer user remove bob --open" in shell.err
    assert shell.run("user", "remove", "bob", "--open") == 1
    asked = "Remove user bob from localhost:5000 and open it to everyone?"
    assert f"{asked} Cannot prompt: there is no terminal" in shell.err
    assert set(shell.users) == {"bob"}
    assert shell.run("user", "remove", "bob", "--open", "--yes") == 0
    assert "bob is the last user. Anyone who can reach localhost:5000 can then pull, push and delete." in shell.err
    assert shell.applied == [()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "zed"), "Would add user zed. Permissions: none"),
        (("password", "bob"), "Would change the password for bob."),
        (("remove", "bob"), "Would remove user bob."),
        (("import", "x.htpasswd"), "Would add: carl"),
    ],
)
def test_a_dry_run_changes_and_asks_nothing(shell: Shell, words: tuple[str, ...], said: str) -> None:
    shell.keep("admin", "bob")
    shell.configure(RULES)
    (shell.folder / "x.htpasswd").write_text(f"carl:{HASH}\n")
    before = shell.deployment.users_file.stat().st_mtime_ns
    assert shell.run("user", *words, "--dry-run") == 0
    assert said in shell.out + shell.err
    assert "Dry run: nothing was changed." in shell.err
    assert shell.deployment.users_file.stat().st_mtime_ns == before
    assert shell.applied == []
    assert [path.name for path in shell.deployment.directory.iterdir()] == ["users"]


def test_a_dry_run_refuses_what_the_command_would_refuse(shell: Shell) -> None:
    shell.keep("bob")
    assert shell.run("user", "add", "bob", "--dry-run") == 1
    assert shell.run("user", "add", "ann", "--cost", "40", "--dry-run") == 2
    assert shell.run("user", "password", "ann", "--dry-run") == 1
    assert shell.run("user", "remove", "bob", "--dry-run") == 1


def test_the_list(shell: Shell) -> None:
    shell.keep("bob", "admin")
    shell.configure(RULES)
    assert shell.run("user", "list") == 0
    assert shell.out.splitlines() == [
        "NAME   COST  PERMISSIONS",
        "admin  10    full access (pull, push, delete)",
        "bob    10    pull: team/*, centos",
    ]
    assert shell.err == "Warning: A rule under `access` names ann, but there is no such user.\n"
    assert shell.run("user", "list", "--json") == 0
    assert json.loads(shell.out) == {
        "sign_in": True,
        "users": [
            {"name": "admin", "cost": 10, "may": {"pull": ["*"], "push": ["*"], "delete": ["*"]}},
            {"name": "bob", "cost": 10, "may": {"pull": ["team/*", "centos"], "push": [], "delete": []}},
        ],
        "anonymous": {"may": {action: [] for action in ACTIONS}},
    }
    assert HASH not in shell.out


def test_other_rules_than_those_in_effect_are_told(shell: Shell) -> None:
    shell.keep("bob", "ann")
    grants = shell.deployment.directory / "frontend" / "access" / "grants"
    grants.parent.mkdir(parents=True)
    grants.write_text('"~^(?:bob) (?:pull) (?:.*)$" yes\n')
    for words in (("list",), ("add", "carl", "--dry-run"), ("remove", "bob", "--dry-run"), ("remove", "bob", "--yes")):
        assert shell.run("user", *words) == 0
        assert "as if there were no rules, but the running registry has rules. No deployer.yaml was found" in shell.err
    shell.configure("access: []\n")
    assert shell.add("carl") == 0
    assert f"shown according to {shell.folder / 'deployer.yaml'}; the running registry uses other rules" in shell.err
    grants.write_text("")
    assert shell.run("user", "list") == 0
    assert shell.err == ""


def test_the_list_of_none_says_that_there_is_no_login(shell: Shell) -> None:
    assert shell.run("user", "list") == 0
    assert shell.out == ""
    assert "no login is required. Anyone who can reach localhost:5000 can pull, push and delete." in shell.err
    assert shell.run("user", "list", "--json") == 0
    assert json.loads(shell.out) == {
        "sign_in": False,
        "users": [],
        "anonymous": {"may": {action: ["*"] for action in ACTIONS}},
    }
    assert not shell.deployment.directory.exists()


@pytest.mark.parametrize("words", [("list",), ("remove", "bob"), ("password", "bob")])
def test_a_deployments_name_that_is_mistyped_is_told(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.run("user", *words, "--name", "nobodys") == 1
    assert "No deployment named 'nobodys' on this machine." in shell.err


def test_a_damaged_file_is_named_with_its_line(shell: Shell) -> None:
    shell.keep("bob")
    with shell.deployment.users_file.open("a") as stream:
        stream.write("my secret\n")
    for words in (("list",), ("remove", "bob", "--yes"), ("add", "ann", "--password-stdin")):
        assert shell.run("user", *words, stdin=GOOD.encode()) == 1
        assert f"{shell.deployment.users_file} is damaged: line 2: not in the form NAME:HASH." in shell.err
        assert "my secret" not in shell.err


def test_an_import(shell: Shell) -> None:
    shell.keep("ann")
    weak = HASH.replace("$10$", "$05$")
    (shell.folder / "x.htpasswd").write_text(f"ann:{HASH}\nbob:{weak}\ncarl:$apr1$a$b\n")
    assert shell.run("user", "import", "x.htpasswd") == 1
    assert "  line 3: the password of 'carl' is stored as an Apache MD5 hash; only bcrypt is supported\n" in shell.err
    assert set(shell.users) == {"ann"}
    assert shell.run("user", "import", "x.htpasswd", "--skip") == 0
    assert shell.out == "Imported 1 user.\n"
    assert shell.err.splitlines()[:4] == [
        "Add: bob",
        "Keep unchanged: ann",
        "Warning: Line 3 skipped: the password of 'carl' is stored as an Apache MD5 hash; only bcrypt is supported.",
        "Warning: The hash of bob has cost 5: anyone who reads it can guess passwords quickly.",
    ]
    assert shell.users == {"ann": HASH, "bob": weak}
    assert shell.applied == [("ann", "bob")]


def test_an_import_over_users_that_are_there(shell: Shell) -> None:
    shell.keep("ann")
    other = HASH.replace("a" * 53, "b" * 53)
    (shell.folder / "x.htpasswd").write_text(f"ann:{other}\nbob:{other}\n")
    assert shell.run("user", "import", "x.htpasswd") == 1
    assert "  ann\n" in shell.err
    assert "--replace" in shell.err
    assert shell.run("user", "import", "x.htpasswd", "--replace", "--json") == 0
    assert json.loads(shell.out) == {
        "added": ["bob"],
        "replaced": ["ann"],
        "unchanged": [],
        "skipped": [],
        "dry_run": False,
        "running": True,
    }
    assert shell.users == {"ann": other, "bob": other}


def test_an_import_of_no_file(shell: Shell) -> None:
    assert shell.run("user", "import", "none") == 1
    assert f"No such file: {shell.folder / 'none'}." in shell.err
    assert shell.run("user", "import", ".") == 1
    assert "cannot be read: Is a directory" in shell.err


def test_two_commands_do_not_change_the_users_at_once(shell: Shell) -> None:
    from deployer.host.lock import exclusive

    with exclusive(shell.deployment.lock_file, "user add"):
        assert shell.add("bob") == 1
    assert "`deployer user add` (process" in shell.err
    assert shell.users == {}


_KILLED = """
import os, signal, sys
from pathlib import Path
from deployer.cli.main import main
from deployer.workflows.deployment import access
from deployer.workflows.users import in_force
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
{patch}
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("patch", "kept"),
    [
        ("in_force.apply = die", {"admin", "bob"}),
        ("Path.replace = lambda path, to: die() if to.name == 'users' else os.replace(path, to)", {"admin"}),
    ],
)
def test_killed_in_the_middle_the_next_command_finishes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, patch: str, kept: set[str]
) -> None:
    shell.keep("admin")
    no_engine = os.environ["DOCKER_HOST"]
    monkeypatch.undo()
    monkeypatch.setenv("DOCKER_HOST", no_engine)
    words = ["user", "add", "bob", "--cost", "10", "--password-stdin"]
    program = _KILLED.format(patch=patch)
    environment = {**os.environ, "XDG_DATA_HOME": str(shell.folder / "data"), "HOME": str(shell.folder)}
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        input=GOOD.encode(), env=environment, cwd=shell.folder, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert GOOD.encode() not in done.stdout + done.stderr
    assert set(shell.users) == kept
    assert shell.deployment.reload_pending_file.exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in shell.deployment.directory.glob("*users*"))
    monkeypatch.setenv("XDG_DATA_HOME", str(shell.folder / "data"))
    monkeypatch.setenv("HOME", str(shell.folder))
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(in_force, "apply", shell.apply)
    assert shell.run("user", "remove", "nobody", "--yes") == 1
    assert "was interrupted. Check whether it took effect, and repeat it if not" in shell.err
    assert set(shell.applied[0]) == kept


def test_no_bug_shows_the_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(passwords, "hashed", broken)
    assert shell.add("bob") == 3
    assert GOOD not in shell.out + shell.err


# pull-secret


def secret_of(text: str) -> dict[str, Any]:
    made = yaml.safe_load(text)
    return {**made["metadata"], **json.loads(base64.b64decode(made["data"][".dockerconfigjson"]))}


def test_a_pull_secret_for_a_user_that_is_kept_here(shell: Shell) -> None:
    shell.configure("host: registry.example\ntls: internal\n")
    assert shell.add("ci") == 0
    words = ("pull-secret", "ci", "--password-stdin")
    assert shell.run(*words, stdin=GOOD.encode()) == 0
    packed = base64.b64encode(f"ci:{GOOD}".encode()).decode()
    assert secret_of(shell.out) == {
        "name": "registry-registry.example",
        "auths": {"registry.example:5000": {"username": "ci", "password": GOOD, "auth": packed}},
    }
    assert GOOD not in shell.out + shell.err
    assert shell.run(*words, "--secret-name", "pull", "--namespace", "team", stdin=GOOD.encode()) == 0
    assert {"name": "pull", "namespace": "team"}.items() <= secret_of(shell.out).items()


def test_a_pull_secret_is_written_for_its_owner_alone(shell: Shell) -> None:
    shell.add("ci")
    words = ("pull-secret", "ci", "--password-stdin", "--output", "s.yaml")
    assert shell.run(*words, "--secret-name", "old", stdin=GOOD.encode()) == 0
    (shell.folder / "s.yaml").chmod(0o644)
    assert shell.run(*words, stdin=GOOD.encode()) == 0
    assert shell.out == ""
    assert "Only this machine can reach localhost:5000" in shell.err
    assert "kubectl apply -f s.yaml" in shell.err
    assert (shell.folder / "s.yaml").stat().st_mode & 0o777 == 0o600
    assert secret_of((shell.folder / "s.yaml").read_text())["name"] == "registry-localhost"


@pytest.mark.parametrize("options", [("ci",), ("ci", "--port", "5001")], ids=["a user's file", "another Secret"])
def test_a_pull_secret_replaces_only_one_for_the_same_user_and_address(shell: Shell, options: tuple[str, ...]) -> None:
    shell.add("ci")
    file = shell.folder / "s.yaml"
    before = "replicas: 3\n"
    if "--port" in options:
        assert shell.run("pull-secret", "ci", "--password-stdin", "-o", "s.yaml", stdin=GOOD.encode()) == 0
        before = file.read_text()
    file.write_text(before)
    assert shell.run("pull-secret", *options, "--password-stdin", "-o", "s.yaml", stdin=GOOD.encode()) == 2
    assert "s.yaml already exists, and is not a Secret of ci for localhost:500" in shell.err
    assert file.read_text() == before


def test_a_pull_secret_takes_one_line_too(shell: Shell) -> None:
    shell.add("ci")
    assert shell.run("pull-secret", "ci", "--password-stdin", stdin=f"{GOOD}\nrest\n".encode()) == 1
    assert "more than one line" in shell.err
    assert shell.out == ""


@pytest.mark.parametrize("password", [OTHER, "", "kX9" * 30])
def test_a_wrong_password_makes_no_pull_secret(shell: Shell, password: str) -> None:
    shell.add("ci")
    assert shell.run("pull-secret", "ci", "--password-stdin", "--output", "s.yaml", stdin=password.encode()) == 1
    assert "Wrong password for 'ci'." in shell.err
    assert not password or password not in shell.err
    assert not (shell.folder / "s.yaml").exists()


def test_a_pull_secret_of_an_unknown_user_is_refused_before_asking(shell: Shell) -> None:
    shell.keep("cluster")
    assert shell.run("pull-secret", "clutser") == 1
    assert "Did you mean cluster?" in shell.err


def test_a_pull_secret_asks_a_registry_elsewhere(shell: Shell) -> None:
    words = ("pull-secret", "ci", "--password-stdin", "--host", "127.0.0.1", "--port", "1")
    assert shell.run(*words, stdin=GOOD.encode()) == 1
    assert "127.0.0.1:1" in shell.err
    assert shell.out == ""
    assert GOOD not in shell.err
