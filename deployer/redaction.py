"""Text of other programs and of configuration files, without what may be a secret in it.

What a user is shown ends in public reports, and in the logs of CI systems.
"""

from __future__ import annotations

import re

HIDDEN = "…"
HELPERS_WORDS_HIDDEN = "(output not shown: it may contain a password)"

# What credential helpers say of themselves (docker-credential-helpers: credentials/error.go, pass, secretservice,
# osxkeychain, wincred; gpg and D-Bus through them). All else that they print may be a login.
_HELPERS_REASONS = re.compile(
    "|".join(
        (
            r"no credentials server URL",
            r"no credentials username",
            r"pass not initialized",
            r"(?:password store|pass) is (?:not initialized|uninitialized|empty)",
            (
                r"(?:public key )?decryption failed: (?:No secret key|No pinentry|Inappropriate ioctl for device"
                r"|Operation cancelled|Bad passphrase|Timeout)"
            ),
            r"Inappropriate ioctl for device",
            r"Cannot autolaunch D-Bus without X11 \$DISPLAY",
            r"The name (?:is not activatable|org\.freedesktop\.secrets was not provided by any \.service files)",
            r"Could not connect: [A-Z][a-z]+(?: [a-z]+)*",
            r"Cannot (?:create|get|access) (?:an item|secret|a secret) (?:in|of) a locked (?:collection|object)",
            r"Timeout was reached",
            r"User interaction is not allowed",
            r"The keychain is locked\.?",
            r"A specified logon session does not exist",
            r"The user name or passphrase you entered is not correct",
        )
    )
)

_HELPERS_OUTPUT = re.compile(r"(credentials - err: [^`]*?, out: )`[^`]*(?:`|$)")
_URL = r"\b[a-z][a-z0-9+.-]*://"
# ssh and sftp take no password there.
_SIGNED_URL = re.compile(rf"({_URL})(?!(?:(?<=ssh://)|(?<=sftp://))[^\s\"'`/@:]*@)[^\s\"'`/@]*@", re.IGNORECASE)
# A password with a slash or an @ in it, as URLs do not allow; what follows a port is a path.
_MISTAKEN_URL = re.compile(rf"({_URL})[^\s\"'`/@:]*:(?!\d+(?:/|$))[^\s\"'`]*@", re.IGNORECASE)
_NAME = (
    r"[\w-]*(?:secret|passw(?:or)?d|passphrase|token|signature|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|(?<![a-z])auth)(?:[_-]?key)?"
)
_FIELD = re.compile(
    rf"([\"']{_NAME}\\?[\"']\s*:\s*)(\\?\"(?:[^\"\\]|\\[^\"])*\\?(?:\"|$)|'[^']*(?:'|$))", re.IGNORECASE
)
_SETTING = re.compile(rf"(\b{_NAME}=)[^\s&;,\"'`)]+", re.IGNORECASE)
_WRITTEN = re.compile(r"(\b(?:password|passwd|passphrase|secret)(?: is|:) )\S+$", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r"\b(Basic|Bearer) (?=\S*[A-Z0-9+/])[A-Za-z0-9+/._~-]{6,}=*")
# docker/cli, cli/command/cli_options.go.
_PAIR = re.compile(r"(key=value pair: )'[^\n]*'")
_HASH = re.compile(r"\$(?:2[abxy]?|apr1|[156])\$[^\s\"'`,]+")
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# compose-go, interpolation/interpolation.go: the value follows, with the part that it takes for a variable.
_INTERPOLATED = re.compile(
    r"(invalid interpolation format for [^\n]+\n(?:You may need to escape any \$ with another \$\.\n)?).*\Z", re.DOTALL
)

_FORMS = (
    *((_SIGNED_URL, rf"\1{HIDDEN}@"), (_MISTAKEN_URL, rf"\1{HIDDEN}@"), (_PRIVATE_KEY, rf"\1{HIDDEN}")),
    *((_FIELD, rf'\1"{HIDDEN}"'), (_HEADER, rf"\1 {HIDDEN}"), (_HASH, HIDDEN)),
)
_WORDS = tuple((rule, rf"\1{HIDDEN}") for rule in (_SETTING, _WRITTEN, _INTERPOLATED, _PAIR))


def without_secrets(text: str) -> str:
    """A text of others without passwords, tokens, keys and hashes; a URL's user name goes with its password."""
    text = _HELPERS_OUTPUT.sub(lambda found: f"{found[1]}`{helpers_reason(found[0])}`", text)
    for rule, replacement in (*_FORMS, *_WORDS):
        text = rule.sub(replacement, text)
    return text


def without_quoted_secrets(sentence: str) -> str:
    """Our own sentence, which may quote a secret, and may speak of passwords."""
    for rule, replacement in _FORMS:
        sentence = rule.sub(replacement, sentence)
    return sentence


def helpers_reason(printed: str) -> str:
    """Why a credential helper failed, as far as it is known to be no login: the rest of what it printed is not."""
    told = dict.fromkeys(found[0] for found in _HELPERS_REASONS.finditer(printed))
    return "\n".join(told) or HELPERS_WORDS_HIDDEN
