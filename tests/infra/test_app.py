"""Synthesis itself: stages, the command line, the assets, cfn-lint."""

import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from tests.infra.synthesized import ROOT, Synthesized

NO_NETWORK = """
const fs = require("fs");
fs.writeFileSync(process.env.GUARDED, "");
const refuse = (what) => (...given) => {
  fs.appendFileSync(process.env.REFUSED, what + "\\n");
  throw new Error("the network is not to be used: " + what);
};
require("net").Socket.prototype.connect = refuse("connect");
require("dns").lookup = refuse("lookup");
require("dgram").Socket.prototype.send = refuse("send");
"""
"""Preloaded into the CDK's Node: whatever reaches for the network fails, and leaves a note."""


@pytest.mark.slow
def test_synthesizes_without_network_and_credentials(node: Path, tmp_path: Path, dev: Synthesized) -> None:
    guard, guarded, refused = tmp_path / "no-network.cjs", tmp_path / "guarded.txt", tmp_path / "refused.txt"
    out = tmp_path / "out"
    guard.write_text(NO_NETWORK, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JSII_NODE": str(node),
        "NODE_OPTIONS": f"--require={guard}",
        "GUARDED": str(guarded),
        "REFUSED": str(refused),
        "CDK_OUTDIR": str(out),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "core" / "python"), str(ROOT)]),
    }

    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert guarded.exists()
    assert not refused.exists()
    assert Synthesized.read(out, "Wainwright-dev").body == dev.body


@pytest.mark.usefixtures("stacks")
def test_answers_an_unknown_stage_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import app

    monkeypatch.setenv("WAINWRIGHT_STAGE", "staging")
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "out"))

    with pytest.raises(SystemExit) as exit_:
        app.main()

    assert exit_.value.code == (
        "wainwright: there is no stage 'staging'; choose dev or prod with WAINWRIGHT_STAGE or --context stage=NAME"
    )


def test_stages_cannot_be_changed() -> None:
    from infra.stages import stage_named

    with pytest.raises(FrozenInstanceError):
        stage_named("dev").max_workers = 1_000  # type: ignore[misc]


def test_stacks_are_bound_to_no_account_and_no_region(each: Synthesized) -> None:
    text = json.dumps(each.body)

    assert "us-east-1" not in text
    assert not [word for word in text.replace(":", " ").replace('"', " ").split() if word.isdigit() and len(word) == 12]


def test_production_cannot_be_deleted_by_mistake(stacks: dict[str, object]) -> None:
    protection = {name: getattr(stack, "termination_protection", None) for name, stack in stacks.items()}

    assert protection == {"dev": False, "prod": True}


def test_assets_hold_handlers_and_package_and_nothing_else(dev: Synthesized) -> None:
    folders = [dev.folder / asset["source"]["path"] for asset in dev.assets["files"].values()]
    files = {
        path.relative_to(folder).as_posix()
        for folder in folders
        if folder.is_dir() and not (folder / "python").is_dir()
        for path in folder.rglob("*")
        if path.is_file()
    }
    core = {
        path.relative_to(folder).as_posix()
        for folder in folders
        if (folder / "python" / "wainwright").is_dir()
        for path in folder.rglob("*")
        if path.is_file()
    }

    assert all(path.startswith("functions/") and not path.startswith("functions/browser_worker/") for path in files)
    assert "python/wainwright/contracts/names.py" in core
    assert not any(path.startswith(("python/wainwright/cli/", "python/wainwright/worker/")) for path in core)
    assert not any(path.endswith(".pyc") for path in files | core)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small tree in the repository's layout."""
    for path in (
        "functions/__init__.py",
        "functions/api/handler.py",
        "functions/browser_worker/Dockerfile",
        "layers/core/python/wainwright/domain/jobs.py",
        "layers/core/python/wainwright/cli/main.py",
        "layers/deps/.gitkeep",
        "README.md",
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize(
    ("folder", "patterns", "changed", "counts"),
    [
        (".", "FUNCTIONS", "functions/api/handler.py", True),
        (".", "FUNCTIONS", "functions/api/problem.py", True),
        (".", "FUNCTIONS", "functions/browser_worker/Dockerfile", False),
        (".", "FUNCTIONS", "functions/api/__pycache__/handler.cpython-313.pyc", False),
        (".", "FUNCTIONS", "README.md", False),
        (".", "FUNCTIONS", "tests/functions/test_api.py", False),
        (".", "FUNCTIONS", "layers/core/python/wainwright/functions/x.py", False),
        ("layers/core", "CORE", "layers/core/python/wainwright/domain/jobs.py", True),
        ("layers/core", "CORE", "layers/core/python/wainwright/domain/local/x.py", True),
        ("layers/core", "CORE", "layers/core/python/wainwright/cli/main.py", False),
        ("layers/core", "CORE", "layers/core/python/wainwright/client/jobs.py", False),
        ("layers/core", "CORE", "layers/core/python/wainwright/local/server.py", False),
        ("layers/core", "CORE", "layers/core/python/wainwright/worker/loop/agent.py", False),
        ("layers/core", "CORE", "layers/core/python/wainwright/domain/__pycache__/jobs.cpython-313.pyc", False),
        ("layers/core", "CORE", "layers/core/python/wainwright.egg-info/PKG-INFO", False),
        ("layers/deps", "DEPS", "layers/deps/python/pydantic/main.py", True),
        ("layers/deps", "DEPS", "layers/deps/python/bin/jsonschema", False),
        ("layers/deps", "DEPS", "layers/deps/python/pydantic/__pycache__/main.cpython-313.pyc", False),
    ],
)
def test_an_asset_changes_with_its_own_sources_alone(
    repository: Path, folder: str, patterns: str, changed: str, counts: bool
) -> None:
    from aws_cdk import FileSystem, IgnoreMode

    from infra import deployed_files

    def digest() -> str:
        return FileSystem.fingerprint(
            str(repository / folder), exclude=list(getattr(deployed_files, patterns)), ignore_mode=IgnoreMode.GIT
        )

    before = digest()
    file = repository / changed
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("changed", encoding="utf-8")

    assert (digest() != before) is counts


@pytest.mark.slow
def test_cfn_lint_finds_nothing(each: Synthesized) -> None:
    from cfnlint.api import lint  # type: ignore[import-untyped]
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

    assert [str(match) for match in lint(json.dumps(each.body), config=ManualArgs(regions=["us-east-1"]))] == []
