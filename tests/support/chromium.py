"""Chromium as the tests start it: deaf to the machine's networks.

Chromium aborts what it loads (net::ERR_NETWORK_CHANGED) when an address of any interface comes or goes, and other
tests bring up networks all the time. It hears of them on a netlink socket; without one it takes the network to be
unchanged for ever. This file, run as a program, refuses netlink sockets to itself and then becomes another program.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shlex
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# linux/prctl.h, linux/seccomp.h, linux/audit.h and the tables of system calls.
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_RET_ERRNO, _RET_ALLOW = 0x0005_0000, 0x7FFF_0000
_AF_NETLINK = 16
_ARCHITECTURES = {"x86_64": (0xC000_003E, 41), "aarch64": (0xC000_00B7, 198)}
"""By the machine's name: the number of its architecture, and of socket(2) on it."""
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16


def without_network_changes(program: Path, folder: Path) -> Path:
    """Write a program into a folder that starts this one and keeps changes of the machine's networks from it."""
    made = folder / program.name
    words = shlex.join([sys.executable, "-I", __file__, str(program)])
    made.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    made.chmod(0o755)
    return made


def _refuse_netlink() -> None:
    known = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return
    architecture, socket_call = known
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, 5, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_EQUAL, 0, 3, socket_call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_JUMP_IF_EQUAL, 0, 1, _AF_NETLINK),
        (_RETURN, 0, 0, _RET_ERRNO | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _RET_ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    rules = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    for words in ((_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(rules))):
        if library.prctl(*(ctypes.c_ulong(word) for word in words), 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    _refuse_netlink()
    os.execv(sys.argv[1], sys.argv[1:])
