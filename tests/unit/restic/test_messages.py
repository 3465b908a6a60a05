"""What restic complains of, as a sentence; it is seen in what restic 0.14 and 0.18 print."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.engine.messages.translation import translate
from deployer.errors import BackupError, EngineError, EngineUnavailable, NoBackups, WrongPassword
from deployer.restic.messages import in_words
from deployer.restic.target import Target

TARGET = Target("/mnt/my nas", Path("/mnt/my nas"))
SERVER = Target("s3:https://minio.example/bucket")
WHERE = "\nIs there a repository at the following location?\ns3:https://minio.example/bucket"

COMPLAINTS = {
    "Fatal: wrong password or no key found": "The password does not open the backups at /mnt/my nas.",
    "Fatal: config cannot be loaded: unsupported repository version": "were made by a newer version of restic.",
    "unable to create lock in backend: repository is already locked by PID 7": "are locked by another program",
    "write /backup/tmp: no space left on device": "There is no space left at /mnt/my nas.",
    "write /backup/data/aa: disk quota exceeded": "There is no space left at",
    "mkdir /backup/keys: read-only file system": "/mnt/my nas is mounted read-only.",
    "open /backup/data/00: stale NFS file handle": "The disk of /mnt/my nas is failing",
    "read /backup/data/00: input/output error": "The disk of /mnt/my nas is failing",
    "no summary\nstorage of the registry: grep: repositories/a/link: Input/output error": "The list of images in the",
    "lstat /backup/config: structure needs cleaning": "The disk of /mnt/my nas is failing",
    "open /backup/keys: permission denied": "Root in containers has no permission to read or write /mnt/my nas.",
    "load(<data/4c1b>): ciphertext verification failed": "The backups at /mnt/my nas are damaged.",
    "id 7c1b not found in repository": "are damaged.",
    "unable to load index 7c1b: unexpected EOF": "are damaged.",
    "config file has zero size, invalid repository?": "are damaged.",
}
OF_A_SERVER = {
    "dial tcp: lookup minio.example: no such host": "does not respond.",
    "dial tcp 10.0.0.1:443: connect: connection refused": "does not respond.",
    "dial tcp 10.0.0.1:443: i/o timeout": "does not respond.",
    "Stat: Access Denied.": "rejected the credentials.",
    "client.BucketExists: The Access Key Id you provided does not exist in our records.": "rejected the credentials.",
    "Stat: The request signature we calculated does not match the signature you provided. Check your key.": (
        "rejected the credentials."
    ),
    "server response unexpected: 401 Unauthorized (401)": "rejected the credentials.",
}


OVER_SSH = {
    "subprocess ssh: Host key verification failed.": (
        "The host key of {} is not known on this machine, or has changed.",
        "sftp -P 2222 ann@nas",
    ),
    "subprocess ssh: ann@nas: Permission denied (publickey).": ("{} rejected the SSH login.", "sftp -P 2222 ann@nas"),
    "ssh: Could not resolve hostname nas: Name or service not known": ("{} does not respond.", "Check the address"),
    "ssh: connect to host nas port 2222: Connection refused": ("{} does not respond.", "Check the address"),
    "ssh: connect to host nas port 2222: Connection timed out": ("{} does not respond.", "Check the address"),
    'exec: "ssh": executable file not found in $PATH': ("The image with restic has no SSH client.", "backup.image"),
    "create repository failed: permission denied": (
        "The SSH user has no permission to read or write {}.",
        "Choose another directory",
    ),
}


@pytest.mark.parametrize("printed", OVER_SSH)
def test_what_ssh_complains_of_says_how_a_user_logs_in(printed: str) -> None:
    target = Target.parse("sftp://ann@nas:2222//backups", Path())
    found = in_words(EngineError("failed", original=printed), target)
    sentence, advice = OVER_SSH[printed]
    assert str(found) == sentence.format("sftp://ann@nas:2222//backups")
    assert advice in found.advice[0]


@pytest.mark.parametrize("printed", COMPLAINTS)
def test_each_complaint_has_its_sentence_and_what_restic_printed(printed: str) -> None:
    found = in_words(EngineError("failed", original=printed), TARGET)
    assert type(found) in {BackupError, WrongPassword}
    assert COMPLAINTS[printed] in str(found)
    assert found.original == printed
    assert found.advice


@pytest.mark.parametrize("before", ["", "Fatal: unable to open config file: "])
@pytest.mark.parametrize("printed", OF_A_SERVER)
def test_a_server_that_cannot_be_asked_is_not_one_without_backups(printed: str, before: str) -> None:
    # Restic asks of every failure whether there is a repository; another one must not be begun there.
    found = in_words(EngineError("failed", original=before + printed + (WHERE if before else "")), SERVER)
    assert str(found) == f"{SERVER} {OF_A_SERVER[printed]}"
    assert not isinstance(found, NoBackups)


def test_a_disk_that_cannot_be_read_is_not_one_without_backups() -> None:
    printed = "Fatal: unable to open config file: stat /backup/config: permission denied" + WHERE
    assert not isinstance(in_words(EngineError("failed", original=printed), TARGET), NoBackups)


def test_an_unknown_failure_to_look_is_not_the_absence_of_backups() -> None:
    printed = "Fatal: unable to open config file: Stat: 500 Internal Server Error" + WHERE
    found = in_words(EngineError("failed", original=printed), SERVER)
    assert not isinstance(found, NoBackups)
    assert str(found) == f"Restic failed at {SERVER}."


@pytest.mark.parametrize(
    "printed",
    [
        "Fatal: unable to open config file: stat /backup/config: no such file or directory" + WHERE,
        "Fatal: unable to open config file: Stat: The specified key does not exist." + WHERE,
        "Fatal: unable to open config file: <config/> does not exist" + WHERE,
        "Fatal: unable to open config file: server response unexpected: 404 Not Found (404)" + WHERE,
        "Fatal: repository does not exist: unable to open config file: Stat: The specified bucket does not exist"
        + WHERE,
    ],
)
def test_no_backups_is_distinguished_from_every_failure(printed: str) -> None:
    found = in_words(EngineError("failed", original=printed), SERVER)
    assert isinstance(found, NoBackups)
    assert str(found) == f"There are no backups at {SERVER}."


def test_an_error_of_the_engine_stays_as_it_is() -> None:
    error = EngineUnavailable("Docker does not respond.")
    assert in_words(error, TARGET) is error


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ('Fatal: unable to open config file: client.Head: Head "foo/config": unsupported protocol scheme ""' + WHERE,
         "rest:foo is not a valid address."),
        ("Fatal: parsing repository location failed: s3: invalid format, host/region or bucket name not found",
         "rest:foo is not a valid address."),
        ('Fatal: unable to open config file: client.Head: Head "https://h/config": '
         "http: server gave HTTP response to HTTPS client" + WHERE, "rest:foo does not use TLS."),
        ("unknown flag: --no-lock\n\nUsage:\n  restic cat", "Restic failed at rest:foo."),
    ],
)  # fmt: skip
def test_what_restic_prints_is_never_taken_for_an_error_of_docker(printed: str, sentence: str) -> None:
    found = in_words(translate(printed), Target("rest:foo"))
    assert isinstance(found, BackupError)
    assert str(found) == sentence


def test_an_advice_can_be_pasted_whatever_the_directory_is_called() -> None:
    found = in_words(EngineError("failed", original="no space left on device"), TARGET)
    assert "deployer backup ANOTHER_DIRECTORY" in found.advice[0]
    braces = Target("/mnt/{0}", Path("/mnt/{0}"))
    assert "/mnt/{0}" in str(in_words(EngineError("failed", original="already locked"), braces))


@pytest.mark.parametrize("printed", [*COMPLAINTS, *OF_A_SERVER, "something new", f"unable to open config file{WHERE}"])
def test_the_password_of_a_server_is_in_no_sentence_and_no_advice(printed: str) -> None:
    target = Target("rest:https://ann:s3cr3t@nas.example/backups")
    found = in_words(EngineError("failed", original=printed), target)
    assert "s3cr3t" not in " ".join([str(found), found.message, *found.advice, str(target)])
