"""How access rules are explained, compared and tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.access.users import warn_of_rules
from deployer.cli.views.rule_changes import changes_in_words, changes_json
from deployer.cli.views.words import counted
from deployer.permissions.expectations import sentence
from deployer.permissions.explanation import Ground, Lack
from deployer.settings.access import OF_GROUP
from deployer.settings.values import checks

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.permissions.difference import RuleChange
    from deployer.permissions.explanation import Explanation, RuleMatch
    from deployer.workflows.users.rules import Answer, ExpectationResults

_PREPOSITIONS = {"pull": "from", "push": "to", "delete": "from"}
_EVERYONE = {checks.LOGGED_IN: "every logged-in user", checks.ANONYMOUS: "everyone, with or without login"}


@dataclass(frozen=True)
class AnswerReport(Report):
    """Whether someone may do something, and by which rules."""

    answer: Answer

    @property
    def has_failed(self) -> bool:
        """Whether the answer is no."""
        return not self.answer.explanation.is_allowed

    def as_json(self) -> dict[str, Any]:
        """The request, the answer, and the rules."""
        found = self.answer.explanation
        request = found.request
        return {
            "who": request.who,
            "action": request.action,
            "repository": request.repository,
            "allowed": found.is_allowed,
            "because": str(found.ground),
            "rules": [self._rule_json(one) for one in found.rules],
            "near": [{**self._rule_json(one), "lacks": str(lack)} for one, lack in found.near],
            "in_force": self.answer.permissions.are_in_force,
        }

    def print(self, out: Output) -> None:
        """Print the answer, and a line for each rule."""
        found = self.answer.explanation
        out.line(f"{'Yes' if found.is_allowed else 'No'}: {_sentence(found)}")
        for one in found.rules:
            out.line(f"  {self._place(one)} is for {_meant(one, found.request.who)}: {_said(one)}")
        for one, lack in found.near:
            out.line(f"  {self._place(one)} {_lacking(one, lack, found)}")

    def remark(self, out: Output) -> None:
        """Say what the answer leaves open."""
        found = self.answer.explanation
        warn_of_rules(out, self.answer.permissions)
        if not self.answer.is_known:
            out.warn(f"There is no user {found.request.who}, so the login is rejected.")
        if found.is_allowed and found.request.action == "delete" and not self.answer.may_push:
            out.note("To delete a single tag of registry 2.8, push is needed too.")

    def _place(self, one: RuleMatch) -> str:
        line = self.answer.lines.get(one.number)
        return f"access[{one.number}]" if line is None else f"access[{one.number}] (line {line})"

    def _rule_json(self, one: RuleMatch) -> dict[str, Any]:
        return {"rule": f"access[{one.number}]", "line": self.answer.lines.get(one.number), "through": one.through}


@dataclass(frozen=True)
class DifferenceReport(Report):
    """What the rules of the settings would change."""

    changes: tuple[RuleChange, ...]

    def as_json(self) -> dict[str, Any]:
        """Each change."""
        return {"changes": changes_json(self.changes)}

    def print(self, out: Output) -> None:
        """Print a line for each change."""
        if not self.changes:
            out.line("The running registry uses these rules already; nothing would change for anyone.")
        for line in changes_in_words(self.changes):
            out.line(line)

    def remark(self, out: Output) -> None:
        """Say how to apply them."""
        if self.changes:
            out.note("To apply: deployer up")


@dataclass(frozen=True)
class ExpectationsReport(Report):
    """Whether the rules meet what is expected."""

    tested: ExpectationResults

    @property
    def has_failed(self) -> bool:
        """Whether some expectation is not met."""
        return len(self.tested.met) < len(self.tested.expectations)

    def as_json(self) -> dict[str, Any]:
        """Each expectation, and an example against it."""
        failures = {one.expectation: one for one in self.tested.failures}
        return {
            "expectations": [
                {
                    "who": one.who,
                    "statement": one.statement,
                    "met": one in self.tested.met,
                    "example": None
                    if one not in failures
                    else {
                        "user": failures[one].user or checks.ANONYMOUS,
                        "action": failures[one].action,
                        "repository": failures[one].repository,
                    },
                }
                for one in self.tested.expectations
            ]
        }

    def print(self, out: Output) -> None:
        """Print those that are not met, or that all are."""
        for failure in self.tested.failures:
            out.line(out.bad("✗") + f" {sentence(failure)}")
        for name in self.tested.unknown:
            out.line(out.bad("✗") + f" expect: no such user '{name}'")
        out.line(f"{len(self.tested.met)} of {counted(len(self.tested.expectations), 'expectation')} met.")


def _sentence(found: Explanation) -> str:
    request = found.request
    what = f"{request.action} {_PREPOSITIONS[request.action]} {request.repository}"
    who = "anyone, without login," if request.who == checks.ANONYMOUS else _named(request.who)
    if found.is_allowed and found.ground is Ground.RULE:
        return f"{who} may {what}."
    if found.ground is Ground.NO_LOGIN:
        return f"anyone may {what}: there are no users, so no login is required."
    if found.ground is Ground.NO_RULES:
        may = "every logged-in user may do everything"
        return f"{who} may {'' if found.is_allowed else 'not '}{what}: there are no rules, so {may}."
    if request.who == checks.ANONYMOUS:
        return f"no one may {what} without login: {found.ground}."
    return f"{who} may not {what}: {found.ground}."


def _named(who: str) -> str:
    return who.replace(OF_GROUP, "group ", 1)


def _meant(one: RuleMatch, who: str) -> str:
    if one.through in _EVERYONE:
        return _EVERYONE[one.through]
    return _named(who) if one.through == who else f"{who} ({_named(one.through)})"


def _said(one: RuleMatch) -> str:
    return f"{', '.join(one.rule.allow)} {_patterns(one)}"


def _patterns(one: RuleMatch) -> str:
    return "everything" if "*" in one.rule.repositories else ", ".join(one.rule.repositories)


def _lacking(one: RuleMatch, lack: Lack, found: Explanation) -> str:
    request = found.request
    if lack is Lack.WHO:
        named = [*one.rule.users, *(f"group {name}" for name in one.rule.groups)]
        return f"allows it, but only for {', '.join(_EVERYONE.get(name, name) for name in named)}."
    if lack is Lack.ACTION:
        allowed = ", ".join(one.rule.allow)
        return f"is for {_meant(one, request.who)} and {request.repository}, but allows only {allowed}."
    return f"is for {_meant(one, request.who)} and allows {request.action}, but only for {_patterns(one)}."
