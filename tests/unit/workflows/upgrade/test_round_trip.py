"""The check's push and pull, against a registry that answers as a test says."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from deployer.errors import UpgradeFailed
from deployer.layout import PLACEHOLDER_HEADER
from deployer.settings.model import Settings
from deployer.workflows.upgrade.round_trip import FOLDER, CheckImage, Login, round_trip

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answers(BaseHTTPRequestHandler):
    """Stores what is put; `spoilt` are methods that it answers wrongly."""

    stored: ClassVar[dict[str, bytes]] = {}
    seen: ClassVar[list[str]] = []
    refused_on_a_full_disk: ClassVar[list[bool]] = []
    spoilt: ClassVar[set[str]] = set()

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.refused_on_a_full_disk.append(PLACEHOLDER_HEADER not in self.headers)
        self.send_response(500 if self.command in self.spoilt else status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self._answer(202, Location=f"{self.path}one?state=x")

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        digest = self.path.partition("digest=")[2].replace("%3A", ":")
        self.stored[self.path.partition("uploads/")[0] + digest if digest else self.path] = content
        self._answer(201)

    def do_GET(self) -> None:
        content = self.stored.get(self.path, b"")
        self._answer(200, content[:-1] + b"?" if "content" in self.spoilt else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def settings() -> Iterator[Settings]:
    for each in (Answers.stored, Answers.seen, Answers.spoilt, Answers.refused_on_a_full_disk):
        each.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Settings(port=server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_push_and_a_pull_of_all_parts(settings: Settings) -> None:
    image = CheckImage.new()
    round_trip(settings, image, Login("check", "word"))
    assert image.repository.startswith(f"{FOLDER}/")
    assert set(Answers.stored.values()) == {image.manifest, image.config, image.layer}
    assert set(Answers.seen) == {"Basic " + base64.b64encode(b"check:word").decode()}
    assert not any(Answers.refused_on_a_full_disk)


def test_no_two_checks_share_content() -> None:
    one, other = CheckImage.new(), CheckImage.new()
    assert one.repository != other.repository
    assert not set(one.blobs) & set(other.blobs)


@pytest.mark.parametrize(
    ("spoilt", "words"), [("POST", "push"), ("PUT", "push"), ("GET", "pull"), ("content", "other")]
)
def test_a_wrong_response_is_reported(settings: Settings, spoilt: str, words: str) -> None:
    Answers.spoilt.add(spoilt)
    with pytest.raises(UpgradeFailed, match=words):
        round_trip(settings, CheckImage.new(), None)


def test_a_registry_that_does_not_answer_fails_the_check() -> None:
    with pytest.raises(UpgradeFailed, match="test push and pull failed"):
        round_trip(Settings(port=1), CheckImage.new(), None)
