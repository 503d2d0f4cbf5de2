"""What a Python suite asks for: uv.lock, requirements.txt or pyproject.toml, in this order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wainwright.worker.dependencies.needs import Need, NotPrepared
from wainwright.worker.dependencies.worker_packages import all_satisfied, logical_lines

TEST_GROUPS = ("dev", "test", "tests", "testing", "e2e")
"""Extras and dependency groups of a pyproject.toml that are installed with its dependencies."""

MOST_INCLUDED = 50
MOST_BYTES = 10_000_000
"""Of one file that names dependencies."""

_INCLUDES = ("-r", "--requirement", "-c", "--constraint")


@dataclass(frozen=True)
class PythonNeed(Need):
    """``extras`` and ``groups`` are those of the pyproject.toml that are wanted, ``hashed`` whether each package is pinned."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hashed: bool = False


def python_need(bundle: Path) -> PythonNeed | None:
    """What the bundle asks for beyond what the worker has, or None.

    Raises:
        NotPrepared: a file cannot be read, or includes what is not in the bundle.
    """
    if (bundle / "uv.lock").is_file():
        return _locked(bundle)
    if (bundle / "requirements.txt").is_file():
        return _requirements(bundle)
    if (bundle / "pyproject.toml").is_file():
        return _project(bundle)
    return None


def _locked(bundle: Path) -> PythonNeed:
    if not (bundle / "pyproject.toml").is_file():
        message = "uv.lock belongs to a pyproject.toml, and there is none beside it: add it, or remove the lock"
        raise NotPrepared.because(message, "uv.lock")
    inputs = {name: content_of(bundle, name) for name in ("pyproject.toml", "uv.lock")}
    project = tomllib_of(inputs["pyproject.toml"], "pyproject.toml")
    packages = tomllib_of(inputs["uv.lock"], "uv.lock").get("package", [])
    folders = any({"editable", "directory", "path"} & set(_table(each).get("source", {})) for each in packages)
    return PythonNeed("uv.lock", inputs, folders, extras=_extras(project), groups=_groups(project), hashed=True)


def _requirements(bundle: Path) -> PythonNeed | None:
    inputs: dict[str, bytes] = {}
    lines = _included(bundle, "requirements.txt", inputs)
    if not lines or all_satisfied(lines):
        return None
    folders = any(_names_folder(line) for line in lines)
    hashed = any("--hash=" in line for line in lines)
    return PythonNeed("requirements.txt", inputs, folders, hashed=hashed)


def _included(bundle: Path, name: str, inputs: dict[str, bytes]) -> list[str]:
    """All lines of a requirements file and of those that it includes; an inclusion stays a line, too."""
    if name in inputs:
        return []
    if len(inputs) >= MOST_INCLUDED:
        raise NotPrepared.because(f"it includes more than {MOST_INCLUDED} files", "requirements.txt")
    inputs[name] = content_of(bundle, name)
    lines = logical_lines(inputs[name].decode("utf-8", "replace").splitlines())
    found = list(lines)
    for line in lines:
        option, _, other = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
        if option in _INCLUDES and "://" not in other:
            within = (bundle / name).parent / other.strip()
            if not within.resolve().is_relative_to(bundle.resolve()):
                raise NotPrepared.because(f"{other.strip()} is not in the bundle: run the folder that holds both", name)
            found += _included(bundle, within.resolve().relative_to(bundle.resolve()).as_posix(), inputs)
    return found


def _names_folder(line: str) -> bool:
    """Whether what is installed, or where it is looked for, lies in the bundle."""
    first, _, rest = line.replace("=", " ", 1).partition(" ") if line.startswith("-") else ("", "", line)
    if first in ("-e", "--editable", "-f", "--find-links"):
        return "://" not in rest
    return not first and (line.startswith((".", "file:")) or line.endswith((".whl", ".tar.gz")) or " @ file:" in line)


def _project(bundle: Path) -> PythonNeed | None:
    content = content_of(bundle, "pyproject.toml")
    try:
        project = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # pytest reads it as well, and says what is wrong with it
    table = _table(project.get("project"))
    dynamic = "dependencies" in table.get("dynamic", [])
    extras, groups = _extras(project), _groups(project)
    wanted = [*table.get("dependencies", [])]
    for name in extras:
        wanted += _table(table["optional-dependencies"])[name]
    for name in groups:
        wanted += project["dependency-groups"][name]
    if not dynamic and (not wanted or (all(isinstance(each, str) for each in wanted) and all_satisfied(wanted))):
        return None
    folders = dynamic or any(" @ file:" in each for each in wanted if isinstance(each, str))
    return PythonNeed("pyproject.toml", {"pyproject.toml": content}, folders, extras=extras, groups=groups)


def _extras(project: Mapping[str, Any]) -> tuple[str, ...]:
    found = _table(_table(project.get("project")).get("optional-dependencies"))
    return tuple(name for name in TEST_GROUPS if name in found)


def _groups(project: Mapping[str, Any]) -> tuple[str, ...]:
    found = _table(project.get("dependency-groups"))
    return tuple(name for name in TEST_GROUPS if name in found)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def tomllib_of(content: bytes, file: str) -> dict[str, Any]:
    """A TOML file.

    Raises:
        NotPrepared: it is none.
    """
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotPrepared.because(f"the file is no TOML: {error}", file) from error


def content_of(bundle: Path, name: str) -> bytes:
    """The bytes of a file of the bundle, within bounds.

    Raises:
        NotPrepared: it is not there, or is larger than such a file should be.
    """
    path = bundle / name
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NotPrepared.because(f"the file has more than {MOST_BYTES} bytes", name)
        return path.read_bytes()
    except OSError as error:
        raise NotPrepared.because(f"the file cannot be read: {error.strerror}", name) from error
