"""Proxies between restic and a server: which one, and its faults, which are not the server's."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.engine.messages.translation import translate
from deployer.errors import BackupError, ConfigurationError, EngineError
from deployer.restic.messages import in_words
from deployer.restic.target import Target
from tests.support.backups import restic

PLAIN = Target("rest:http://ann:s3cret@nas.example.test/")
SECURE = Target("s3:minio.example/bucket")
PROXIES = {"HTTP_PROXY": "http://eve:pa55@127.0.0.1:9", "https_proxy": "127.0.0.2:3128", "NO_PROXY": "quiet.example"}
BEFORE = 'Fatal: unable to open config file: client.Head: Head "http://nas.example.test/config": '

FAULTS = {
    "proxyconnect tcp: dial tcp 127.0.0.1:9: connect: connection refused": (
        "Nothing responds at the proxy 127.0.0.1:9 (HTTP_PROXY).",
        "Correct HTTP_PROXY, or start the proxy.",
    ),
    "proxyconnect tcp: dial tcp 127.0.0.1:9: i/o timeout": (
        "Nothing responds at the proxy 127.0.0.1:9 (HTTP_PROXY).",
        "Correct HTTP_PROXY, or start the proxy.",
    ),
    "socks connect tcp 127.0.0.1:9->nas.example.test:80: dial tcp 127.0.0.1:9: connect: connection refused": (
        "Nothing responds at the proxy 127.0.0.1:9 (HTTP_PROXY).",
        "Correct HTTP_PROXY, or start the proxy.",
    ),
    "socks connect tcp 127.0.0.1:9->nas.example.test:80: unknown error host unreachable": (
        "The proxy 127.0.0.1:9 (HTTP_PROXY) could not connect to nas.example.test:80.",
        "Correct HTTP_PROXY, or start the proxy.",
    ),
    "proxyconnect tcp: tls: first record does not look like a TLS handshake": (
        "The proxy 127.0.0.1:9 (HTTP_PROXY) could not connect to nas.example.test:80.",
        "Correct HTTP_PROXY, or start the proxy.",
    ),
    "server response unexpected: 407 Proxy Authentication Required (407)": (
        "The proxy 127.0.0.1:9 (HTTP_PROXY) rejected the user name and the password in HTTP_PROXY.",
        "Correct them: HTTP_PROXY=http://USER:PASSWORD@127.0.0.1:9",
    ),
}


def told(target: Target, printed: str, environment: dict[str, str]) -> EngineError | BackupError:
    return in_words(EngineError("failed", original=printed), target, target.proxy(environment))


@pytest.mark.parametrize("printed", FAULTS)
def test_a_fault_of_the_proxy_is_not_told_as_one_of_the_server(printed: str) -> None:
    found = told(PLAIN, BEFORE + printed, PROXIES)
    sentence, advice = FAULTS[printed]
    assert type(found) is BackupError
    assert (str(found), found.advice[0]) == (sentence, advice)
    assert "pa55" not in repr(found)
    assert "s3cret" not in repr(found)


def test_the_proxy_of_the_servers_scheme_is_named_and_how_to_go_around_it() -> None:
    found = told(SECURE, "proxyconnect tcp: dial tcp 127.0.0.2:3128: connect: connection refused", PROXIES)
    assert str(found) == "Nothing responds at the proxy 127.0.0.2:3128 (https_proxy)."
    assert found.advice[1].endswith('export NO_PROXY="$NO_PROXY,minio.example"')
    refused = told(SECURE, 'Fatal: Stat: Head "https://minio.example/bucket/": Forbidden', PROXIES)
    assert str(refused) == "The proxy 127.0.0.2:3128 (https_proxy) could not connect to minio.example:443."


@pytest.mark.parametrize(
    "target", [PLAIN, SECURE, Target("rest:http://quiet.example/"), Target("sftp:ann@nas:/b"), Target("/b", Path("/b"))]
)
def test_without_a_proxy_the_server_does_not_respond(target: Target) -> None:
    environment = PROXIES if target not in {PLAIN, SECURE} else {}
    assert target.proxy(environment) is None
    assert str(told(target, "dial tcp 10.0.0.1:80: connect: connection refused", environment)).endswith(
        "does not respond."
    )


def test_a_server_behind_a_proxy_that_works_is_told_as_it_is() -> None:
    found = told(PLAIN, f"{BEFORE}server response unexpected: 401 Unauthorized (401)", PROXIES)
    assert "rejected the credentials" in str(found)


@pytest.mark.parametrize("value", ["nonsense://x", "http://eve:pa55@", "socks4://h:1"])
def test_an_unusable_proxy_is_refused_before_restic_runs(value: str) -> None:
    with pytest.raises(ConfigurationError, match="The variable HTTPS_PROXY is not a usable proxy") as caught:
        SECURE.check_login({"HTTPS_PROXY": value})
    assert "pa55" not in repr(caught.value)
    # It is not for this server, or restic does not get the variable.
    PLAIN.check_login({"HTTPS_PROXY": value})
    SECURE.check_login({"HTTPS_PROXY": value, "no_proxy": "minio.example"})
    Target("/b", Path("/b")).check_login({"HTTPS_PROXY": value})


def test_restics_own_run_knows_its_proxy() -> None:
    repository, _ = restic(PLAIN, cat=BEFORE + next(iter(FAULTS)))
    repository.open("password", PROXIES)
    with pytest.raises(BackupError, match=r"Nothing responds at the proxy 127\.0\.0\.1:9"):
        repository.look()


def test_dockers_translation_keeps_what_restic_printed() -> None:
    found = in_words(translate(BEFORE + next(iter(FAULTS))), PLAIN, PLAIN.proxy(PROXIES))
    assert str(found) == "Nothing responds at the proxy 127.0.0.1:9 (HTTP_PROXY)."
