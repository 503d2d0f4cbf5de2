"""Python packages, by uv, into a folder of their own that stands before the worker's packages on the import path.

First everything is resolved, preferring the versions that the worker has; then what differs is installed. So the suite's
own versions win, and a suite that only says `playwright` keeps the one whose browsers are here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from wainwright.worker.dependencies.installing import Installing, read_back
from wainwright.worker.dependencies.python_needs import PythonNeed, tomllib_of
from wainwright.worker.dependencies.worker_packages import (
    OURSELVES,
    installed_packages,
    logical_lines,
    without_installed,
)
from wainwright.worker.sandbox.isolation import write_anew

PYTHON = "python"
"""The folder of an environment that goes on the import path."""

RESOLVED = ".wainwright-resolved.txt"
"""Stands in the bundle's root meanwhile, since paths in it are relative to it."""

_UV_OPTIONS = ("--color", "never", "--no-progress", "--no-cache", "--no-python-downloads")


def install_python(need: PythonNeed, at: Installing) -> None:
    """Fill ``<target>/python``.

    Raises:
        NotPrepared: as :meth:`Installing.run`.
    """
    installed = installed_packages()
    wanted = without_installed(_resolved(need, at, installed), installed)
    folder = at.target / PYTHON
    folder.mkdir()
    at.isolation.lend(folder)
    if not wanted:
        at.log(f"the worker has all that {need.file} asks for")
        return
    at.log(f"installing {len(wanted)} package{'s' if len(wanted) > 1 else ''} from {need.file}")
    resolved = at.bundle / RESOLVED
    write_anew(resolved, ("\n".join([*_where(need, at), *wanted]) + "\n").encode())
    try:
        _uv(need, at, "pip", "install", "--no-deps", "--compile-bytecode", "--link-mode", "copy",
            "--python", sys.executable, "--target", str(folder), "-r", RESOLVED)  # fmt: skip
    finally:
        resolved.unlink(missing_ok=True)


def _resolved(need: PythonNeed, at: Installing, installed: Mapping[str, str]) -> list[str]:
    plain = ("--no-annotate", "--no-header")
    if need.file == "uv.lock":
        # What is installed without being asked for are the default groups, as `uv sync` does.
        return _lines(_uv(need, at, "export", "--frozen", "--no-emit-project", "--no-editable", *plain, *_groups(need)))
    if need.hashed:
        lines = [line for name in need.inputs for line in logical_lines(_text(need, name).splitlines())]
        return [line for line in lines if not line.startswith("-")]
    preferred = at.scratch / "resolved.txt"
    write_anew(preferred, "".join(f"{name}=={version}\n" for name, version in installed.items()).encode())
    left_out = at.scratch / "overrides.txt"
    write_anew(left_out, f"{OURSELVES} ; python_version < '3'\n".encode())
    _uv(need, at, "pip", "compile", "--quiet", *plain, "--python", sys.executable, "--overrides", str(left_out),
        *_groups(need), need.file, "--output-file", str(preferred))  # fmt: skip
    return _lines(read_back(preferred).decode("utf-8", "replace").splitlines())


def _lines(lines: list[str]) -> list[str]:
    # An editable install would lead into this job's bundle, which is gone when the next one uses the environment.
    return [line.removeprefix("-e ") for line in logical_lines(lines)]


def _where(need: PythonNeed, at: Installing) -> list[str]:
    """The lines of a requirements file that say where packages are, which a resolved one leaves out."""
    lines = [
        line for name in need.inputs if name.endswith(".txt") for line in logical_lines(_text(need, name).splitlines())
    ]
    options = (
        "-i",
        "-f",
        "--index-url",
        "--extra-index-url",
        "--find-links",
        "--no-index",
        "--no-binary",
        "--only-binary",
    )
    return [line for line in lines if line.replace("=", " ").split(" ")[0] in options]


def _groups(need: PythonNeed) -> list[str]:
    return [
        *(option for name in need.extras for option in ("--extra", name)),
        *(option for name in need.groups for option in ("--group", name)),
    ]


def _uv(need: PythonNeed, at: Installing, *arguments: str) -> list[str]:
    from uv import find_uv_bin

    # Its own settings count where the suite has some, and never those of a folder above it.
    own = () if _has_settings(at.bundle, need) else ("--no-config",)
    return at.run(need.file, [find_uv_bin(), *arguments, *_UV_OPTIONS, *own], at.bundle, {})


def _has_settings(bundle: Path, need: PythonNeed) -> bool:
    if need.file == "uv.lock" or (bundle / "uv.toml").is_file():
        return True
    project = bundle / "pyproject.toml"
    return project.is_file() and "uv" in tomllib_of(project.read_bytes(), "pyproject.toml").get("tool", {})


def _text(need: PythonNeed, name: str) -> str:
    return need.inputs[name].decode("utf-8", "replace")
