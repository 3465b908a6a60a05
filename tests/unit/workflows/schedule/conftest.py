"""A systemd for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deployer.workflows.schedule.systemd import Systemd

if TYPE_CHECKING:
    from pathlib import Path

# Its state is a file with the enabled and the active units; like the real one, it knows a unit from the last
# daemon-reload on.
_SYSTEMCTL = """\
#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(sys.argv[0]).parent
state = json.loads((here / "state").read_text())
words = [word for word in sys.argv[1:] if not word.startswith("--")]
state["calls"].append(" ".join(sys.argv[1:]))
verb, names, code = words[0], words[1:], 0
units = {path.name: path.read_text() for path in (here / "units").glob("*")}
if verb == state.get("fails"):
    print("Failed to connect to bus"); code = 1
elif verb == "daemon-reload":
    state["known"] = units
elif verb == "enable":
    code = 0 if set(names) <= set(state["known"]) else 1
    state["enabled"] = sorted({*state["enabled"], *names})
elif verb == "restart":
    for name in names:
        state["active"][name] = state["known"][name]
elif verb in ("disable", "stop"):
    for name in names:
        state["enabled"] = [one for one in state["enabled"] if one != name]
        state["active"].pop(name, None)
elif verb == "is-enabled":
    code = 0 if names[0] in state["enabled"] else 1
elif verb == "is-active":
    code = 0 if names[0] in state["active"] else 3
(here / "state").write_text(json.dumps(state))
sys.exit(code)
"""


@pytest.fixture
def systemd(tmp_path: Path) -> Systemd:
    program = tmp_path / "systemctl"
    program.write_text(_SYSTEMCTL)
    program.chmod(0o755)
    (tmp_path / "units").mkdir()
    (tmp_path / "state").write_text(json.dumps({"calls": [], "known": {}, "enabled": [], "active": {}}))
    return Systemd(tmp_path / "units", is_user=False, program=str(program))
