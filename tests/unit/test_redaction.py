"""What is reported of other programs and of files holds no secret, in whatever form they print it."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from deployer.cli import main
from deployer.cli.output import Output
from deployer.engine.messages.translation import translate
from deployer.errors import ConfigurationError, HostError, UnsetVariables
from deployer.paths import Deployment
from deployer.redaction import without_secrets
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis import client_findings
from deployer.workflows.diagnosis.examined import Examined
from deployer.workflows.finding import Finding
from tests.support.fake_engine import FakeEngine

SECRET = "Zebra-9-kq"
LEAKS = [
    f'{{"ServerURL":"localhost:5000","Username":"u3","Secret":"{SECRET}"}}',
    f'{{"auths": {{"localhost:5000": {{"auth": "{SECRET}"}}}}}}',
    f'{{"identitytoken" : "{SECRET}", "x": 1}}',
    f'{{"Secret":"{SECRET}',
    f"{{'password': '{SECRET}'}}",
    json.dumps({"msg": json.dumps({"Password": SECRET})}),
    f'invalid proxy address "http://ann:{SECRET}%zz@proxy:3128": invalid URL escape',
    f'parse "http://ann:{SECRET}/x@proxy:3128": invalid port',
    f"proxyconnect tcp: dial tcp https://{SECRET}@proxy:443",
    f'unable to parse docker host "tcp://ann:{SECRET}@b:%zz"',
    f'parse "ssh://ann:{SECRET}@host": invalid',
    f"> Authorization: Basic {SECRET}Zm9v==",
    f"Authorization: Bearer {SECRET}.e30.x-y",
    f"ann:$2y$10${SECRET}........................................",
    f"ann:$apr1$aa${SECRET}",
    f"https://store.example/blob?X-Amz-Signature={SECRET}&x=1",
    f"GET http://token.example/?token={SECRET}",
    f"The password is {SECRET}",
    f"passphrase: {SECRET}\nmore",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"""failed to set custom headers: missing "=" in key=value pair: 'X: a {SECRET}'""",
    f"error getting credentials - err: exit status 1, out: `{SECRET}`",
    f"error storing credentials - err: exit status 1, out: `two lines\n{SECRET}`",
    (
        "invalid interpolation format for services.registry.environment.REGISTRY_STORAGE_S3_SECRETKEY.\n"
        f"You may need to escape any $ with another $.\n{SECRET}${{9!"
    ),
]
HARMLESS = [
    (
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://localhost:5000/token?scope=repository%3Aa%3Apull: 401 Unauthorized"
    ),
    "unauthorized: incorrect username or password",
    "no basic auth credentials",
    "Basic authentication is wanted: no password was sent.",
    'Get "https://localhost:5000/v2/": x509: certificate signed by unknown authority',
    "docker compose -f oci://localhost:5000/app@sha256:abcd up",
    "error during connect: Get ssh://ann@host: dial",
    "unable to open repository at sftp://ann@host:2222//backups: EOF",
    'parse "ssh://%zz": invalid URL escape "%zz"',
    "The variable HTTPS_PROXY is not a usable proxy",
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_is_hidden(text: str) -> None:
    assert SECRET not in without_secrets(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_a_sentence_about_passwords_stays() -> None:
    for sentence in ("The password is empty.", "secret: unknown setting", "The password: none"):
        assert HostError(sentence).message == sentence


def test_a_sentence_that_quotes_an_address_has_no_password_in_it() -> None:
    quoted = f"'http://ann:{SECRET}@host' is not valid."
    error = ConfigurationError(quoted, problems=(quoted,))
    assert SECRET not in error.message + error.problems[0]


@pytest.mark.parametrize("text", LEAKS)
def test_no_error_and_no_finding_has_it(text: str) -> None:
    errors = (
        HostError("It failed.", original=text),
        UnsetVariables(("X",), text),
        translate(text),
        translate(text, address="localhost:5000"),
    )
    for error in errors:
        screen = io.StringIO()
        Output(screen, screen).error(error)
        assert SECRET not in screen.getvalue() + json.dumps(asdict(Finding.of(error)))


def test_the_engines_address_is_told_without_its_password() -> None:
    environment = {"DOCKER_HOST": f"tcp://ann:{SECRET}@engine:2376", "DOCKER_CONTEXT": "x"}
    examined = Examined(Stack(Settings(), Deployment("x", Path("x")), FakeEngine()), environment, named=False)
    (finding,) = client_findings.choice(examined)
    assert "engine:2376" in finding.sentence
    assert SECRET not in finding.sentence


def test_the_trace_of_a_bug_has_it_neither(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"http://ann:{SECRET}@proxy:3128")

    monkeypatch.setattr(main, "app", fail)
    assert main.main(["status", "--host", f"http://ann:{SECRET}@proxy"]) == 3
    shown = capsys.readouterr()
    assert "proxy:3128" in shown.err
    assert SECRET not in shown.out + shown.err
