"""The synthesized template of this repository, kept until its sources change: synthesis takes many seconds."""

import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wainwright.local.errors import LocalError
from wainwright.worker.runners.node import NodeMissing, find_node

DEFAULT_STAGE = "dev"
_SOURCES = ("app.py", "cdk.json")
_SOURCE_FOLDERS = ("infra", "layers/core/python/wainwright/contracts", "layers/core/python/wainwright/domain")
_TOOLS = ("aws-cdk-lib", "constructs", "cdk-nag", "jsii")
_LEFTOVERS = {"__pycache__", ".DS_Store"}
_TIMEOUT_SECONDS = 300


def template_for(repo_root: Path, cache_dir: Path, *, stage: str = DEFAULT_STAGE) -> dict[str, Any]:
    """The template of a stage, from `cache_dir` (created if missing) if nothing that it is made of has changed.

    Raises:
        LocalError: synthesis is not possible, with what its program said last.
    """
    digest = _digest(repo_root, stage)
    kept = cache_dir / f"template-{digest}.json"
    try:
        template: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        template = _synthesize(repo_root, stage)
        _keep(kept, template)
    return template


def is_cached(repo_root: Path, cache_dir: Path, *, stage: str = DEFAULT_STAGE) -> bool:
    """Return True if `template_for` answers at once; else it takes half a minute, which a user is to be told."""
    return (cache_dir / f"template-{_digest(repo_root, stage)}.json").exists()


def _digest(repo_root: Path, stage: str) -> str:
    """Covers the infrastructure's sources, what of the package they read, which functions there are, and the tools."""
    digest = hashlib.sha256(f"{stage}\n{sys.version}\n".encode())
    for tool in _TOOLS:
        digest.update(f"{tool} {_version(tool)}\n".encode())
    for path in _files(repo_root):
        name = path.relative_to(repo_root).as_posix().encode()
        content = path.read_bytes()
        digest.update(b"%d %s %d " % (len(name), name, len(content)))
        digest.update(content)
    for handler in sorted((repo_root / "functions").glob("*/handler.py")):
        digest.update(f"{handler.parent.name}\n".encode())
    return digest.hexdigest()[:32]


def _files(repo_root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        path = repo_root / name
        if not path.is_file():
            raise LocalError(f"{repo_root} has no {name}: run this in a checkout of Wainwright")
        yield path
    for folder in _SOURCE_FOLDERS:
        for path in sorted((repo_root / folder).rglob("*")):
            if path.is_file() and not _LEFTOVERS.intersection(path.parts):
                yield path


def _version(tool: str) -> str:
    try:
        return version(tool)
    except PackageNotFoundError:
        return "missing"


def _synthesize(repo_root: Path, stage: str) -> dict[str, Any]:
    if importlib.util.find_spec("aws_cdk") is None:
        raise LocalError('the CDK is not installed: install Wainwright with its "local" extra')
    with tempfile.TemporaryDirectory(prefix="wainwright-cdk-") as outdir:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))},
            "CDK_OUTDIR": outdir,
            "WAINWRIGHT_STAGE": stage,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(repo_root / "layers/core/python"), os.environ.get("PYTHONPATH")])
            ),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        }
        with contextlib.suppress(NodeMissing):  # the CDK says so itself
            environment["JSII_NODE"] = str(find_node())
        try:
            done = subprocess.run(
                [sys.executable, "app.py"],
                cwd=repo_root,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LocalError(
                f"synthesizing the infrastructure took more than {_TIMEOUT_SECONDS} s: try `make synth`"
            ) from error
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise LocalError(f"the infrastructure cannot be synthesized: {said} (`make synth` shows all of it)")
        return _only_template(Path(outdir))


def _only_template(outdir: Path) -> dict[str, Any]:
    found = sorted(outdir.glob("*.template.json"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise LocalError(f"the infrastructure has to be one stack for the local system, but its templates are: {names}")
    template: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    return template


def _keep(path: Path, template: dict[str, Any]) -> None:
    """Write it whole or not at all, and forget older ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("template-*.json"):
        old.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        json.dump(template, file)
    Path(file.name).replace(path)
