"""Errors: one sentence, whatever it quotes."""

from __future__ import annotations

import pytest

from deployer.engine.messages.translation import translate
from deployer.errors import ConfigurationError, ContentDamaged, DeployerError, RegistryError
from deployer.workflows.finding import Finding, FindingState

HOSTILE = "application/\x1b[31mx\r\nfake line\u202e"
HARMLESS = "application/\ufffd[31mx fake line\ufffd"


@pytest.mark.parametrize("kind", [DeployerError, RegistryError, ContentDamaged, ConfigurationError])
def test_a_sentence_is_one_line_that_steers_nothing(kind: type[DeployerError]) -> None:
    assert kind(HOSTILE).message == HARMLESS


def test_what_docker_prints_is_one_line_too() -> None:
    assert translate("error from registry: \x1b[31mno\u202e", address="reg:5000").message == (
        "reg:5000 responded: \ufffd[31mno\ufffd"
    )


def test_so_is_the_sentence_of_a_finding() -> None:
    assert Finding(FindingState.NOTE, HOSTILE).sentence == HARMLESS


def test_the_words_of_others_underneath_stay_lines() -> None:
    assert DeployerError("It failed.", original="one\ntwo").original == "one\ntwo"
