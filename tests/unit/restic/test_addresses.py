"""The addresses of S3 and REST servers: what restic understands as it is meant, and what is refused beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.errors import UsageError
from deployer.restic.target import Target

KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
LOGIN = {"RESTIC_REST_USERNAME": "ann", "RESTIC_REST_PASSWORD": "secret"}


@pytest.mark.parametrize(
    "written",
    [
        "s3:https://minio.example/bucket",
        "s3:https://minio.example:9000/bucket/folder/",
        "s3:http://localhost:9000/restic",
        "s3:http://minio/bucket",
        "s3:http://[::1]:9000/bucket",
        "s3:s3.amazonaws.com/my.bucket",
        "s3:s3.eu-central-1.amazonaws.com/bucket/a%20c",
        "s3://s3.amazonaws.com/bucket",
        "s3:minio:9000/bucket",
        "s3:localhost/bucket",
        "rest:http://10.0.0.1:8000/",
        "rest:https://host",
        "rest:https://ann:p%40ss@host:8000/registry/",
    ],
)
def test_restic_s_own_forms_are_taken(written: str) -> None:
    assert str(Target.parse(written, Path("/"))).startswith(written[:5])


@pytest.mark.parametrize(
    ("written", "said", "advice"),
    [
        ("s3://bucket", "names no server: 'bucket' is in", "s3:https://s3.amazonaws.com/bucket"),
        ("s3://bucket/", "names no server", "s3:https://s3.amazonaws.com/bucket"),
        ("s3:bucket", "names no server", "s3:https://HOST/bucket"),
        ("s3://bucket/team/registry", "names no server", "s3:https://s3.amazonaws.com/bucket/team/registry"),
        ("s3:bucket/team", "names no server", "For a server of that name: s3:https://bucket/team"),
        ("s3:https://minio.example", "names no bucket", "Use s3:https://minio.example/BUCKET."),
        ("s3:http://minio.example:9000/", "names no bucket", "Use s3:http://minio.example:9000/BUCKET."),
        ("s3:https://minio.example//bucket", "names no bucket", "Use s3:https://minio.example/BUCKET."),
        ("s3://bucket.s3.amazonaws.com", "names no bucket", "Use s3:https://bucket.s3.amazonaws.com/BUCKET."),
        ("s3:https://minio.example/ab", "'ab' in .* is not a valid name of a bucket", "3 to 63"),
        ("s3:https://minio.example/a..b", "not a valid name of a bucket", "3 to 63"),
        ("s3:https://minio.example/192.168.0.1", "not a valid name of a bucket", "3 to 63"),
        ("s3:", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:///bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:ftp://host/bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:HTTPS://host/bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:https:/host/bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:httpd.example/bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:https://host:99999/bucket", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:https://host/bucket?region=x", "not a valid backup target", "Use s3:https://HOST/BUCKET."),
        ("s3:https://id:hidden@host/bucket", "'s3:https://…@host' is not", "AWS_ACCESS_KEY_ID"),
        ("s3:id:hidden@host/bucket", "'s3:…@host' is not", "AWS_SECRET_ACCESS_KEY"),
        ("rest:host:8000/registry", "does not say whether", "Use rest:https://host:8000/registry, or without TLS"),
        ("rest://host/registry/", "does not say whether", "rest:http://host/registry/."),
        ("rest:host", "does not say whether", "Use rest:https://host/"),
        ("rest:", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:https://", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:ftp://host/x", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:http+unix:///run/rest.socket:/x/", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:https://host:0/x", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:https://host/x?y=1", "not a valid backup target", "Use rest:https://HOST/PATH/."),
        ("rest:https://ann:hid den@host/x", "not a valid backup target", "RESTIC_REST_USERNAME"),
    ],
)
def test_what_restic_takes_for_something_else_is_refused_with_the_right_form(
    written: str, said: str, advice: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Target.parse(written, Path("/"))
    assert any(advice in line for line in caught.value.advice), caught.value.advice
    assert "hidden" not in f"{caught.value}{caught.value.advice}"


@pytest.mark.parametrize(
    "written",
    ["s3:https://s3.amazonaws.com/bucket/team", "s3:https://HOST/bucket/team", "rest:https://host:8000/registry"],
)
def test_the_forms_that_are_advised_are_taken(written: str) -> None:
    assert Target.parse(written, Path("/")).directory is None


@pytest.mark.parametrize(
    ("written", "environment", "missing"),
    [
        ("s3:https://h/bucket", {"AWS_ACCESS_KEY_ID": "id"}, "AWS_SECRET_ACCESS_KEY is not"),
        ("s3:https://h/bucket", {**KEYS, "AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID is not"),
        ("rest:https://h/", {"RESTIC_REST_USERNAME": "ann"}, "RESTIC_REST_PASSWORD is not"),
        ("rest:https://h/", {"RESTIC_REST_PASSWORD": "secret"}, "RESTIC_REST_USERNAME is not"),
    ],
)
def test_half_a_login_is_refused(written: str, environment: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        Target.parse(written, Path("/")).check_login(environment)


@pytest.mark.parametrize(
    ("written", "environment"),
    [
        ("s3:https://h/bucket", KEYS),
        ("s3:https://h/bucket", {"RESTIC_REST_USERNAME": "ann"}),
        # A machine at Amazon has its login from there.
        ("s3:https://h/bucket", {}),
        ("rest:https://h/", LOGIN),
        ("rest:https://ann:x@h/", {"RESTIC_REST_USERNAME": "ann"}),
        ("/mnt/nas", {"AWS_ACCESS_KEY_ID": "id"}),
        ("sftp:ann@h:/x", {"AWS_ACCESS_KEY_ID": "id"}),
    ],
)
def test_a_whole_login_or_none_is_taken(written: str, environment: dict[str, str]) -> None:
    Target.parse(written, Path("/")).check_login(environment)
