"""A blob pulled and pushed, by curl: it has less work with the bytes than any server here."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from pathlib import Path

_REPOSITORY = "bench/blob"
# As Docker does: HTTP/1.1, over TLS too, and a length that is not known beforehand.
_CURL = ("curl", "--silent", "--show-error", "--fail", "--insecure", "--http1.1", "--noproxy", "*")
_PATCH = ("--request", "PATCH", "--header", "Transfer-Encoding: chunked", "--header", "Expect:")


@dataclass(frozen=True)
class Blob:
    """A file to transfer."""

    path: Path
    digest: str
    size: int

    def pull(self, address: str) -> float:
        """Pull it from a registry that has it; return bytes a second."""
        size, seconds = _curl("%{size_download}", f"{address}/v2/{_REPOSITORY}/blobs/{self.digest}")
        if int(size) != self.size:
            raise SystemExit(f"{address} sent {size} bytes instead of {self.size}.")
        return self.size / float(seconds)

    def push(self, address: str) -> float:
        """Push it in one piece; return bytes a second, until the registry has put it where it belongs."""
        with httpx.Client(base_url=address, trust_env=False, verify=False, timeout=60) as client:
            answer = client.post(f"/v2/{_REPOSITORY}/blobs/uploads/").raise_for_status()
            upload = client.base_url.join(answer.headers["Location"])
            file = ("--upload-file", str(self.path))
            location, seconds = _curl("%header{location}", *_PATCH, *file, str(upload))
            begun = time.perf_counter()
            finished = client.base_url.join(location).copy_merge_params({"digest": self.digest})
            client.put(finished).raise_for_status()
            return self.size / (float(seconds) + time.perf_counter() - begun)


def random_blob(path: Path, size: int) -> Blob:
    """Write a file that nothing can compress; having been written just now, it is in memory."""
    content = os.urandom(size)
    path.write_bytes(content)
    return Blob(path, "sha256:" + hashlib.sha256(content).hexdigest(), size)


def _curl(wanted: str, *words: str) -> tuple[str, str]:
    """Run curl; return what of its report is wanted, and the seconds that it took."""
    report = ("--output", os.devnull, "--write-out", f"{wanted} %{{time_total}}")
    done = subprocess.run([*_CURL, *report, *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")
    found, seconds = done.stdout.split()
    return found, seconds
