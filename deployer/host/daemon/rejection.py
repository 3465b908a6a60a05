"""What dockerd would not start with in a file, as far as that can be seen without dockerd."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host.daemon import jsonc, value_types
from deployer.host.daemon.jsonc import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.host.daemon.file import DaemonFile
    from deployer.host.daemon.jsonc import Key, Word

# The options that daemon.json names otherwise (moby, cmd/dockerd/config.go and opts, NamedOption).
_LISTS = {
    "add-runtime": "runtimes",
    "authorization-plugin": "authorization-plugins",
    "cdi-spec-dir": "cdi-spec-dirs",
    "cluster-store-opt": "cluster-store-opts",
    "default-address-pool": "default-address-pools",
    "default-network-opt": "default-network-opts",
    "default-ulimit": "default-ulimits",
    "dns-opt": "dns-opts",
    "exec-opt": "exec-opts",
    "feature": "features",
    "host": "hosts",
    "insecure-registry": jsonc.KEY,
    "label": "labels",
    "log-opt": "log-opts",
    "node-generic-resource": "node-generic-resources",
    "registry-mirror": "registry-mirrors",
    "storage-opt": "storage-opts",
}
# Known to dockerd, but not in its help.
_HIDDEN = frozenset(
    (
        *("builder", "cluster-advertise", "cluster-store", "deprecated-key-path", "disable-legacy-registry"),
        *("features", "graph", "network-diagnostic-port", "proxies"),
    )
)
# What the documentation of all versions names besides, for keys that differ in case only.
_DOCUMENTED = frozenset(
    (
        *("allow-nondistributable-artifacts", "api-cors-header", "bip", "bip6", "bridge", "cgroup-parent"),
        *("containerd", "containerd-namespace", "containerd-plugins-namespace", "data-root", "debug"),
        *("default-cgroupns-mode", "default-gateway", "default-gateway-v6", "default-ipc-mode", "default-runtime"),
        *("default-shm-size", "dns", "dns-search", "exec-root", "experimental", "fixed-cidr", "fixed-cidr-v6"),
        *("group", "host-gateway-ip", "host-gateway-ips", "http-proxy", "https-proxy", "icc", "init", "init-path"),
        *("ip", "ip-forward", "ip-masq", "ip6tables", "iptables", "ipv6", "live-restore", "log-driver", "log-format"),
        *("log-level", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "metrics-addr"),
        *("mtu", "no-new-privileges", "no-proxy", "oom-score-adjust", "pidfile", "raw-logs", "rootless"),
        *("seccomp-profile", "selinux-enabled", "shutdown-timeout", "storage-driver", "swarm-default-advertise-addr"),
        *("tls", "tlscacert", "tlscert", "tlskey", "tlsverify", "userland-proxy", "userland-proxy-path"),
        *("userns-remap",),
    )
)
# Objects whose members are values; those of the others are taken as keys of the file (flatOptions).
_OBJECTS = frozenset(
    ("builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "features", "log-opts", "runtimes")
)
# May be both on the command line and in the file.
_BOTH = frozenset(("runtimes", "features"))
_SHORT = {
    "-b": "bridge",
    "-D": "debug",
    "-G": "group",
    "-g": "graph",
    "-H": "host",
    "-l": "log-level",
    "-p": "pidfile",
    "-s": "storage-driver",
}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?")
_MOST_PORT = 65535


@dataclass(frozen=True)
class Reader:
    """The dockerd that reads the file: the options of its help, its command line, and whether it reads a BOM.

    `options` is empty if they are not known, or if dockerd can check the file itself.
    """

    options: frozenset[str] = frozenset()
    arguments: tuple[str, ...] = ()
    reads_mark: bool = True


def check(file: DaemonFile, reader: Reader) -> None:
    """Make sure that nothing in the file is known to keep this dockerd from starting. Raises Fault, HostError."""
    text = file.text
    if file.has_mark and not reader.reads_mark:
        raise Fault(text, 0, "the file begins with a byte order mark (BOM), which Docker cannot read before 23.0")
    for entry in jsonc.entries(text):
        words = _why_invalid(entry.text)
        if words:
            raise Fault(
                text,
                entry.start,
                f'"{jsonc.KEY}" lists "{entry.text}", which {words}; Docker would refuse to start',
            )
    known = _DOCUMENTED | _HIDDEN | set(_LISTS.values())
    given = set(_given(reader.arguments))
    for key in _effective(jsonc.keys(text)):
        words = _why_unknown(key.text, known | reader.options, is_complete=bool(reader.options))
        if key.text in given:
            words = "is also given on dockerd's command line; Docker would refuse to start"
        if words:
            raise Fault(text, key.start, f'"{key.text}" {words}')
    for found in jsonc.keys(text):
        words = value_types.complaint(found.name.text, found.value)
        if words:
            raise Fault(text, found.value_start, f'"{found.name.text}" {words}; Docker would refuse to start')


def _effective(keys: Iterable[Key]) -> Iterator[Word]:
    """The keys as dockerd counts them: of most objects the members, not the object (configValuesSet)."""
    for key in keys:
        if key.members is None or key.name.text.lower() in _OBJECTS:
            yield key.name
        else:
            yield from key.members


def _why_unknown(name: str, known: Iterable[str], *, is_complete: bool) -> str:
    if name in known:
        return ""
    if name.lower() in known:
        return f'differs from "{name.lower()}" in case; Docker would refuse to start'
    return "is not a known key of this Docker version, which would not start with it in the file" if is_complete else ""


def _given(arguments: tuple[str, ...]) -> Iterator[str]:
    """The keys of the file that the options on the command line stand for."""
    for word in arguments[1:]:
        option = _SHORT.get(word[:2], "") if not word.startswith("--") else word[2:].partition("=")[0]
        name = _LISTS.get(option, option)
        if name and name not in _BOTH:
            yield name


def _why_invalid(entry: str) -> str:
    """What keeps Docker from accepting an entry, "" for nothing (moby, registry/config.go, loadInsecureRegistries)."""
    bare = jsonc.bare(entry)
    if not entry.strip():
        return "is blank"
    if re.search(r"\s", entry):
        return "contains white space"
    if "://" in bare:
        return "has a scheme that Docker does not know"
    host, slash, _ = bare.partition("/")
    if slash:
        return "" if _is_network(bare) else "is not a valid network" if _is_ip(host) else "has a path"
    return "" if _is_host(bare) else "is not HOST or HOST:PORT"


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return bool(re.search(r"/\d+$", text))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    if found := re.fullmatch(r"\[(.*)\](?::(\d*))?", text):
        host, port = found.group(1), found.group(2) or ""
        return _is_ip(host) and int(port or 0) <= _MOST_PORT
    if _is_ip(text):
        return True
    host, _, port = text.partition(":")
    fits = bool(_HOST.fullmatch(text)) or (_is_ip(host) and not port)
    return fits and int(port or 0) <= _MOST_PORT
