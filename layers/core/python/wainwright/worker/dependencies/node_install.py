"""Node packages, by npm, into the `node_modules` of an environment."""

from __future__ import annotations

import json
import os
import shutil

from wainwright.worker.dependencies.installing import Installing
from wainwright.worker.dependencies.node_needs import NodeNeed
from wainwright.worker.runners.node import find_node, write_programs
from wainwright.worker.sandbox.isolation import write_anew

NODE_MODULES = "node_modules"


def install_node(need: NodeNeed, at: Installing) -> None:
    """Fill ``<target>/node_modules``.

    Scripts of packages run, as they do on the machine of whoever wrote the suite; those of the suite itself, which prepare a
    developer's checkout, do not.

    Raises:
        NotPrepared: as :meth:`Installing.run`.
        NodeMissing: there is no Node.js to install them with.
    """
    at.log(f"installing {need.packages} package{'s' if need.packages != 1 else ''} from {need.file}")
    if need.names_folders:
        # Links in node_modules lead beside it.
        passed_over = shutil.ignore_patterns(NODE_MODULES)
        shutil.copytree(at.bundle, at.target, dirs_exist_ok=True, symlinks=True, ignore=passed_over)
    for name, content in need.inputs.items():
        write_anew(at.target / name, content)
    manifest = {name: value for name, value in (need.manifest or {}).items() if name != "scripts"}
    write_anew(at.target / "package.json", json.dumps(manifest).encode())
    at.isolation.lend_tree(at.target)
    programs = at.scratch / "programs"
    write_programs(find_node(), programs)
    command = [str(programs / "npm"), "ci", "--include=dev", "--no-audit", "--no-fund", "--no-update-notifier"]
    settings = {
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
        "NO_COLOR": "1",
    }
    at.run(need.file, command, at.target, settings)
    (at.target / ".npmrc").unlink(missing_ok=True)  # it may name a token, which has no place in what is kept
    (at.target / NODE_MODULES).mkdir(exist_ok=True)
