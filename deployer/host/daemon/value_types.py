"""Which values the keys of daemon.json take: dockerd does not start with one of another type."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = "a string"
_SIZE = 'a size in quotes, such as "64M"'
_SWITCH = "true or false"
_NUMBER = "a whole number"
_TEXTS = "a list of strings"
_TEXT_VALUES = "an object whose values are strings"
_SWITCH_VALUES = "an object whose values are true or false"
_OBJECT_VALUES = "an object whose values are objects"
_OBJECTS = "a list of objects"
_OBJECT = "an object"

# Of the fields that a value is decoded into (moby, daemon/config, 20.10 to 28); null is accepted for each but a size.
_KEYS = {
    _TEXT: (
        *("api-cors-header", "bip", "bip6", "bridge", "cgroup-parent", "cluster-advertise", "cluster-store"),
        *("containerd", "containerd-namespace", "data-root", "default-cgroupns-mode"),
        *("default-gateway", "default-gateway-v6", "default-ipc-mode", "default-runtime"),
        *("exec-root", "fixed-cidr", "fixed-cidr-v6", "graph", "group", "host-gateway-ip", "http-proxy"),
        *("https-proxy", "init-path", "ip", "log-driver", "log-format", "log-level", "metrics-addr", "no-proxy"),
        *("pidfile", "seccomp-profile", "storage-driver", "swarm-default-advertise-addr", "tlscacert", "tlscert"),
        *("tlskey", "userland-proxy-path", "userns-remap"),
    ),
    _SIZE: ("default-shm-size",),
    _SWITCH: (
        *("debug", "experimental", "icc", "init", "ip-forward", "ip-masq", "ip6tables", "iptables", "ipv6"),
        *("live-restore", "no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify"),
        "userland-proxy",
    ),
    _NUMBER: (
        *("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "mtu"),
        *("network-diagnostic-port", "oom-score-adjust", "shutdown-timeout"),
    ),
    _TEXTS: (
        *("allow-nondistributable-artifacts", "authorization-plugins", "cdi-spec-dirs", "dns", "dns-opts"),
        *("dns-search", "exec-opts", "host-gateway-ips", "hosts", "insecure-registries", "labels"),
        *("node-generic-resources", "registry-mirrors", "storage-opts"),
    ),
    _TEXT_VALUES: ("cluster-store-opts", "log-opts"),
    _SWITCH_VALUES: ("features",),
    _OBJECT_VALUES: ("default-network-opts", "default-ulimits", "runtimes"),
    _OBJECTS: ("default-address-pools",),
    _OBJECT: ("builder", "proxies"),
}
_EXPECTED = {key: kind for kind, keys in _KEYS.items() for key in keys}
# docker/go-units, RAMInBytes.
_RAM = re.compile(r"\d+(?:\.\d+)* ?[kmgtp]?i?b?", re.IGNORECASE | re.ASCII)
_KINDS = {str: "a string", list: "a list", dict: "an object", bool: "true or false", type(None): "null"}


def _all(of: type, values: object, container: type) -> bool:
    if not isinstance(values, container):
        return False
    inner = values.values() if isinstance(values, dict) else values
    return all(value is None or isinstance(value, of) for value in inner)  # type: ignore[attr-defined]


_FITS: dict[str, Callable[[Any], bool]] = {
    _TEXT: lambda value: isinstance(value, str),
    _SIZE: lambda value: isinstance(value, str) and _RAM.fullmatch(value) is not None,
    _SWITCH: lambda value: isinstance(value, bool),
    _NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    _TEXTS: lambda value: _all(str, value, list),
    _TEXT_VALUES: lambda value: _all(str, value, dict),
    _SWITCH_VALUES: lambda value: _all(bool, value, dict),
    _OBJECT_VALUES: lambda value: _all(dict, value, dict),
    _OBJECTS: lambda value: _all(dict, value, list),
    _OBJECT: lambda value: isinstance(value, dict),
}


def complaint(key: str, value: object) -> str:
    """Why dockerd does not take a value for a key, "" if it may."""
    expected = _EXPECTED.get(key)
    if expected is None or (value is None and expected != _SIZE) or _FITS[expected](value):
        return ""
    return f"is {_shown(value)}, where Docker expects {expected}"


def kind_of(value: object) -> str:
    """What a value of JSON is, in words."""
    return _KINDS.get(type(value), "a number")


def _shown(value: object) -> str:
    """A value that can be no secret as it is written, any other by its kind."""
    if isinstance(value, dict):
        odd = next((f'"{name}": {_shown(inner)}' for name, inner in value.items() if not isinstance(inner, str)), "")
        return f"an object with {odd}" if odd else "an object of strings"
    if isinstance(value, list):
        inner = next((kind_of(one) for one in value if not isinstance(one, str)), "")
        return f"a list with {inner}" if inner else "a list"
    return json.dumps(value) if isinstance(value, bool | int | float) else kind_of(value)
