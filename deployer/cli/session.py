"""What every command starts from: the environment, the settings, the deployment, and where results are shown."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from deployer.cli.output import REPEAT
from deployer.cli.presentation import Presentation
from deployer.errors import EXIT_FAILURE, Cancelled, DeployerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from deployer.cli.output import Output
    from deployer.cli.presentation import Report
    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.registry.client import RegistryClient
    from deployer.registry.login.credentials import Credentials
    from deployer.registry.protocol.place import Place
    from deployer.settings.load import Loaded
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.users.accounts import Accounts

_ADDRESS_VARIABLES = ("DEPLOYER_HOST", "DEPLOYER_PORT")
NOTHING_CHANGED = "Dry run: nothing was changed."


@contextmanager
def all_or_nothing(names: Sequence[str], done: str) -> Iterator[None]:
    """Around the plan for several names: an error in it says that the other names were not done ("pushed") either."""
    try:
        yield
    except DeployerError as error:
        if len(names) > 1:
            error.message += f" Nothing was {done}."
        raise


@dataclass(frozen=True)
class Session:
    """One run of the command line.

    The settings and the engine are read when first asked for: `--help` needs neither, and a
    command that speaks to the registry alone never looks for an engine. `on_report` is told each report that is shown.
    """

    config: Path | None
    name: str | None
    host: str | None
    port: str | None
    environment: Mapping[str, str]
    directory: Path
    out: Output
    presentation: Presentation = field(default_factory=Presentation)
    assumed: bytes | None = field(default=None, repr=False)
    on_report: Callable[[Report], None] | None = None

    @cached_property
    def loaded(self) -> Loaded:
        """The settings in effect and the file they came from. Raises ConfigurationError."""
        from deployer.settings.load import FILE_NAME, Assumed, Flags, load

        flags = Flags(self.config, self.name, self.host, self.port)
        file = None if self.assumed is None else Assumed(self.directory / FILE_NAME, self.assumed)
        found = load(flags, self.environment, self.directory, assumed=file)
        if found.source is not None and found.source != self.directory / FILE_NAME:
            self.out.selection.note_file(str(found.source))
        return found

    def assuming(self, content: bytes) -> Session:
        """The same run with a ./deployer.yaml of this content, which is not written yet, unless there is a file."""
        return replace(self, assumed=content)

    @property
    def settings(self) -> Settings:
        """The settings in effect. Raises ConfigurationError."""
        return self.loaded.settings

    @cached_property
    def deployment(self) -> Deployment:
        """Where this deployment's files lie on this machine."""
        from deployer.paths import Deployment

        return Deployment.of(self.settings.name, self.environment)

    @property
    def known_deployment(self) -> Deployment | None:
        """The same; None for a user without a home folder, who needs none to speak to a registry."""
        from deployer.paths import Deployment

        return Deployment.known(self.settings.name, self.environment)

    @property
    def is_named(self) -> bool:
        """Whether a name alone says which deployment is meant: then it must be on this machine."""
        is_told = self.name is not None or self.loaded.is_of_another
        return is_told and not {"host", "port"} & self.loaded.given

    @property
    def place(self) -> Place:
        """Where the registry is that the settings name. Nothing is asked of it."""
        from deployer.registry.protocol.place import Place

        return Place.of(self.settings.url)

    def require_deployment(self, engine: Engine | None = None, *, changes: bool = False) -> None:
        """Make sure that a deployment named by --name alone is on this machine. Raises NotFound.

        With an engine, containers whose files are gone count too, and one that is named by --host or --port alone
        has to be on this machine as well. For a command that `changes` its storage, the host and the port have to be
        its own wherever they come from: a deployer.yaml may be that of a client of another registry.
        """
        if self.is_named:
            from deployer.workflows.configuration import deployments

            deployments.require(self.deployment, self.environment, engine)
        elif engine is not None and (self.host or self.port) and "name" not in self.loaded.given:
            from deployer.workflows.configuration import deployments

            deployments.require_address(self.deployment, self.settings, self.environment, engine)
        elif engine is not None and changes:
            from deployer.workflows.configuration import deployments

            deployments.refuse_unapplied_address(self.deployment, self.settings)

    def refuse_elsewhere(self, *, changes: bool = False, before_up: bool = False) -> None:
        """Make sure that the address is not that of a registry elsewhere. Raises NotFound.

        For commands that know only the files of this machine, also without an engine. One that `changes` them goes
        by the address in a deployer.yaml, too. What is of use `before_up` takes each address that the first `up` may be
        about to use: for what is only shown, one of this machine itself, or with a name.
        """
        from deployer.workflows.configuration import deployments

        is_flag = bool(self.host or self.port)
        is_told = is_flag or any(map(self.environment.get, _ADDRESS_VARIABLES))
        if (changes or is_told) and not is_flag:
            deployments.refuse_unapplied_address(self.deployment, self.settings)
        if is_told:
            is_new = before_up and (changes or self.settings.is_loopback or "name" in self.loaded.given)
            may_be_new = is_new or (not self.deployment.is_begun and self._has_containers())
            deployments.require_address(self.deployment, self.settings, self.environment, None, may_be_new=may_be_new)

    def accounts(self, *, changes: bool = False) -> Accounts:
        """The users of the deployment on this machine, also before the first `up`.

        Raises NotFound for the address of a registry elsewhere, and HostError if they were lost.
        """
        from deployer.workflows.users import accounts

        self.refuse_elsewhere(changes=changes, before_up=True)
        return accounts.not_lost(self.stack, self.environment, must_exist=self.is_named)

    def _has_containers(self) -> bool:
        """Whether the deployment has containers, as it does when its files are lost; none without an engine."""
        with suppress(DeployerError):
            return bool(self.stack.containers())
        return False

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine. Nothing is asked of it before it is used."""
        from deployer.engine.client import Client
        from deployer.engine.engine import Engine

        return Engine(Client(self.environment))

    @cached_property
    def stack(self) -> Stack:
        """The deployment that the settings name."""
        from deployer.workflows.deployment.stack import Stack

        return Stack(self.settings, self.deployment, self.engine, source=self.loaded.source)

    def tell_page(self) -> None:
        """Let the page show what ran and what was backed up by now. It is no reason for a command to fail."""
        from deployer.workflows.page import upkeep_state

        with suppress(DeployerError, OSError):
            upkeep_state.publish(self.deployment, self.stack.now())

    def registry(self, credentials: Credentials | None = None) -> RegistryClient:
        """A client of the registry that the settings name; close it.

        `credentials` are used in place of the saved ones.
        """
        from deployer.registry.client import RegistryClient

        self.require_deployment()
        deployment = self.known_deployment
        ca = deployment.ca_file if deployment else None
        return RegistryClient.of(self.settings, self.environment, ca, credentials=credentials)

    def show(self, report: Report) -> None:
        """Print a report as it is wanted. One that has failed ends the command with exit code 1."""
        if self.on_report:
            self.on_report(report)
        if self.presentation.as_json:
            self.out.json(report.as_json())
        else:
            report.print(self.out)
        report.remark(self.out)
        if report.has_failed:
            raise typer.Exit(EXIT_FAILURE)

    def show_plan(self, plan: Report) -> bool:
        """Show what a command is about to do; return whether that was all, as it is in a dry run.

        A program gets one JSON value: the plan in a dry run, otherwise what was done.
        """
        if self.presentation.dry_run or not self.presentation.as_json:
            self.show(plan)
        if self.presentation.dry_run:
            self.out.note(NOTHING_CHANGED)
        return self.presentation.dry_run

    def asks(self, question: str) -> bool:
        """Ask something of which both answers are good; --yes answers it. Raises ConfirmationNeeded."""
        try:
            self.confirm(question)
        except Cancelled:
            return False
        return True

    def confirm(self, question: str, *, yes: bool = False, otherwise: tuple[str, ...] = (REPEAT,)) -> None:
        """Ask before something is changed, unless --yes or `yes` answers; return only if the answer is yes.

        `otherwise` says what to do if no one can answer. Raises Cancelled or ConfirmationNeeded.
        """
        self.out.confirm(question, yes=yes or self.presentation.yes, otherwise=otherwise)

    def confirm_in_person(self, question: str, otherwise: tuple[str, ...]) -> None:
        """The same where --yes, which may be in a script, must not answer. Raises Cancelled or ConfirmationNeeded."""
        self.out.confirm(question, yes=False, otherwise=otherwise)
