"""The errors of restic, each as a sentence with advice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import BackupError, EngineError, EngineUnavailable, NoBackups, WrongPassword
from deployer.restic import proxies

if TYPE_CHECKING:
    from deployer.registry.connection.proxy import Proxy
    from deployer.restic.target import Target


@dataclass(frozen=True)
class _Complaint:
    """An error of restic, or of a program that it runs; `{}` in the sentence and the advice is the target."""

    pattern: str
    sentence: str
    advice: tuple[str, ...] = ()
    kind: type[BackupError] = BackupError


# Restic's sources, 0.14 to 0.18: cmd/restic, internal/repository, internal/restic/lock.go.
_COMPLAINTS = (
    _Complaint(
        # What store-links.sh puts before the words of its own programs.
        "^storage of the registry: ",
        "The list of images in the registry's storage cannot be read.",
        ("deployer doctor   (shows what is wrong with the storage)",),
    ),
    _Complaint(
        "wrong password or no key found|an empty password is not a password",
        "The password does not open the backups at {}.",
        ("Use the password that `deployer backup` showed when it made the first backup there: --password-file FILE",),
        WrongPassword,
    ),
    _Complaint(
        "unsupported repository version|config.*version",
        "The backups at {} were made by a newer version of restic.",
        ("Set backup.image in deployer.yaml to a newer image of restic, then run the command again.",),
    ),
    _Complaint(
        "unsupported protocol scheme|parsing repository location failed|bucket name cannot|invalid bucket name",
        "{} is not a valid address.",
        ("Write s3:https://HOST/BUCKET, or rest:https://HOST/PATH/.",),
    ),
    _Complaint(
        "server gave http response to https client",
        "{} does not use TLS.",
        ("Check the port, or write http:// in the address if the server has no TLS.",),
    ),
    _Complaint(
        "already locked",
        "The backups at {} are locked by another program.",
        ("Wait until it is done, then run the command again.",),
    ),
    _Complaint(
        "no space left on device|disk quota exceeded",
        "There is no space left at {}.",
        # Restic needs room to remove old ones, too.
        ("Free some space there, or start new backups in another place: deployer backup ANOTHER_DIRECTORY",),
    ),
    _Complaint(
        "read-only file system",
        "{} is mounted read-only.",
        ("Mount it read-write, then run the command again.",),
    ),
    _Complaint(
        "stale (nfs )?file handle|input/output error|structure needs cleaning|transport endpoint",
        "The disk of {} is failing, or is no longer mounted.",
        ("Check that it is mounted, and look at the kernel log, for example with `dmesg`.",),
    ),
    _Complaint(
        "permission denied|operation not permitted",
        "Root in containers has no permission to read or write {}.",
        ("Give it permission; for an NFS disk, export it on the server with `no_root_squash`.",),
    ),
    _Complaint(
        "no such host|could not resolve hostname|connection (refused|timed out)|i/o timeout|no route to host|"
        "network is unreachable",
        "{} does not respond.",
        ("Check the address, and that this machine can reach it.",),
    ),
    _Complaint(
        "access denied|access key id|invalidaccesskeyid|request signature|signaturedoesnotmatch|"
        "403 forbidden|401 unauthorized",
        "{} rejected the credentials.",
        ("For S3, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for rest:, RESTIC_REST_USERNAME and _PASSWORD.",),
    ),
    _Complaint(
        "ciphertext verification failed|invalid data returned|does not match|not found in repository|"
        "unable to load index|load\\(<|unexpected EOF|wrong hash|invalid header|has zero size",
        "The backups at {} are damaged.",
        (
            "Start new backups at another target: deployer backup ANOTHER_DIRECTORY",
            "What is intact there can still be restored; restic's manual shows how to repair the rest.",
        ),
    ),
)
# Of `ssh`, which restic runs for a server that is reached over SSH; `{login}` is how a user logs in there.
_OVER_SSH = (
    _Complaint(
        "host key verification failed",
        "The host key of {} is not known on this machine, or has changed.",
        ("Log in once by hand, as the user who runs deployer, and compare the key's fingerprint: {login}",),
    ),
    _Complaint(
        r"permission denied \((publickey|password|keyboard|gssapi|hostbased)|too many authentication failures",
        "{} rejected the SSH login.",
        ("This must work without a prompt, as the user who runs deployer: {login}",),
    ),
    _Complaint(
        r'"ssh": executable file not found|ssh: not found',
        "The image with restic has no SSH client.",
        ("Set backup.image in deployer.yaml to an image that has `ssh`, such as restic's own.",),
    ),
    _Complaint(
        "permission denied|operation not permitted",
        "The SSH user has no permission to read or write {}.",
        ("Choose another directory, or change its permissions on the server.",),
    ),
)
# How restic's own lines begin, and those of what it runs. Docker's sentences may match words in them.
_OF_RESTIC = re.compile(
    r"^(?:Fatal: |subprocess |unknown (?:shorthand )?flag: |(?:List|Load|Save|Stat)\()", re.MULTILINE
)
# It asks "Is there a repository at the following location?" whenever it cannot look, too.
_NONE = re.compile(
    r"repository does not exist|unable to open config file: .*(no such file|does not exist|not found)", re.IGNORECASE
)


def in_words(error: EngineError, target: Target, proxy: Proxy | None = None) -> EngineError | BackupError:
    """The error for what was printed by a run in restic's container. One of the engine stays as it is.

    `proxy` is the one on the way to the target.
    """
    original = error.original or error.message
    if isinstance(error, EngineUnavailable) and not _OF_RESTIC.search(original):
        return error
    if proxy and (said := proxies.fault(original, proxy, target.written)):
        return said
    login = target.server.login if target.server else ""
    for one in (*(_OVER_SSH if target.server else ()), *_COMPLAINTS):
        if re.search(one.pattern, original, re.IGNORECASE | re.MULTILINE):
            advice = tuple(line.format(target.quoted, login=login) for line in one.advice)
            complaint: BackupError = one.kind(one.sentence.format(target), advice, original)
            return complaint
    if _NONE.search(original):
        return NoBackups(f"There are no backups at {target}.", (), original)
    return BackupError(
        f"Restic failed at {target}.", ("Check the cause shown here, then run the command again.",), original
    )
