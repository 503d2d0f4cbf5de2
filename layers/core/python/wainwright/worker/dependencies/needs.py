"""What is to be installed, and what became of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wainwright.worker.runners.suite import EndReason, SuiteEnd, SuiteError

MOST_MESSAGE_LINES = 8
"""Of the installer's last lines, in the failure; the log has more of them."""

_CREDENTIALS = re.compile(r"(\w+://)[^/@\s]+@")
_UNREACHABLE = re.compile(
    r"error sending request|dns error|connection refused|tcp connect|network is unreachable|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET",
    re.IGNORECASE,
)
_UNTRUSTED = re.compile(
    r"UnknownIssuer|invalid peer certificate|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)", re.IGNORECASE
)


@dataclass(frozen=True)
class Need:
    """One file that names what to install.

    `file` is its name in the bundle, `inputs` the bytes that decide what comes of it, by name, `names_folders` whether it
    installs folders of the bundle itself, which then decide too.
    """

    file: str
    inputs: Mapping[str, bytes]
    names_folders: bool = False

    def digest(self, bundle: Path, versions: Mapping[str, str]) -> str:
        """SHA-256 of the inputs and of what they are installed with, in hexadecimal."""
        contents = {name: hashlib.sha256(content).hexdigest() for name, content in self.inputs.items()}
        folders = folder_digest(bundle) if self.names_folders else None
        parts = [type(self).__name__, self.file, sorted(contents.items()), folders, sorted(versions.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 of all names and contents in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode("utf-8", "replace"))
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


class NotPrepared(Exception):
    """The suite cannot be run, since what it needs is not there; `end` is how it ended."""

    def __init__(self, end: SuiteEnd) -> None:
        super().__init__(end.errors[0].message if end.errors else end.reason)
        self.end = end

    @classmethod
    def because(cls, message: str, file: str, stack: str = "") -> NotPrepared:
        """A bundle that cannot be installed, with the file at fault."""
        return cls(SuiteEnd("dependencies_failed", errors=(SuiteError(message, file=file, stack=stack),)))

    @classmethod
    def ended(cls, reason: EndReason) -> NotPrepared:
        """Ended before the first test, by the user or by the job's time."""
        return cls(SuiteEnd(reason))


def failed_install(file: str, lines: list[str]) -> NotPrepared:
    """An installer that failed, in its own last words, with the next step where it is known."""
    said = [line for line in (without_credentials(line).strip() for line in lines) if line]
    text = "\n".join(said)
    last = "\n".join(said[-MOST_MESSAGE_LINES:]) or "the installer said nothing"
    return NotPrepared.because(f"the dependencies could not be installed: {last}{_advice(text)}", file, text)


def without_credentials(line: str) -> str:
    """A line without the user and password of an address in it."""
    return _CREDENTIALS.sub(r"\1", line)


def _advice(text: str) -> str:
    if _UNTRUSTED.search(text):
        return (
            "\nThe index's certificate is not trusted: name the certificates with SSL_CERT_FILE (Node: NODE_EXTRA_CA_CERTS) "
            "in the worker's environment."
        )
    if _UNREACHABLE.search(text):
        return (
            "\nNo package index could be reached: check the worker's network, or name an index that it reaches with "
            "UV_DEFAULT_INDEX or NPM_CONFIG_REGISTRY in its environment."
        )
    return ""


def read_json(content: bytes, file: str) -> dict[str, Any]:
    """A file that should hold a JSON object.

    Raises:
        NotPrepared: it does not.
    """
    try:
        found = json.loads(content)
    except ValueError as error:
        raise NotPrepared.because(f"the file is no JSON: {error}", file) from error
    if not isinstance(found, dict):
        raise NotPrepared.because("the file holds no JSON object", file)
    return found
