"""The login at one registry: looked up when the registry first asks for one, and then kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from deployer.errors import Denied
from deployer.layout import NOBODY_TOKEN, TOKEN_PATH
from deployer.printable import printable
from deployer.registry.login.credentials import find_credentials
from deployer.registry.protocol.answers import original_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.registry.login.credentials import Credentials
    from deployer.registry.protocol.answers import Answer


class SignIn:
    """Who we are to one registry: the user that was given, or the one that `docker login` saved.

    `authorization` is the header's value, "" as long as none was asked for; `user` its name. Only
    with `plain` it is for answers in plain HTTP too.
    """

    def __init__(self, address: str, environment: Mapping[str, str], given: Credentials | None, *, plain: bool) -> None:
        self._address = address
        self._environment = environment
        self._given = given
        self._plain = plain
        self._lock = threading.Lock()
        self._variable = ""
        self.authorization = ""
        self.user = ""

    def look_up(self, answer: Answer, signed: str) -> None:
        """Find the login after a 401; `signed` is what the refused request carried.

        Raises Denied if there is none that could serve, the one that there is was refused, or it
        would cross the network for everyone to read.
        """
        with self._lock:
            if self.authorization != signed:
                return
            if signed:
                raise self.refused(answer)
            is_public = self._gives_tokens(answer)
            if is_public and not self._given and find_credentials(self._address, self._environment) is None:
                self.authorization = f"Bearer {NOBODY_TOKEN}"
                return
            if not is_public:
                self._refuse_tokens(answer)
            self._refuse_plain(answer)
            found = self._given or self._saved(answer)
            self.user, self._variable = found.username, found.variable
            self.authorization = found.basic()

    def refused(self, answer: Answer) -> Denied:
        """The error for a login that the registry does not take."""
        if self._given:
            return Denied(
                f"The registry at {self._address} rejected the password for '{self.user}'.",
                (
                    "Check the name and the password.",
                    f"deployer user password {self.user}   (sets a new one, on the machine that runs the registry)",
                ),
                original_text(answer),
            )
        if self._variable:
            return Denied(
                f"The registry at {self._address} rejected the login for '{self.user}' in {self._variable}.",
                (f"Correct it, or use what `docker login` saved: unset {self._variable}",),
                original_text(answer),
            )
        return Denied(
            f"The registry at {self._address} rejected the saved credentials for '{self.user}'.",
            (f"docker login {self._address}",),
            original_text(answer),
        )

    def _gives_tokens(self, answer: Answer) -> bool:
        """Whether it is a registry of ours of which a part is public: it takes a login as it is, and none."""
        challenge = " ".join(answer.headers.get_list("WWW-Authenticate"))
        return f'realm="{urljoin(answer.url, TOKEN_PATH)}"' in challenge

    def _refuse_tokens(self, answer: Answer) -> None:
        challenge = " ".join(answer.headers.get_list("WWW-Authenticate"))
        if "bearer" in challenge.lower() and "basic" not in challenge.lower():
            raise Denied(
                f"The registry at {self._address} uses a token server for login, which deployer does not support.",
                ("Use a registry with Basic authentication, such as the one that `deployer up` starts.",),
                printable(challenge),
            )

    def _refuse_plain(self, answer: Answer) -> None:
        # Anyone who is in between can answer 401 in plain HTTP, for a registry that has TLS too.
        if self._plain or urlsplit(answer.url).scheme == "https":
            return
        raise Denied(
            f"{self._address} requires login over plain HTTP, where anyone on the network path could read the "
            "password. No password was sent.",
            (
                "If the registry has TLS, another machine may be answering in its place.",
                (
                    "If it has none and you trust the network, set tls: off in deployer.yaml, or, for one "
                    "command, DEPLOYER_TLS=off"
                ),
            ),
            original_text(answer),
        )

    def _saved(self, answer: Answer) -> Credentials:
        found = find_credentials(self._address, self._environment)
        if found is None:
            raise Denied(
                f"The registry at {self._address} requires login, and no credentials are saved for it.",
                (f"docker login {self._address}",),
                original_text(answer),
            )
        if found.identity_token:
            raise Denied(
                f"The saved login for {self._address} is a token for a token server, not a password.",
                (f"docker logout {self._address}", f"docker login {self._address}"),
            )
        return found
