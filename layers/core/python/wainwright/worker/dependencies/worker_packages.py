"""The packages that the worker has anyway: what a suite needs of these is not installed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

OURSELVES = "wainwright"
"""The worker itself gives test code what it imports by this name."""

_MAX_DEPTH = 20


def installed_packages() -> dict[str, str]:
    """Return versions by canonical names, ourselves left out."""
    found = {canonicalize_name(each.metadata["Name"] or ""): each.version for each in distributions()}
    return {name: version for name, version in sorted(found.items()) if name not in ("", OURSELVES)}


def all_satisfied(lines: Iterable[str]) -> bool:
    """True if the worker has all that these lines of a requirements file ask for; False where only an index can tell."""
    try:
        wanted = [Requirement(line) for line in logical_lines(lines)]
    except InvalidRequirement:
        return False
    return all(_satisfied(requirement, "") for requirement in wanted)


def logical_lines(lines: Iterable[str]) -> list[str]:
    """Return the lines of a requirements file that say something: joined at backslashes, without comments."""
    found: list[str] = []
    pending = ""
    for line in lines:
        text = line.strip()
        if text.startswith("#"):
            continue
        text = pending + text.partition(" #")[0].strip()
        if text.endswith("\\"):
            pending = text[:-1].rstrip() + " "
            continue
        pending = ""
        if text:
            found.append(text)
    return [*found, pending.strip()] if pending.strip() else found


def is_installed(line: str, installed: Mapping[str, str]) -> bool:
    """Return True if the worker has a resolved requirement in this very version; hashes stay with their lines."""
    try:
        requirement = Requirement(line.partition(" --hash")[0])
    except InvalidRequirement:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    name = canonicalize_name(requirement.name)
    if name == OURSELVES:
        return True
    pins = [each.version for each in requirement.specifier if each.operator == "=="]
    return requirement.url is None and name in installed and pins == [installed[name]]


def _satisfied(requirement: Requirement, extra: str, depth: int = 0) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
        return True
    if canonicalize_name(requirement.name) == OURSELVES:
        return True
    try:
        found = distribution(requirement.name)
    except PackageNotFoundError:
        return False
    if requirement.url is not None or not requirement.specifier.contains(found.version, prereleases=True):
        return False
    return all(_extra_satisfied(found, each, depth) for each in requirement.extras)


def _extra_satisfied(found: Distribution, extra: str, depth: int) -> bool:
    known = {canonicalize_name(each) for each in found.metadata.get_all("Provides-Extra") or []}
    if canonicalize_name(extra) not in known or depth > _MAX_DEPTH:
        return False
    return all(_satisfied(Requirement(each), extra, depth + 1) for each in found.requires or [])
