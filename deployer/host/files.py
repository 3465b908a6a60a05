"""Writing files so that a killed process leaves the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import shlex
import stat
import tempfile
from pathlib import Path

from deployer.errors import HostError

# Modes of the files that deployer writes.
PRIVATE = 0o600
PUBLIC = 0o644

# Bytes: more than any configuration or certificate, and more than any list of users, and little enough to keep.
SMALL = 1 << 20
_LARGE = 64 << 20


def write_atomically(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place in one step, creating its folder if it is missing.

    Raises HostError with the system's own words, and for a device or pipe such as /dev/stdout: root would replace it.
    """
    if _is_special(path):
        raise HostError(f"{path} is not a regular file; nothing was written.", ("Give the path of a file.",))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise refusal(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        temporary.replace(path)
        remember(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise refusal(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def read_whole(path: Path, most: int = SMALL) -> bytes:
    """A file's content, of at most `most` bytes: what a user names may be a device that never ends.

    Raises OSError, with EFBIG for a larger one.
    """
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def read_if_there(path: Path) -> bytes | None:
    """A file's content, or None if there is no such file. Raises HostError if it may not be read."""
    try:
        return read_whole(path, _LARGE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise no_access(path, error) from error


def is_directory(path: Path) -> bool:
    """Whether a path is a directory that this user can see; what cannot be checked is none, whatever the reason."""
    try:
        return path.is_dir()
    except OSError:
        return False


def nearest_directory(path: Path) -> Path:
    """The path itself, or of what is above it the first directory that is there and that this user can see."""
    return next((place for place in (path, *path.parents) if is_directory(place)), Path("/"))


def remember(folder: Path) -> None:
    """Put a folder's names on the disk: only then does a file's new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refusal(path: Path, error: OSError) -> HostError:
    """What is said of a file that cannot be written, with a command that shows why."""
    return _refusal(path, error, "written", "write there")


def no_access(path: Path, error: OSError) -> HostError:
    """What is said of a file that cannot be read or checked, with a command that shows why."""
    return _refusal(path, error, "read", "read there")


def _refusal(path: Path, error: OSError, what: str, done: str) -> HostError:
    folder = nearest_directory(path.parent)
    place = shlex.quote(str(folder))
    advice = {
        errno.ENOSPC: f"df -h {place}   (its disk is full: free some space)",
        errno.EDQUOT: f"df -h {place}   (this user's quota is used up: free some space)",
        errno.EROFS: f"findmnt --target {place}   (its disk is mounted read-only)",
        errno.EACCES: f"ls -ld {place}   (shows who can {done})",
        errno.EPERM: f"ls -ld {place}   (shows who can {done})",
        errno.EISDIR: f"ls -l {shlex.quote(str(path))}   (this is a directory; a file is needed)",
        errno.ENOTDIR: f"ls -l {place}   (there is a file where a directory is needed)",
    }.get(error.errno or 0)
    return HostError(f"{path} cannot be {what}: {error.strerror}.", (advice,) if advice else ())
