"""Python packages: uv.lock, requirements.txt or pyproject.toml, in this order, installed by uv.

They go into a folder of their own that stands before the worker's packages on the import path. First everything is resolved,
preferring the versions that the worker has; then what differs is installed. So the suite's own versions win, and a suite
that only says `playwright` keeps the one whose browsers are here.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wainwright.worker.dependencies.installer import Installer, read_back
from wainwright.worker.dependencies.requirements import NotPrepared, Requirements, content_of, parse_toml
from wainwright.worker.dependencies.worker_packages import (
    OURSELVES,
    all_satisfied,
    installed_packages,
    is_installed,
    logical_lines,
)
from wainwright.worker.sandbox.isolation import write_anew

PYTHON = "python"
"""Folder of an environment that is put on the import path."""
RESOLVED = ".wainwright-resolved.txt"
"""Stands in the bundle's root meanwhile, since paths in it are relative to it."""
TEST_GROUPS = ("dev", "test", "tests", "testing", "e2e")
"""Extras and dependency groups of a pyproject.toml that are installed with its dependencies."""
MAX_INCLUDED = 50

_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_SOURCES = frozenset(
    {"-i", "-f", "--index-url", "--extra-index-url", "--find-links", "--no-index", "--no-binary", "--only-binary"}
)
"""Options of a requirements file that say where packages are; a resolved one leaves them out."""
_UV_OPTIONS = ("--color", "never", "--no-progress", "--no-cache", "--no-python-downloads")
_PLAIN = ("--no-annotate", "--no-header")


@dataclass(frozen=True)
class PythonRequirements(Requirements):
    """``extras`` and ``groups`` are those of the pyproject.toml that are wanted; with ``hashed`` each package is pinned."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hashed: bool = False

    def tool_versions(self) -> Mapping[str, str]:
        return {"python": sys.version, **installed_packages()}

    def install(self, installer: Installer) -> None:
        installed = installed_packages()
        wanted = [line for line in self._resolve(installer, installed) if not is_installed(line, installed)]
        folder = installer.target / PYTHON
        folder.mkdir()
        installer.isolation.lend(folder)
        if not wanted:
            installer.log(f"the worker has all packages of {self.file}")
            return
        installer.log(f"installing {len(wanted)} package{'s' if len(wanted) > 1 else ''} from {self.file}")
        resolved = installer.bundle / RESOLVED
        sources = [line for line in self._lines() if line.replace("=", " ").split(" ")[0] in _SOURCES]
        write_anew(resolved, ("\n".join([*sources, *wanted]) + "\n").encode())
        try:
            self._uv(installer, "pip", "install", "--no-deps", "--compile-bytecode", "--link-mode", "copy",
                     "--python", sys.executable, "--target", str(folder), "-r", RESOLVED)  # fmt: skip
        finally:
            resolved.unlink(missing_ok=True)

    def _resolve(self, installer: Installer, installed: Mapping[str, str]) -> list[str]:
        selected = [
            *(option for name in self.extras for option in ("--extra", name)),
            *(option for name in self.groups for option in ("--group", name)),
        ]
        if self.file == "uv.lock":
            # What is installed without being asked for are the default groups, as `uv sync` does.
            export = ("export", "--frozen", "--no-emit-project", "--no-editable", *_PLAIN, *selected)
            return _not_editable(self._uv(installer, *export))
        if self.hashed:
            return [line for line in self._lines() if not line.startswith("-")]
        resolved = installer.scratch / "resolved.txt"  # uv prefers the versions that it finds in it
        write_anew(resolved, "".join(f"{name}=={version}\n" for name, version in installed.items()).encode())
        left_out = installer.scratch / "overrides.txt"
        write_anew(left_out, f"{OURSELVES} ; python_version < '3'\n".encode())
        self._uv(installer, "pip", "compile", "--quiet", *_PLAIN, "--python", sys.executable,
                 "--overrides", str(left_out), *selected, self.file, "--output-file", str(resolved))  # fmt: skip
        return _not_editable(read_back(resolved).decode("utf-8", "replace").splitlines())

    def _lines(self) -> list[str]:
        """Return all lines of requirements.txt and of the files that it includes."""
        if self.file != "requirements.txt":
            return []
        texts = [content.decode("utf-8", "replace") for content in self.inputs.values()]
        return [line for text in texts for line in logical_lines(text.splitlines())]

    def _uv(self, installer: Installer, *arguments: str) -> list[str]:
        from uv import find_uv_bin

        # Its own settings count where the suite has some, and never those of a folder above it.
        own = () if self._has_settings(installer.bundle) else ("--no-config",)
        return installer.run(self.file, [find_uv_bin(), *arguments, *_UV_OPTIONS, *own], installer.bundle, {})

    def _has_settings(self, bundle: Path) -> bool:
        if self.file == "uv.lock" or (bundle / "uv.toml").is_file():
            return True
        project = bundle / "pyproject.toml"
        return project.is_file() and "uv" in parse_toml(project.read_bytes(), "pyproject.toml").get("tool", {})


def _not_editable(lines: list[str]) -> list[str]:
    # An editable install would lead into this job's bundle, which is gone when the next one uses the environment.
    return [line.removeprefix("-e ") for line in logical_lines(lines)]


def python_requirements(bundle: Path) -> PythonRequirements | None:
    """Return the packages that the bundle asks for beyond what the worker has, or None.
    Raises NotPrepared if a file cannot be read, or includes what is not in the bundle."""
    if (bundle / "uv.lock").is_file():
        return _read_lock(bundle)
    if (bundle / "requirements.txt").is_file():
        return _read_requirements(bundle)
    if (bundle / "pyproject.toml").is_file():
        return _read_project(bundle)
    return None


def _read_lock(bundle: Path) -> PythonRequirements:
    if not (bundle / "pyproject.toml").is_file():
        message = "uv.lock belongs to a pyproject.toml, and there is none beside it: add it, or remove the lock"
        raise NotPrepared.because(message, "uv.lock")
    inputs = {name: content_of(bundle, name) for name in ("pyproject.toml", "uv.lock")}
    extras, groups = _extras_and_groups(parse_toml(inputs["pyproject.toml"], "pyproject.toml"))
    packages = parse_toml(inputs["uv.lock"], "uv.lock").get("package", [])
    folders = any({"editable", "directory", "path"} & set(_table(each).get("source", {})) for each in packages)
    return PythonRequirements("uv.lock", inputs, folders, extras, groups, hashed=True)


def _read_requirements(bundle: Path) -> PythonRequirements | None:
    inputs: dict[str, bytes] = {}
    lines = _included(bundle, "requirements.txt", inputs)
    if not lines or all_satisfied(lines):
        return None
    folders = any(_names_folder(line) for line in lines)
    return PythonRequirements("requirements.txt", inputs, folders, hashed=any("--hash=" in line for line in lines))


def _included(bundle: Path, name: str, inputs: dict[str, bytes]) -> list[str]:
    """Return all lines of a requirements file and of those that it includes; an inclusion stays a line, too."""
    if name in inputs:
        return []
    if len(inputs) >= MAX_INCLUDED:
        raise NotPrepared.because(f"it includes more than {MAX_INCLUDED} files", "requirements.txt")
    inputs[name] = content_of(bundle, name)
    lines = logical_lines(inputs[name].decode("utf-8", "replace").splitlines())
    found = list(lines)
    for line in lines:
        option, _, other = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
        if option in _INCLUDES and "://" not in other:
            file = ((bundle / name).parent / other.strip()).resolve()
            if not file.is_relative_to(bundle.resolve()):
                raise NotPrepared.because(f"{other.strip()} is not in the bundle: run the folder that holds both", name)
            found += _included(bundle, file.relative_to(bundle.resolve()).as_posix(), inputs)
    return found


def _names_folder(line: str) -> bool:
    """True if what is installed, or the place where it is looked for, lies in the bundle."""
    first, _, rest = line.replace("=", " ", 1).partition(" ") if line.startswith("-") else ("", "", line)
    if first in ("-e", "--editable", "-f", "--find-links"):
        return "://" not in rest
    return not first and (line.startswith((".", "file:")) or line.endswith((".whl", ".tar.gz")) or " @ file:" in line)


def _read_project(bundle: Path) -> PythonRequirements | None:
    content = content_of(bundle, "pyproject.toml")
    try:
        project = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # pytest reads it as well, and says what is wrong with it
    table = _table(project.get("project"))
    dynamic = "dependencies" in table.get("dynamic", [])
    extras, groups = _extras_and_groups(project)
    wanted = [*table.get("dependencies", [])]
    for name in extras:
        wanted += _table(table["optional-dependencies"])[name]
    for name in groups:
        wanted += project["dependency-groups"][name]
    if not dynamic and (not wanted or (all(isinstance(each, str) for each in wanted) and all_satisfied(wanted))):
        return None
    folders = dynamic or any(" @ file:" in each for each in wanted if isinstance(each, str))
    return PythonRequirements("pyproject.toml", {"pyproject.toml": content}, folders, extras, groups)


def _extras_and_groups(project: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    extras = _table(_table(project.get("project")).get("optional-dependencies"))
    groups = _table(project.get("dependency-groups"))
    return tuple(name for name in TEST_GROUPS if name in extras), tuple(name for name in TEST_GROUPS if name in groups)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
