from __future__ import annotations

import base64
import io
import json
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.main import main
from deployer.cli.output import Output
from deployer.cli.views import images as views
from deployer.paths import Deployment
from deployer.record import Owned, Resource, ResourceKind
from deployer.registry.content import placeholder
from deployer.registry.content.manifests import NO_DIGEST
from deployer.workflows.images.tags import Repository, Tag
from tests.support.content import build_image
from tests.support.fake_registry import HTML, FakeRegistry, Held, Reply, refused, serving
from tests.support.registry_content import OCI, TYPES, Image, image, index, push, sha256
from tests.support.run import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2024, 7, 2, 23, 28, 22, tzinfo=UTC)


class Shell:
    """The command line, against a registry in memory that answers over real HTTP."""

    def __init__(self, registry: FakeRegistry, port: int, capture: pytest.CaptureFixture[str]) -> None:
        self.registry, self.port, self._capture = registry, port, capture
        self.out = self.err = ""

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def push(self, repository: str, tag: str | None, *contents: Image) -> Image:
        with self.registry.client as pusher:
            for content in contents[:-1]:
                push(pusher, repository, None, content)
            push(pusher, repository, tag, contents[-1])
        return contents[-1]

    def run(self, *words: str) -> int:
        self._capture.readouterr()
        code = main([*words, "--port", str(self.port)])
        self.out, self.err = self._capture.readouterr()
        return code

    def json(self, *words: str) -> Any:
        assert self.run(*words, "--json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture(params=["2.8", "3"])
def shell(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    for variable, value in {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path, "DOCKER_CONFIG": tmp_path}.items():
        monkeypatch.setenv(variable, str(value))
    registry = FakeRegistry(version=request.param)
    with serving(registry.answer) as port:
        yield Shell(registry, port, capsys)


# --- catalog ---------------------------------------------------------------------------------------------------------


def test_catalog_is_one_repository_a_line(shell: Shell) -> None:
    shell.registry.repositories = {"centos": Held(), "team/app": Held()}
    assert shell.run("catalog") == 0
    assert (shell.out, shell.err) == ("centos\nteam/app\n", "")
    assert shell.run("catalog", "team/*") == 0
    assert shell.out == "team/app\n"


def test_catalog_as_json_is_what_the_registry_answers(shell: Shell) -> None:
    shell.registry.repositories = {"centos": Held()}
    assert shell.json("catalog") == {"repositories": ["centos"]}


def test_an_empty_catalog_says_how_to_fill_it(shell: Shell) -> None:
    assert shell.run("catalog") == 0
    assert shell.out == ""
    assert (
        shell.err
        == f"The registry at {shell.address} is empty. Push an image: deployer push --port {shell.port} IMAGE\n"
    )
    assert shell.json("catalog") == {"repositories": []}


@pytest.mark.parametrize("options", [(), ("--tags",)])
def test_a_folder_that_is_no_repository_is_one_warning(shell: Shell, options: tuple[str, ...]) -> None:
    shell.push("app", "1", image("x"))
    shell.registry.repositories["#recycle/app"] = Held()
    assert shell.run("catalog", *options) == 0
    assert shell.out.startswith("app\n")
    assert "recycle" not in shell.out
    assert shell.err.count("#recycle/app") == 1
    assert shell.err.startswith("Warning: ")
    found = shell.json("catalog", *options)
    assert (len(found["repositories"]), found["foreign"]) == (1, ["#recycle/app"])


@pytest.mark.parametrize("command", [("tags", "app"), ("catalog", "--tags")])
def test_a_file_of_another_program_among_the_tags_is_one_warning(shell: Shell, command: tuple[str, ...]) -> None:
    shell.push("app", "1", image("x"))
    shell.registry.repositories["app"].tags["Thumbs.db"] = ""
    place = "/var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/Thumbs.db/current/link"
    detail = {"Enclosed": {"Op": "open", "Path": place, "Err": 20}}
    shell.registry.before = lambda asked: refused(500, "UNKNOWN", detail) if "Thumbs" in asked.path else None
    assert shell.run(*command) == 0
    assert shell.err.count("Warning: ") == 1
    assert "app:Thumbs.db is not a tag but a stray file" in shell.err


def test_a_registry_whose_disk_is_not_mounted_is_not_said_to_be_empty(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    owned = Owned(storage=Resource(ResourceKind.DIRECTORY, str(tmp_path / "images")), storage_id="0123")
    deployment = Deployment("registry", tmp_path / ".local/share/deployer/registry")
    deployment.directory.mkdir(parents=True)
    deployment.owned_file.write_bytes(owned.content)
    for words in ((), ("--tags",), ("--json",)):
        assert shell.run("catalog", *words) == 1
        assert "Is its disk mounted?" in shell.err
        assert "is empty" not in shell.err
    # What it has is listed.
    shell.registry.repositories = {"centos": Held()}
    assert shell.run("catalog") == 0


def test_a_pattern_that_matches_nothing_is_no_empty_registry(shell: Shell) -> None:
    shell.registry.repositories = {"centos": Held(), "debian": Held()}
    assert shell.run("catalog", "nothing*") == 0
    assert (shell.out, shell.err) == ("", "No repository matches. The registry has 2 repositories.\n")


def test_catalog_with_tags_is_a_tree(shell: Shell) -> None:
    shell.push("centos", "7", image("x", created=None))
    shell.push("centos", "7-git", image("y", created=None))
    shell.registry.repositories["empty"] = Held()
    assert shell.run("catalog", "--tags") == 0
    assert [line.split()[:2] for line in shell.out.splitlines()] == [
        ["centos"],
        ["├─", "7"],
        ["└─", "7-git"],
        ["empty"],
        ["└─", "(no"],
    ]
    found = shell.json("catalog", "--tags")
    assert [(one["name"], len(one["tags"])) for one in found["repositories"]] == [("centos", 2), ("empty", 0)]


@pytest.mark.parametrize("said", [{"DEPLOYER_TLS": "off"}, {"DEPLOYER_TLS": "", "DEPLOYER_CONFIG": "off.yaml"}])
def test_a_saved_password_crosses_a_network_unencrypted_only_where_tls_off_is_said(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    there = socket.getaddrinfo("127.0.0.1", shell.port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: there)
    shell.registry.user = ("ann", "s3cret")
    auth = base64.b64encode(b"ann:s3cret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {f"reg.example:{shell.port}": {"auth": auth}}}))
    (tmp_path / "off.yaml").write_text("tls: off\n")
    assert shell.run("catalog", "--host", "reg.example") == 1
    assert f"reg.example:{shell.port} requires login over plain HTTP" in shell.err
    assert "authorization" not in shell.registry.asked[-1].headers
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert shell.run("catalog", "--host", "reg.example") == 0, shell.err


# --- tags ------------------------------------------------------------------------------------------------------------


def test_tags_as_json_have_the_documented_keys(shell: Shell) -> None:
    amd, arm = image("amd", media=OCI), image("arm", media=OCI, platform="linux/arm64/v8")
    made = shell.push("app", "1", amd, arm, index([(amd, "linux/amd64"), (arm, "linux/arm64/v8")], media=OCI))
    assert shell.json("tags", "app") == {
        "name": "app",
        "tags": [
            {
                "tag": "1",
                "digest": made.digest,
                "media_type": "application/vnd.oci.image.index.v1+json",
                "size": amd.size + arm.size,
                "created": "2024-06-29T23:28:22Z",
                "platforms": ["linux/amd64", "linux/arm64"],
            }
        ],
    }


def test_the_table_of_tags_shows_ages_by_the_given_clock() -> None:
    out, err = io.StringIO(), io.StringIO()
    made = datetime(2024, 6, 29, 23, 28, 22, tzinfo=UTC)
    tags = (
        Tag("7-git", "sha256:9e6c89cf020e" + "0" * 52, "", 236_042_626, made, ("linux/amd64", "linux/arm64")),
        Tag("chart", "sha256:aaaaaaaaaaaa" + "0" * 52, "", 5, None, ()),
    )
    views.print_tags(Output(out, err), Repository("app", tags), NOW)
    assert out.getvalue() == (
        "TAG    DIGEST        SIZE    PLATFORMS                 AGE\n"
        "7-git  9e6c89cf020e  236 MB  linux/amd64, linux/arm64  3 days ago\n"
        "chart  aaaaaaaaaaaa  5 B     -                         -\n"
    )


def test_the_tree_is_aligned() -> None:
    out = io.StringIO()
    made = datetime(2024, 6, 29, 23, 28, 22, tzinfo=UTC)
    tags = (Tag("1", "sha256:x", "", 5, made, ("linux/amd64",)), Tag("latest", "sha256:x", "", 1500, None, ()))
    views.print_tree(Output(out, out), [Repository("app", tags), Repository("empty", ())], NOW)
    assert out.getvalue() == (
        "app\n├─ 1          5 B  3 days ago  linux/amd64\n└─ latest  1.5 kB  -           -\nempty\n└─ (no tags)\n"
    )


def test_tags_can_be_sorted(shell: Shell) -> None:
    shell.push("app", "a", image("x", created="2024-01-01T00:00:00Z"))
    shell.push("app", "b", image("y", created="2024-02-01T00:00:00Z"))
    assert [tag["tag"] for tag in shell.json("tags", "app", "--sort", "created")["tags"]] == ["b", "a"]
    assert shell.run("tags", "app", "--sort", "colour") == 2
    assert shell.err == "Error: --sort must be one of name, created, size, not 'colour'.\n"


def test_no_tags_is_a_sentence(shell: Shell) -> None:
    shell.registry.repositories["app"] = Held()
    assert shell.run("tags", "app") == 0
    assert (shell.out, shell.err) == ("", "The repository 'app' has no tags.\n")
    assert shell.json("tags", "app") == {"name": "app", "tags": []}


def test_what_is_deleted_is_asked_with_its_registry(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.push("tool", "1", image("tool"))
    assert shell.run("delete", "tool:1") == 1
    assert f"Delete tool:1 from {shell.address}?" in shell.err


def test_a_name_that_the_file_does_not_have_is_no_other_registry(shell: Shell, tmp_path: Path) -> None:
    """Neither that of the file, whatever address is written there."""
    shell.push("tool", "1", image("tool"))
    (tmp_path / "deployer.yaml").write_text(f"name: rvz\nhost: localhost\nport: {shell.port}\n")
    assert main(["delete", "tool:1", "--name", "rva", "--yes"]) == 1
    assert main(["prune", "--name", "rva", "--dry-run"]) == 2
    assert shell.json("tags", "tool")["tags"]


def test_an_unknown_repository_suggests_the_nearest(shell: Shell) -> None:
    shell.registry.repositories = {"centos": Held()}
    assert shell.run("tags", "centso") == 1
    assert f"Error: No repository named 'centso' at {shell.address}." in shell.err
    assert "Did you mean centos?" in shell.err


def test_a_tag_that_cannot_be_read_is_a_warning_and_the_exit_code_tells(shell: Shell) -> None:
    shell.push("app", "1", image("x"))
    shell.push("app", "2", image("y"))
    shell.registry.before = lambda asked: refused(500, "UNKNOWN") if asked.path.endswith("/2") else None
    for words in (["tags", "app"], ["catalog", "--tags"]):
        assert shell.run(*words) == 1
        assert "1" in shell.out
        assert "Warning: The tag app:2 cannot be read." in shell.err
    assert shell.run("tags", "app", "--json") == 1
    found = json.loads(shell.out)
    assert [tag["tag"] for tag in found["tags"]] == ["1"]
    assert found["unreadable"][0]["tag"] == "2"


def test_that_damage_was_not_looked_for_is_said_once(shell: Shell) -> None:
    """The frontend does not answer for more manifests than it reads; the registry's API does not tell of damage."""
    shell.push("app", "1", image("x"))
    shell.push("app", "2", image("y"))
    large = refused(507, "UNSUPPORTED")
    shell.registry.before = lambda asked: large if asked.path.startswith("/overview/") else None
    for words in (("tags", "app"), ("catalog", "--tags"), ("inspect", "app:1")):
        assert shell.run(*words) == 0
        assert shell.err.count("was not checked for damage") == 1
        assert "Warning: " in shell.err
        assert f"deployer status --port {shell.port}" in shell.err
    assert shell.json("tags", "app")["unchecked"] is True
    assert shell.json("inspect", "app:1")["unchecked"] is True
    shell.registry.before = None
    assert "unchecked" not in shell.json("tags", "app")
    assert "damage" not in shell.err


def test_nobody_is_told_to_delete_what_others_may_read(shell: Shell) -> None:
    content = b'{"schemaVersion": 2, "mediaType": "application/x-odd"}'
    odd = Reply(200, content, {"Content-Type": "application/x-odd", "Docker-Content-Digest": sha256(content)})
    shell.push("app", "1", image("x"))
    shell.registry.before = lambda asked: odd if asked.path.endswith("/manifests/1") else None
    shell.run("tags", "app")
    assert "has the type 'application/x-odd', which deployer does not support" in shell.err
    assert "deployer delete" not in shell.err


def test_an_image_with_bytes_that_are_not_utf_8_is_told_as_docker_does(shell: Shell) -> None:
    plain = image("x", media=OCI)
    settings = plain.blobs[0].replace(b'"config": {}', b'"config": {"Labels": {"by": "Jos\xe9"}}')
    document = plain.document | {"annotations": {"by": "XX"}}
    document["config"] |= {"digest": sha256(settings), "size": len(settings)}
    content = json.dumps(document).encode().replace(b"XX", b"Mu\xf1oz")
    shell.push("app", "1", Image(content, plain.media_type, (settings, *plain.blobs[1:])))
    assert shell.run("tags", "app") == 0
    assert "linux/amd64" in shell.out
    assert shell.run("inspect", "app:1") == 0
    assert "by=Jos\ufffd" in shell.out
    assert "by=Mu\ufffdoz" in shell.out
    assert shell.json("inspect", "app:1")["config"]["config"]["Labels"] == {"by": "Jos\ufffd"}


def test_what_is_larger_than_is_read_is_told_without_advice_to_try_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = image("large", config={"Labels": {"long": "x" * 4000}})
    config = large.document["config"]["digest"]
    shell.push("app", "1", large)
    shell.push("app", "multi", index([(large, "linux/amd64")]))
    monkeypatch.setattr("deployer.registry.client.CONFIG_MAX_BYTES", 2000)
    for words in (("tags", "app"), ("inspect", "app:1"), ("inspect", "app:multi"), ("catalog", "--tags")):
        shell.run(*words)
        assert f"The blob {config} of 'app' is larger than" in shell.err
        assert "Run the command again" not in shell.err


def test_what_did_not_come_may_come_the_next_time(shell: Shell) -> None:
    config = shell.push("app", "1", image("x")).document["config"]["digest"]
    busy = Reply(503, b"")
    shell.registry.before = lambda asked: busy if asked.path.endswith(config) else None
    shell.run("tags", "app")
    assert "Run the command again to read everything." in shell.err


def test_a_half_deleted_tag_is_pointed_out(shell: Shell) -> None:
    original = "sha256:" + "a" * 64
    left = placeholder.make("1", original, "", "nonce")
    shell.push("app", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    assert shell.run("tags", "app") == 0
    assert "(partially deleted)" in shell.out
    assert f"app:1 is partially deleted: a deletion was interrupted. It pointed to {original}." in shell.err
    assert f"deployer delete --port {shell.port} app:1" in shell.err
    assert f"To pull that image: deployer pull --port {shell.port} app@{original}" in shell.err
    assert shell.json("tags", "app")["tags"][0]["half_deleted"] == original
    assert shell.run("inspect", "app:1") == 0
    assert f"app:1 is partially deleted: a deletion was interrupted. It pointed to {original}." in shell.err
    assert f"To pull that image: deployer pull --port {shell.port} app@{original}" in shell.err
    assert re.search(r"^State: +partially deleted$", shell.out, re.MULTILINE)
    assert shell.json("inspect", "app:1")["half_deleted"] == original
    assert shell.run("delete", "app:1", "--yes") == 0
    assert shell.registry.repositories["app"].tags == {}


def test_an_incomplete_image_is_pointed_out(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    lost = sha256(made.blobs[0])
    del shell.registry.blobs[lost]
    assert shell.json("tags", "app")["tags"][0]["missing"] == [lost]
    assert shell.run("inspect", "app:1") == 0
    assert "app:1 is incomplete" in shell.err


def test_an_index_of_an_artifact_is_told_as_one(shell: Shell) -> None:
    config = {"mediaType": "application/vnd.cncf.falco.plugin.config.v1+json", "digest": sha256(b"{}"), "size": 2}
    kind = TYPES[OCI]["manifest"]
    document = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    plugin = Image(json.dumps(document).encode(), kind, (b"{}",))
    shell.push("app", None, plugin)
    shell.push("app", "plugin", index([(plugin, "linux/amd64")], media=OCI))
    assert shell.run("inspect", "app:plugin") == 0
    assert "application/vnd.cncf.falco.plugin.config.v1+json" in shell.out


def test_an_index_in_an_index_is_told_with_the_one_to_pull(shell: Shell) -> None:
    amd, arm = image("x", media=OCI), image("y", platform="linux/arm64", media=OCI)
    inner = index([(amd, "linux/amd64"), (arm, "linux/arm64")], media=OCI)
    shell.push("app", "nest", amd, arm, inner, index([(inner, None)], media=OCI))
    shell.push("app", "part", index([(amd, "linux/amd64"), (inner, None)], media=OCI))
    told = "in a nested index, which many clients cannot pull (Docker without the containerd image store, Podman)"
    by_digest = f"--port {shell.port} app@{inner.digest}"
    assert shell.run("tags", "app") == 0
    assert (
        f"app:nest has its images for linux/amd64, linux/arm64 {told}. To pull those: deployer pull {by_digest}\n"
        in shell.err
    )
    assert f"app:part has its image for linux/arm64 {told}. To pull it: deployer pull {by_digest}\n" in shell.err
    assert shell.run("inspect", "app:nest") == 0
    assert f"{told}. To pull those: deployer pull {by_digest}\n" in shell.err
    shell.push("app", "1", inner)
    assert shell.run("tags", "app") == 0
    assert f"{told}. To pull those: deployer pull --port {shell.port} app:1\n" in shell.err
    assert "app:1 has" not in shell.err
    found = {tag["tag"]: tag for tag in shell.json("tags", "app")["tags"]}
    assert found["nest"]["nested"] == {inner.digest: ["linux/amd64", "linux/arm64"]}
    assert found["part"]["nested"] == {inner.digest: ["linux/arm64"]}
    assert "nested" not in found["1"]


def test_a_list_says_which_of_its_tags_are_incomplete(shell: Shell) -> None:
    here, gone = image("here", media=OCI), image("gone", media=OCI, platform="linux/arm64")
    shell.push("app", "none", index([], media=OCI))
    for child in (here, gone):
        shell.push("app", None, child)
    shell.push("app", "part", index([(here, "linux/amd64"), (gone, "linux/arm64")], media=OCI))
    del shell.registry.repositories["app"].manifests[gone.digest]
    for command in (("tags", "app"), ("catalog", "--tags")):
        assert shell.run(*command) == 0
        assert "linux/amd64, linux/arm64 (incomplete)" in shell.out
        assert "(empty)" in shell.out
        assert f"app:part is incomplete: the registry does not have {gone.digest[7:19]}. Push it again." in shell.err
        assert "app:none is empty: its index contains no images, so there is nothing to pull." in shell.err
        assert f"If it is not needed: deployer delete --port {shell.port} app:none" in shell.err


def test_a_list_tells_several_versions_of_windows_apart(shell: Shell) -> None:
    """The second says its version in its configuration alone."""
    first, second = (build_image(layers=(word,), media=OCI, platform="windows/amd64", config_extra=extra)
                     for word, extra in (("1", {}), ("2", {"os.version": "10.0.20348.1"})))  # fmt: skip
    whole = index([(first, "windows/amd64"), (second, "windows/amd64")], media=OCI).document
    whole["manifests"][0]["platform"]["os.version"] = "10.0.17763.1"
    for child in (first, second):
        shell.push("app", None, child)
    shell.push("app", "1", Image(json.dumps(whole).encode(), TYPES[OCI]["index"]))
    assert shell.run("tags", "app") == 0
    assert "windows/amd64 10.0.17763.1, windows/amd64 10.0.20348.1" in shell.out
    assert shell.run("inspect", "app:1") == 0
    for version, child in (("10.0.17763.1", first), ("10.0.20348.1", second)):
        assert f"windows/amd64 {version}  {child.digest}" in shell.out


def test_a_damaged_configuration_is_told_with_what_helps(shell: Shell) -> None:
    """Of the same size, as some file systems leave it after a power cut: repeating the command changes nothing."""
    made = shell.push("app", "1", image("x"))
    config = sha256(made.blobs[0])
    shell.registry.blobs[config] = bytes(len(made.blobs[0]))
    for command in (("tags", "app"), ("inspect", "app:1")):
        assert shell.run(*command) == 0
        assert f"app:1 is incomplete: the file {config[7:19]} is damaged ({len(made.blobs[0])} bytes)." in shell.err
        assert "gc --port" in shell.err
        assert "--damaged, then push it again." in shell.err
        assert "Run the command again" not in shell.err


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_tells_people_what_they_want_to_know(shell: Shell) -> None:
    config = {"Labels": {"b": "2", "a": "1"}, "Entrypoint": ["/bin/app", "ä"], "Cmd": ["run"], "Env": ["X=y"]}
    made = shell.push("app", "1", image("one", "two", config=config))
    assert shell.run("inspect", "app:1") == 0
    fields = [line.split(":", 1) for line in shell.out.split("\n\n", maxsplit=1)[0].splitlines()]
    values = [(name, value.strip()) for name, value in fields]
    assert dict(values)["Image"] == f"{shell.address}/app:1"
    assert dict(values)["Digest"] == made.digest
    assert dict(values)["Created"].startswith("2024-06-29T23:28:22Z (")
    assert dict(values)["Platforms"] == "linux/amd64"
    assert dict(values)["Entrypoint"] == '["/bin/app", "ä"]'
    assert [value for name, value in values if name == "Label"] == ["a=1", "b=2"]
    layers = shell.out.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in layers] == ["LAYER", sha256(made.blobs[1]), sha256(made.blobs[2])]


def test_inspect_shows_each_platforms_digest(shell: Shell) -> None:
    amd, arm = image("amd"), image("arm", platform="linux/arm64")
    shell.push("app", "1", amd, arm, index([(amd, "linux/amd64"), (arm, "linux/arm64")]))
    assert shell.run("inspect", "app:1") == 0
    table = [line.split()[:2] for line in shell.out.split("\n\n")[1].splitlines()]
    assert table == [["PLATFORM", "DIGEST"], ["linux/amd64", amd.digest], ["linux/arm64", arm.digest]]


def test_inspect_raw_is_byte_for_byte(shell: Shell) -> None:
    made = shell.push("app", "1", image("x", annotations={"a": "ä\r\n"}))
    command = [sys.executable, "-m", "deployer", "inspect", "--raw", "app:1", "--port", str(shell.port)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == made.content


def test_inspect_headers_and_raw_are_what_curl_i_shows(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    assert shell.run("inspect", "--headers", "--raw", "app:1") == 0
    head, _, body = shell.out.partition("\n\n")
    assert body == made.content.decode()
    lines = head.splitlines()
    assert lines[0] == "HTTP/1.1 200 OK"
    for line in (
        f"Content-Type: {made.media_type}",
        f"Docker-Content-Digest: {made.digest}",
        "Docker-Distribution-Api-Version: registry/2.0",
        f'Etag: "{made.digest}"',
    ):
        assert line in lines
    assert shell.run("inspect", "--headers", "app:1") == 0
    assert shell.out.splitlines()[0] == lines[0]
    assert made.content.decode() not in shell.out


def test_inspect_json_has_descriptor_manifest_and_configuration(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    found = shell.json("inspect", "app:1")
    assert found["descriptor"] == made.descriptor()
    assert found["manifest"] == made.document
    assert found["config"] == json.loads(made.blobs[0])
    both = shell.push("app", "2", index([]))
    found = shell.json("inspect", "app:2")
    assert (found["manifest"], found["config"]) == (both.document, None)


def test_inspect_takes_one_form_at_a_time(shell: Shell) -> None:
    assert shell.run("inspect", "--json", "--raw", "app:1") == 2
    assert not shell.registry.asked


def test_what_an_image_says_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.push("app", "1", image("x", config={"Labels": {"a": "\x1b[2J\nDigest: sha256:other"}, "User": "\x07"}))
    assert shell.run("inspect", "app:1") == 0
    assert "\x1b" not in shell.out
    assert "\x07" not in shell.out
    assert not [line for line in shell.out.splitlines() if line.startswith("Digest: sha256:other")]


# --- delete ----------------------------------------------------------------------------------------------------------


def test_a_partially_deleted_tag_that_named_nothing_does_not_point_to_a_made_up_digest(shell: Shell) -> None:
    left = placeholder.make("1", NO_DIGEST, "", "nonce")
    shell.push("app", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    for arguments in (("tags", "app"), ("inspect", "app:1"), ("delete", "app:1", "--yes")):
        assert shell.run(*arguments) == 0
        assert "partially deleted" in shell.err
        assert "pointed to" not in shell.err
        assert "To pull" not in shell.err


def test_what_is_deleted_already_is_told_and_the_rest_goes(shell: Shell) -> None:
    shell.push("app", "2", image("x"))
    assert shell.run("delete", "app:1", "app:2", "--yes") == 0
    assert "app:1: already deleted; the registry has no such tag.\n" in shell.err
    assert shell.out == "Deleted app:2\n"
    shell.push("app", "2", image("x"))
    gone = f"app@{NO_DIGEST}"
    planned = shell.json("delete", "app:2", gone, "--dry-run")
    assert planned["already_deleted"] == [gone]
    assert f"{gone}: already deleted; the registry has no such manifest.\n" in shell.err
    assert [one["name"] for one in planned["removals"]] == ["app:2"]
    assert shell.run("delete", "app:1", gone, "--yes") == 1
    assert "Nothing was deleted." in shell.err


def test_the_parts_of_a_deleted_index_are_freed_with_the_untagged(shell: Shell) -> None:
    amd = image("amd")
    parts = shell.push("app", "1", amd, index([(amd, "linux/amd64")]))
    assert shell.run("delete", f"app@{parts.digest}", "--yes") == 0
    assert f"`deployer gc --port {shell.port} --untagged`" in shell.err


def test_delete_says_what_goes_and_what_stays(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    shell.push("app", "2", made)
    assert shell.run("delete", f"{shell.address}/app:1", "--yes") == 0
    assert shell.out == "Deleted app:1\n"
    assert f"app:1 ({made.digest[7:19]}): deletes the tag; the image keeps tag 2." in shell.err
    assert f"To free the space, run `deployer gc --port {shell.port}`" in shell.err
    assert shell.registry.repositories["app"].tags == {"2": made.digest}
    assert shell.run("delete", "app:2", "--yes") == 0
    assert f"no other tag points to the image, which is kept as app@{made.digest}." in shell.err


def test_a_dry_run_says_the_same_and_changes_nothing(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    assert shell.run("delete", "app:1", "--dry-run") == 0
    would = shell.out
    assert shell.registry.repositories["app"].tags == {"1": made.digest}
    assert shell.run("delete", "app:1", "--yes") == 0
    assert would in shell.err


def test_without_a_terminal_and_without_yes_nothing_is_deleted(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    assert shell.run("delete", "app:1") == 1
    assert "Run the command again with --yes." in shell.err
    assert shell.registry.repositories["app"].tags == {"1": made.digest}


def test_deleting_a_manifest_names_its_tags_and_what_breaks(shell: Shell) -> None:
    amd, arm = image("amd"), image("arm", platform="linux/arm64")
    shell.push("app", "1", amd, arm, index([(amd, "linux/amd64"), (arm, "linux/arm64")]))
    shell.push("app", "amd", amd)
    assert shell.run("delete", f"app@{amd.digest}", "--yes") == 0
    assert f"app@{amd.digest}: deletes the manifest along with tag amd." in shell.err
    assert "Warning: It is part of app:1:" in shell.err
    assert set(shell.registry.repositories["app"].tags) == {"1"}


def test_many_tags_are_not_all_named(shell: Shell) -> None:
    for number in range(12):
        made = shell.push("app", f"t{number}", image("x"))
    assert shell.run("delete", f"app@{made.digest}", "--dry-run") == 0
    assert "along with tags t0, t1, t2, t3, t4, t5, t6, t7 and 4 more." in shell.out


def test_a_tag_that_names_nothing_is_pointed_out_and_can_be_deleted(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    shell.registry.repositories["app"].tags["broken"] = ""
    assert shell.run("tags", "app") == 1
    assert f"To delete it: deployer delete --port {shell.port} app:broken" in shell.err
    assert shell.run("delete", "app:broken", "--yes") == 0
    assert "app:broken: deletes the tag; the registry cannot serve the image it points to." in shell.err
    assert shell.registry.repositories["app"].tags == {"1": made.digest}


def test_delete_as_json(shell: Shell) -> None:
    made = shell.push("app", "1", image("x"))
    other = shell.push("app", "2", image("y"))
    planned = shell.json("delete", "app:1", f"app@{other.digest}", "--dry-run")
    assert planned == {
        "dry_run": True,
        "removals": [
            {
                "name": "app:1",
                "repository": "app",
                "tag": "1",
                "digest": made.digest,
                "media_type": made.media_type,
                "kept_by": [],
                "half_deleted": None,
                "deleted": False,
                "error": None,
            },
            {
                "name": f"app@{other.digest}",
                "repository": "app",
                "tag": None,
                "digest": other.digest,
                "media_type": other.media_type,
                "tags": ["2"],
                "breaks": [],
                "attached": [],
                "deleted": False,
                "error": None,
            },
        ],
    }
    done = shell.json("delete", "app:1", f"app@{other.digest}", "--yes")
    assert [one["deleted"] for one in done["removals"]] == [True, True]
    assert shell.registry.repositories["app"].tags == {}


def test_one_failure_among_several_tells_by_the_exit_code(shell: Shell) -> None:
    first, second = shell.push("app", "1", image("x")), shell.push("app", "2", image("y"))

    def refuse(asked: Any) -> Reply | None:
        return refused(500, "UNKNOWN") if asked.method == "DELETE" and first.digest in asked.path else None

    shell.registry.before = refuse
    names = [f"app@{first.digest}", f"app@{second.digest}"]
    assert shell.run("delete", *names, "--yes") == 1
    assert shell.out == f"Deleted app@{second.digest}\n"
    assert "failed (HTTP 500)" in shell.err
    assert shell.run("delete", names[0], "--yes", "--json") == 1
    assert json.loads(shell.out)["removals"][0]["error"].endswith("failed (HTTP 500).")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["delete", "app"], 2, "'app' does not specify a tag or digest."),
        (["delete", "ghcr.io/acme/app:1"], 2, "belongs to the registry ghcr.io"),
        (["delete", "App:1"], 2, "uppercase"),
        (["delete", "../etc:1"], 2, "'..'"),
        (["inspect", "http://localhost/app"], 2, "'http://'"),
        (["tags", "app:1"], 2, "is the name of one image"),
        (["tags", "a" * 256], 2, "too long"),
        (["delete", "app:1"], 1, "No repository named 'app'"),
    ],
)
def test_names_that_make_no_sense_are_refused(shell: Shell, words: list[str], code: int, sentence: str) -> None:
    assert shell.run(*words) == code
    assert sentence in shell.err


@pytest.mark.parametrize(
    ("wrong", "code", "sentence"),
    [
        (["ap:1"], 1, ". Nothing was deleted.\n  → Did you mean app?\n"),
        (["app"], 2, "Error: 'app' does not specify a tag or digest. Nothing was deleted.\n"),
        (["--repository"], 2, "give only the repository name.\n"),
        (["app", "--repository"], 2, "give only the repository name. Nothing was deleted.\n"),
        ([], 0, "To free the space"),
    ],
)
def test_one_wrong_name_keeps_the_others_and_that_is_said(
    shell: Shell, wrong: list[str], code: int, sentence: str
) -> None:
    shell.push("app", "1", image("x"))
    assert shell.run("delete", "app:1", *wrong, "--yes") == code
    assert sentence in shell.err
    assert ("1" in shell.registry.repositories["app"].tags) is bool(code)


def test_of_a_single_name_it_goes_without_saying(shell: Shell) -> None:
    shell.push("app", "1", image("x"))
    assert shell.run("delete", "app:nope", "--yes") == 1
    assert "Nothing was deleted" not in shell.err


# --- if there is no registry ---------------------------------------------------------------------------------

COMMANDS = [["catalog"], ["tags", "app"], ["inspect", "app:1"], ["delete", "app:1", "--yes"]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: str(words[0]))
def test_every_command_says_that_nothing_answers(shell: Shell, words: list[str]) -> None:
    shell.port = free_port()
    assert shell.run(*words) == 1
    advice = f"Start it: deployer up --port {shell.port}"
    assert shell.err.startswith(f"Error: Nothing responds at http://{shell.address}.\n  → {advice}\n")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: str(words[0]))
def test_every_command_says_that_it_is_no_registry(shell: Shell, words: list[str]) -> None:
    with serving(lambda *_: Reply(404, HTML, {"Content-Type": "text/html"})) as shell.port:
        assert shell.run(*words) == 1
    assert f"Error: The server at http://{shell.address} is not a registry." in shell.err


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: str(words[0]))
def test_every_command_asks_for_a_login(shell: Shell, words: list[str]) -> None:
    shell.registry.user = ("ann", "pw")
    assert shell.run(*words) == 1
    assert f"→ docker login {shell.address}" in shell.err


def test_the_help_imports_nothing_heavy() -> None:
    heavy = {"httpx", "rich", "python_on_whales", "yaml", "deployer.registry.client"}
    program = (
        "import sys; from deployer.cli.main import main; main(['catalog', '--help'])\n"
        f"print(sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "Example:" in done.stdout


def test_a_repository_that_is_denied_is_named_and_the_others_are_shown(shell: Shell) -> None:
    shell.push("a", "1", image("x"))
    shell.push("b", "1", image("x"))
    shell.registry.before = lambda asked: refused(403, "DENIED") if "/b/" in asked.path else None
    assert shell.run("catalog", "--tags") == 1
    assert "└─ 1 " in shell.out
    assert "b\n└─ (access denied)\n" in shell.out
    assert f"The registry at {shell.address} does not allow you (not logged in) to pull from 'b'" in shell.err
    assert shell.run("catalog", "--tags", "--json") == 1
    assert [("refused" in one, len(one["tags"])) for one in json.loads(shell.out)["repositories"]] == [
        (False, 1), (True, 0),
    ]  # fmt: skip
