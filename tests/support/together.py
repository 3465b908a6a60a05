"""Scenarios that share the runs of a command, each still its own test function.

A scenario is a generator: it plants something in its own repositories, yields the command that it needs, is given
what that said, and asserts. The first test that asks for an outcome plants all scenarios, runs each command once, and
keeps what each scenario came to; every test then tells its own, whichever runs alone.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import httpx
    import pytest

    from tests.support.stored import Stored

    Command = tuple[str, ...]
    Steps = Generator[Command, Any, None]
    Scenario = Callable[[Stored, httpx.Client], Steps]


@dataclass
class Together:
    """Scenarios of one module, whose outcomes its fixture `fixture` has.

    `commands` are run in this order; the same one twice is run twice. A scenario whose turn it is not
    yet sees those before pass by.
    """

    fixture: str
    commands: Sequence[Command]
    old: dict[str, Scenario] = field(default_factory=dict)
    young: dict[str, Scenario] = field(default_factory=dict)

    def long_ago(self, scenario: Scenario) -> Callable[..., None]:
        """A test of what was planted three hours ago."""
        self.old[scenario.__name__] = scenario
        return self._test(scenario)

    def just_now(self, scenario: Scenario) -> Callable[..., None]:
        """A test of what was planted a moment ago."""
        self.young[scenario.__name__] = scenario
        return self._test(scenario)

    def outcomes(
        self, stored: Stored, client: httpx.Client, run: Callable[[Command], object]
    ) -> dict[str, Exception | None]:
        """What each scenario failed with, or None."""
        failures: dict[str, Exception | None] = {}
        waiting: dict[str, tuple[Steps, Command]] = {}

        def go_on(name: str, step: Callable[[], Command], steps: Steps) -> None:
            try:
                waiting[name] = steps, step()
            except StopIteration:
                failures[name] = None
            except Exception as failure:  # noqa: BLE001  (raised again by the scenario's own test)
                failures[name] = failure

        stored.clear()
        for scenarios in (self.old, self.young):
            for name, scenario in scenarios.items():
                steps = scenario(stored, client)
                go_on(name, functools.partial(next, steps), steps)
            if scenarios is self.old:
                stored.age()
        for command in self.commands:
            said = run(command)
            for name in [name for name, (_, wanted) in waiting.items() if wanted == command]:
                steps, _ = waiting.pop(name)
                go_on(name, functools.partial(steps.send, said), steps)
        for name, (_, wanted) in waiting.items():
            failures[name] = AssertionError(f"no run of {' '.join(wanted)} is left for it: see Together.commands")
        return failures

    def _test(self, scenario: Scenario) -> Callable[..., None]:
        def test(request: pytest.FixtureRequest) -> None:
            outcomes = request.getfixturevalue(self.fixture)
            if outcomes[scenario.__name__] is not None:
                raise outcomes[scenario.__name__]

        test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
        return test
