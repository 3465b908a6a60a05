"""A push and a pull of a small image through the frontend's address, as a client makes them."""

from __future__ import annotations

import json
import secrets
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from deployer.errors import UpgradeFailed
from deployer.layout import PLACEHOLDER_HEADER
from deployer.registry.content.manifests import digest_of
from deployer.tls.unverified import unverified

if TYPE_CHECKING:
    import httpx

    from deployer.settings.model import Settings

FOLDER = "deployer-upgrade-check"
"""The prefix of the repositories that the test push creates, and that are removed again."""

_TIMEOUT_SECONDS = 10.0
_TAG = "check"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Login:
    """A temporary user who may push to the repository of the test."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class CheckImage:
    """A small image that no one else has, so that nothing of it is shared when it is removed."""

    repository: str
    config: bytes
    layer: bytes

    @classmethod
    def new(cls) -> CheckImage:
        """One of random content, in a repository of its own."""
        nonce = secrets.token_hex(16)
        config = json.dumps({"architecture": "amd64", "os": "linux", "check": nonce}).encode()
        return cls(f"{FOLDER}/{secrets.token_hex(4)}", config, secrets.token_bytes(1024))

    @property
    def manifest(self) -> bytes:
        """Its manifest."""
        described = [
            {"mediaType": kind, "size": len(content), "digest": digest_of(content)}
            for kind, content in ((_CONFIG, self.config), (_LAYER, self.layer))
        ]
        made = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": described[0], "layers": described[1:]}
        return json.dumps(made).encode()

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of all that it leaves in a registry's storage."""
        return tuple(map(digest_of, (self.manifest, self.config, self.layer)))


def round_trip(settings: Settings, image: CheckImage, login: Login | None) -> None:
    """Push the image, pull it, and compare. Raises UpgradeFailed with what the registry answered."""
    import httpx

    # Whether clients trust the certificate is another question: this tests whether pushes and pulls work.
    verify = unverified() if settings.tls.is_on else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    auth = httpx.BasicAuth(login.name, login.password) if login else None
    try:
        with httpx.Client(
            base_url=settings.local_url,
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            verify=verify,
            auth=auth,
            # Its few bytes are removed again: a nearly full disk says nothing about the new image.
            headers={PLACEHOLDER_HEADER: "1"},
        ) as client:
            trip = _Trip(client, settings.host, f"/v2/{image.repository}")
            trip.push(image)
            trip.pull(image)
    except httpx.HTTPError as error:
        raise UpgradeFailed("The test push and pull failed.", (), str(error)) from error


@dataclass(frozen=True)
class _Trip:
    client: httpx.Client
    host: str
    base: str

    def push(self, image: CheckImage) -> None:
        for content in (image.config, image.layer):
            begun = self._send("POST", f"{self.base}/blobs/uploads/", 202)
            place = begun.headers.get("Location", "")
            joint = "&" if "?" in place else "?"
            kind = {"Content-Type": "application/octet-stream"}
            query = urlencode({"digest": digest_of(content)})
            self._send("PUT", f"{place}{joint}{query}", 201, content, kind)
        self._send("PUT", f"{self.base}/manifests/{_TAG}", 201, image.manifest, {"Content-Type": _MANIFEST})

    def pull(self, image: CheckImage) -> None:
        found = {
            f"{self.base}/manifests/{_TAG}": image.manifest,
            **{f"{self.base}/blobs/{digest_of(content)}": content for content in (image.config, image.layer)},
        }
        for path, content in found.items():
            if self._send("GET", path, 200, headers={"Accept": _MANIFEST}).content != content:
                raise UpgradeFailed(
                    "The registry responded to the test pull with other content than was pushed.", (), path
                )

    def _send(
        self, method: str, path: str, wanted: int, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        answer = self.client.request(
            method, path, content=content, headers=headers, extensions={"sni_hostname": self.host}
        )
        if answer.status_code != wanted:
            what = "pull" if method == "GET" else "push"
            raise UpgradeFailed(
                f"The registry responded to the test {what} with {answer.status_code}.",
                (),
                f"{method} {path}\n{answer.text[:500]}",
            )
        return answer
