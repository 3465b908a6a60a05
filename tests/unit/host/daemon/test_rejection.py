from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployer.host.daemon import rejection
from deployer.host.daemon.file import DaemonFile
from deployer.host.daemon.jsonc import Fault
from deployer.host.daemon.rejection import Reader

# What dockerd 20.10 names in its help, in part.
OLD = Reader(frozenset({"debug", "host", "label", "log-level", "storage-opt", "dns"}), (), reads_mark=False)


def _check(text: str, reader: Reader = OLD, mark: bytes = b"") -> None:
    rejection.check(DaemonFile(Path("daemon.json"), Path("daemon.json"), mark + text.encode()), reader)


@pytest.mark.parametrize(
    "entry",
    [
        *("a", "a.example", "a.example:5000", "a-b.example:1", "http://a:1", "HTTPS://a:1", "10.0.0.0/8", "10.1.2.3/8"),
        *("::1", "[::1]:5000", "fd00::/8", "10.0.0.1", "10.0.0.1:65535", "xn--a.example"),
    ],
)
def test_entries_that_docker_takes(entry: str) -> None:
    _check(json.dumps({"insecure-registries": [entry]}))


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("", "is blank"),
        ("  ", "is blank"),
        (" a:1", "contains white space"),
        ("a:1/", "has a path"),
        ("http://a:1/v2", "has a path"),
        ("10.0.0.0/33", "is not a valid network"),
        ("10.0.0.0/255.0.0.0", "is not a valid network"),
        ("ftp://a", "has a scheme that Docker does not know"),
        ("a:70000", "is not HOST or HOST:PORT"),
        ("a:", "is not HOST or HOST:PORT"),
        ("a_b:1", "is not HOST or HOST:PORT"),
        ("-a", "is not HOST or HOST:PORT"),
    ],
)
def test_entries_that_docker_does_not_start_with(entry: str, why: str) -> None:
    with pytest.raises(Fault) as caught:
        _check(f'{{\n  "insecure-registries": ["b:1", {json.dumps(entry)}]\n}}')
    assert caught.value.words == (f'"insecure-registries" lists "{entry}", which {why}; Docker would refuse to start')
    assert (caught.value.line, caught.value.column) == (2, 34)


@pytest.mark.parametrize(
    "content",
    [
        {"debug": True, "hosts": [], "labels": ["a=b"], "dns": [], "storage-opts": []},
        {"features": {"buildkit": True}, "builder": {"gc": {}}, "log-opts": {"max-size": "1m"}, "runtimes": {"x": {}}},
        {"default-ulimits": {"nofile": {}}, "graph": "/srv", "cluster-store": "", "deprecated-key-path": ""},
        # dockerd takes the members of another object as keys of the file.
        {"anything": {"debug": True}, "nothing": {}},
    ],
)
def test_keys_that_dockerd_knows(content: dict[str, object]) -> None:
    _check(json.dumps(content))


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ('{"debug": 1, "foo": null}', 14, '"foo" is not a known key of this Docker version, which would not start'),
        ('{"a": {"foo": 1}}', 8, '"foo" is not a known key of this Docker version'),
        ('{"Debug": true}', 2, '"Debug" differs from "debug" in case; Docker would refuse to start'),
        ('{"Log-Opts": {"max-size": "1m"}}', 2, '"Log-Opts" differs from "log-opts" in case'),
    ],
)
def test_keys_that_dockerd_does_not_start_with(text: str, column: int, why: str) -> None:
    with pytest.raises(Fault) as caught:
        _check(text)
    assert why in caught.value.words
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"debug": "true"', '"debug" is a string, where Docker expects true or false'),
        ('"mtu": "1500"', '"mtu" is a string, where Docker expects a whole number'),
        ('"mtu": 1500.5', '"mtu" is 1500.5, where Docker expects a whole number'),
        ('"mtu": true', '"mtu" is true, where Docker expects a whole number'),
        ('"dns": "10.0.0.1"', '"dns" is a string, where Docker expects a list of strings'),
        ('"dns": [1]', '"dns" is a list with a number, where Docker expects a list of strings'),
        ('"log-level": 1', '"log-level" is 1, where Docker expects a string'),
        (
            '"log-opts": {"max-file": 3}',
            '"log-opts" is an object with "max-file": 3, where Docker expects an object whose',
        ),
        (
            '"features": {"a": "true"}',
            '"features" is an object of strings, where Docker expects an object whose values',
        ),
        ('"runtimes": {"a": "x"}', '"runtimes" is an object of strings, where Docker expects an object whose values'),
        ('"default-address-pools": ["x"]', '"default-address-pools" is a list, where Docker expects a list of objects'),
        ('"default-shm-size": 64', '"default-shm-size" is 64, where Docker expects a size in quotes, such as "64M"'),
        ('"builder": []', '"builder" is a list, where Docker expects an object'),
        ('"https-proxy": ["http://ann:hidden@p"]', '"https-proxy" is a list, where Docker expects a string'),
    ],
)
def test_values_of_another_type_that_dockerd_does_not_start_with(value: str, words: str) -> None:
    with pytest.raises(Fault) as caught:
        _check(f"{{\n  {value}\n}}", Reader())
    assert caught.value.words.startswith(words)
    assert caught.value.words.endswith("; Docker would refuse to start")
    assert (caught.value.line, caught.value.column) == (2, 3 + len(value.partition(": ")[0]) + 2)
    assert "hidden" not in caught.value.words


@pytest.mark.parametrize(
    "content",
    [
        {"debug": None, "dns": None, "log-opts": {"max-size": None}, "runtimes": None, "mtu": 0, "x-of-tomorrow": [1]},
        {"default-shm-size": "1.5 GiB", "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}]},
    ],
)
def test_values_of_the_right_type(content: dict[str, object]) -> None:
    _check(json.dumps(content), Reader())


def test_without_its_help_only_what_differs_in_case_is_sure() -> None:
    _check('{"foo": 1}', Reader())
    with pytest.raises(Fault, match='differs from "ip-forward" in case'):
        _check('{"IP-forward": true}', Reader())


def test_a_byte_order_mark_is_read_from_23_on() -> None:
    mark = b"\xef\xbb\xbf"
    _check("{}", Reader(), mark)
    with pytest.raises(Fault, match=r"begins with a byte order mark \(BOM\), which Docker cannot read before 23.0"):
        _check("{}", OLD, mark)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--debug",), '{"debug": true}'),
        (("-D",), '{"debug": true}'),
        (("-H", "fd://"), '{"hosts": []}'),
        (("--host=fd://",), '{"hosts": []}'),
        (("--log-opt", "a=b"), '{"log-opts": {"max-size": "1m"}}'),
    ],
)
def test_what_is_on_the_command_line_too(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(Fault, match="is also given on dockerd's command line; Docker would refuse to start"):
        _check(text, Reader(arguments=("dockerd", *arguments)))


def test_what_may_be_in_both() -> None:
    _check('{"runtimes": {"x": {}}, "dns": []}', Reader(arguments=("dockerd", "--add-runtime", "y=/y", "--debug")))


def test_an_empty_file_has_no_fault() -> None:
    _check("")
    _check(" \n")
