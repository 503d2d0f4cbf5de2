"""What a Node suite asks for: package.json with the lock of npm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wainwright.worker.dependencies.needs import Need, NotPrepared, read_json
from wainwright.worker.dependencies.python_needs import content_of

LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
"""npm reads the first of these that is there."""

OTHER_LOCKS = {
    "yarn.lock": "Yarn",
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "Bun",
    "bun.lockb": "Bun",
}

_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True)
class NodeNeed(Need):
    """``packages`` is how many the lock names; ``manifest`` the package.json."""

    packages: int = 0
    manifest: Mapping[str, Any] | None = None


def node_need(bundle: Path) -> NodeNeed | None:
    """What the bundle asks for, or None.

    Raises:
        NotPrepared: a package.json with dependencies has no lock that npm reads.
    """
    if not (bundle / "package.json").is_file():
        return None
    inputs = {"package.json": content_of(bundle, "package.json")}
    manifest = read_json(inputs["package.json"], "package.json")
    if not any(manifest.get(kind) for kind in (*_KINDS, "workspaces")):
        return None
    lock = next((name for name in LOCKS if (bundle / name).is_file()), None)
    if lock is None:
        raise _no_lock(bundle)
    inputs[lock] = content_of(bundle, lock)
    if (bundle / ".npmrc").is_file():
        inputs[".npmrc"] = content_of(bundle, ".npmrc")
    packages = read_json(inputs[lock], lock).get("packages")
    if not isinstance(packages, dict):
        message = "this lock is of npm 6 or older: make it anew with `npm install --package-lock-only`"
        raise NotPrepared.because(message, lock)
    links = any(isinstance(each, dict) and _is_in_bundle(each) for each in packages.values())
    named = sum(1 for name in packages if "node_modules/" in name)
    return NodeNeed(lock, inputs, links, packages=named, manifest=manifest)


def _is_in_bundle(package: Mapping[str, Any]) -> bool:
    return bool(package.get("link")) or str(package.get("resolved", "")).startswith("file:")


def _no_lock(bundle: Path) -> NotPrepared:
    found = next((name for name in OTHER_LOCKS if (bundle / name).is_file()), None)
    has = f"only {found}, the lock of {OTHER_LOCKS[found]}" if found else "no lock file"
    return NotPrepared.because(
        f"there is {has} beside package.json. Packages are installed by npm from package-lock.json or npm-shrinkwrap.json: "
        "make one with `npm install --package-lock-only` and run again",
        found or "package.json",
    )
