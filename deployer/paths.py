"""Where a deployment's files lie on this machine."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError
from deployer.layout import GATE_FOLDER, UPKEEP_STATE

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Deployment:
    """One deployment's folder, `$XDG_DATA_HOME/deployer/NAME`, and the files in it."""

    name: str
    directory: Path

    @classmethod
    def of(cls, name: str, environment: Mapping[str, str]) -> Deployment:
        """The deployment of that name, whether it exists or not. Raises ConfigurationError as `data_home` does."""
        return cls(name, data_home(environment) / name)

    @classmethod
    def known(cls, name: str, environment: Mapping[str, str]) -> Deployment | None:
        """The same; None if there is none for this user: without a home folder, or in one closed to them."""
        folder = _known_data_home(environment)
        found = cls(name, folder / name) if folder else None
        return None if found is None or found.is_closed else found

    @property
    def compose_file(self) -> Path:
        """The rendered Compose file."""
        return self.directory / "compose.yaml"

    @property
    def override_file(self) -> Path:
        """The user's own additions: created once with a comment, never rewritten."""
        return self.directory / "compose.override.yaml"

    @property
    def lock_file(self) -> Path:
        """Held by the one command that changes the deployment or its storage."""
        return self.directory / ".lock"

    @property
    def gate_directory(self) -> Path:
        """Holds files while writes are paused."""
        return self.directory / GATE_FOLDER

    @property
    def upkeep_state_file(self) -> Path:
        """What the page shows of the commands that ran and of the backups."""
        return self.directory / UPKEEP_STATE

    @property
    def record_file(self) -> Path:
        """Where `up` keeps the address that it brought the deployment up with."""
        return self.directory / "address.json"

    @property
    def owned_file(self) -> Path:
        """Where `up` keeps what it made and what it found; the last file that `down --volumes` removes."""
        return self.directory / "owned.json"

    @property
    def users_file(self) -> Path:
        """The users and the hashes of their passwords; mode 0600."""
        return self.directory / "users"

    @property
    def backup_password_file(self) -> Path:
        """The password of this deployment's backups; mode 0600. `down --volumes` keeps it."""
        return self.directory / "backup-password"

    @property
    def backups_file(self) -> Path:
        """Where backups went, and when the last one was made."""
        return self.directory / "backups.json"

    @property
    def drills_directory(self) -> Path:
        """Beside the deployments: the copies that drills of its backups start, and their results."""
        return self.directory.parent / ".drills" / self.name

    @property
    def drill_results_file(self) -> Path:
        """What drills found. Not in the deployment's own directory: a drill needs no deployment, and changes none."""
        return self.drills_directory / "results.json"

    @property
    def check_file(self) -> Path:
        """When the content was last checked, and what was damaged."""
        return self.directory / "check.json"

    @property
    def reading_log_file(self) -> Path:
        """What a full check has read and found whole so far; the next one goes on if it was interrupted."""
        return self.directory / ".checked"

    @property
    def runs_directory(self) -> Path:
        """The records and logs of scheduled runs."""
        return self.directory / "runs"

    @property
    def schedule_file(self) -> Path:
        """What `up` installed of the schedule, and since when."""
        return self.directory / "schedule.json"

    @property
    def restore_pending_file(self) -> Path:
        """There while a deployment is being restored; a new `restore` goes on."""
        return self.directory / ".restoring"

    @property
    def ca_file(self) -> Path:
        """The certificate of Caddy's own CA, which clients are to trust; it is no secret."""
        return self.directory / "ca.crt"

    @property
    def reload_pending_file(self) -> Path:
        """There while a running frontend may not have read the newest users; names the command that changed them."""
        return self.directory / ".unread"

    @property
    def apply_pending_file(self) -> Path:
        """Exists until `up` has applied the users, rules and certificates."""
        return self.directory / ".unfinished"

    @property
    def start_pending_file(self) -> Path:
        """There while `up` starts services; names them, one a line, as their post_start hooks may not have run."""
        return self.directory / ".unstarted"

    @property
    def release_file(self) -> Path:
        """The images that the deployment runs, by ID, and the format of this folder."""
        return self.directory / "release.json"

    @property
    def previous_folder(self) -> Path:
        """What ran before the last upgrade: its images' IDs and its rendered files; mode 0700."""
        return self.directory / "previous"

    @property
    def undo_folder(self) -> Path:
        """The same while an upgrade runs: what it goes back to if it fails."""
        return self.directory / "undo"

    @property
    def upgrade_pending_file(self) -> Path:
        """There while an upgrade changes the services; names the command."""
        return self.directory / ".upgrading"

    @property
    def is_there(self) -> bool:
        """Whether `up` has written its files."""
        return self.compose_file.is_file()

    @property
    def is_begun(self) -> bool:
        """Whether there are files of it: of an `up`, of a `down` that did not finish, or of users added before."""
        # A partially removed one still has the record of the rest.
        return self.is_there or self.owned_file.exists() or self.users_file.exists()

    @property
    def is_closed(self) -> bool:
        """Whether this user may not even see which files it has."""
        try:
            self.compose_file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return False

    @property
    def secrets_file(self) -> Path:
        """Values that stay the same for the life of the deployment and are secret; mode 0600."""
        return self.directory / "secrets"


def config_home(environment: Mapping[str, str]) -> Path:
    """$XDG_CONFIG_HOME, or its default. Raises ConfigurationError if the home folder is not known."""
    return known_config_home(environment) or home(environment)


def known_config_home(environment: Mapping[str, str]) -> Path | None:
    """$XDG_CONFIG_HOME, or its default; None if the home folder is not known."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config")


def data_home(environment: Mapping[str, str]) -> Path:
    """The folder with one folder for each deployment. Raises ConfigurationError if the home folder is not known."""
    return _known_data_home(environment) or home(environment)


def deployment_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the deployments on this machine."""
    try:
        folders = sorted(data_home(environment).iterdir())
    except OSError:
        return ()
    found = (Deployment(folder.name, folder) for folder in folders)
    return tuple(one.name for one in found if not one.is_closed and one.is_there)


def user_home(environment: Mapping[str, str]) -> Path | None:
    """The user's own folder: $HOME, or what the system has for this user; None if neither is known."""
    return Path(environment["HOME"]) if environment.get("HOME") else _home_of_user()


def _home_of_user() -> Path | None:
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        # A container or a batch job may run as a number that no user has.
        return None


def home(environment: Mapping[str, str]) -> Path:
    """The user's own folder. Raises ConfigurationError if it is not known."""
    found = user_home(environment)
    if found is None:
        raise ConfigurationError(
            f"The user with UID {os.getuid()} has no home directory: HOME is not set, and the system has no entry "
            "for the user.",
            ("Set it to a directory that you can write to: export HOME=/path/to/directory",),
        )
    return found


def docker_folder(environment: Mapping[str, str]) -> Path:
    """Where the Docker client has its configuration: $DOCKER_CONFIG, or .docker in the home folder.

    Without a home folder it takes the folder that it runs in (docker/cli, cli/config/config.go).
    """
    directory = environment.get("DOCKER_CONFIG")
    return Path(directory) if directory else (user_home(environment) or Path()) / ".docker"


def _known_data_home(environment: Mapping[str, str]) -> Path | None:
    folder = _xdg(environment, "XDG_DATA_HOME", ".local/share")
    return folder / "deployer" if folder else None


def _xdg(environment: Mapping[str, str], variable: str, fallback: str) -> Path | None:
    # XDG Base Directory Specification: a relative path in these variables is to be ignored. One in HOME would be
    # another place for each folder that a command runs in.
    value = environment.get(variable, "")
    if value.startswith("/"):
        return _clean(value)
    home = environment.get("HOME", "")
    own = Path(home) if home.startswith("/") else _home_of_user()
    return _clean(str(own / fallback)) if own else None


def _clean(path: str) -> Path:
    """An absolute path in the form that Compose gives it in its labels (Go, path/filepath.Clean)."""
    # POSIX lets two slashes at the beginning mean something of their own, and normpath keeps them.
    return Path(f"/{os.path.normpath(path).lstrip('/')}")
