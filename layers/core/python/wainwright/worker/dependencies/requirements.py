"""Requirements of a suite: the files that name them, read within bounds, and the digest that they lead to."""

from __future__ import annotations

import hashlib
import json
import platform
import sysconfig
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wainwright.worker.runners.suite import EndReason, SuiteEnd, SuiteError

if TYPE_CHECKING:
    from wainwright.worker.dependencies.installer import Installer

MAX_BYTES = 10_000_000
"""Of one file that names dependencies."""


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


@dataclass(frozen=True)
class Requirements(ABC):
    """One file that names what to install: its name in the bundle, and by name the bytes that decide what comes of it.
    With `names_folders` it installs folders of the bundle itself, which then decide too."""

    file: str
    inputs: Mapping[str, bytes]
    names_folders: bool = False

    def digest(self, bundle: Path) -> str:
        """Return the SHA-256 of the inputs and of what they are installed with, in hexadecimal."""
        contents = {name: hashlib.sha256(content).hexdigest() for name, content in self.inputs.items()}
        folders = folder_digest(bundle) if self.names_folders else None
        versions = {"": f"{sysconfig.get_platform()} {'-'.join(platform.libc_ver())}", **self.tool_versions()}
        parts = [self.file, sorted(contents.items()), folders, sorted(versions.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @abstractmethod
    def tool_versions(self) -> Mapping[str, str]:
        """Versions of what an installed environment depends on besides its inputs."""

    @abstractmethod
    def install(self, installer: Installer) -> None:
        """Fill the installer's target. Raises NotPrepared as :meth:`Installer.run`."""


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of all names and contents in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode("utf-8", "replace"))
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def content_of(bundle: Path, name: str) -> bytes:
    """Read a file of the bundle. Raises NotPrepared if it is not there, or larger than such a file should be."""
    path = bundle / name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NotPrepared.because(f"the file has more than {MAX_BYTES} bytes", name)
        return path.read_bytes()
    except OSError as error:
        raise NotPrepared.because(f"the file cannot be read: {error.strerror}", name) from error


def parse_json(content: bytes, file: str) -> dict[str, Any]:
    """Parse a file that should hold a JSON object. Raises NotPrepared if it does not."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise NotPrepared.because(f"the file is not JSON: {error}", file) from error
    if not isinstance(found, dict):
        raise NotPrepared.because("the file is not a JSON object", file)
    return found


def parse_toml(content: bytes, file: str) -> dict[str, Any]:
    """Parse a TOML file. Raises NotPrepared if it is none."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotPrepared.because(f"the file is not TOML: {error}", file) from error
