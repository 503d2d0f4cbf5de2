"""What surrounds the test process, and how a suite's style is told."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wainwright.worker.sandbox.environment import (
    MAX_TEMP_PATH,
    child_environment,
    own_configuration,
    suite_style,
    surroundings,
)


def test_the_childs_environment_is_an_allow_list(tmp_path: Path) -> None:
    ours = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/home/worker",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/secret",
        "WAINWRIGHT_API_KEY": "secret",
        "PYTEST_ADDOPTS": "-x",
        "LD_PRELOAD": "/evil.so",
        "HTTPS_PROXY": "http://user:secret@proxy",
    }
    output = tmp_path / "output"
    output.mkdir()
    with surroundings(output) as place:
        child = child_environment({"SHOP": "x"}, place, Path("/child"), ours)
        assert set(child) == {
            "PATH",
            "LC_ALL",
            "TZ",
            "HOME",
            "TMPDIR",
            "PLAYWRIGHT_BROWSERS_PATH",
            "PLAYWRIGHT_SKIP_BROWSER_GC",
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONUNBUFFERED",
            "PYTHONPATH",
            "SHOP",
        }
        assert child["PLAYWRIGHT_BROWSERS_PATH"] == str(place.root / "browsers")
        assert Path(child["HOME"]).is_relative_to(tmp_path)
        assert Path(child["TMPDIR"]).is_dir()
    assert list(tmp_path.iterdir()) == [output]
    assert not Path(child["TMPDIR"]).exists()


def test_the_temporary_folder_is_short_enough_for_chromiums_socket(tmp_path: Path) -> None:
    output = tmp_path / ("deep" * 20) / "output"
    output.mkdir(parents=True)
    with surroundings(output) as place:
        assert len(str(place.temporary)) <= MAX_TEMP_PATH


@pytest.mark.parametrize(
    ("name", "content", "is_configuration"),
    [
        ("pytest.ini", "", True),
        (".pytest.ini", "", True),
        ("pytest.toml", "", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", True),
        ("pyproject.toml", "[tool.pytest]\n", True),
        ("pyproject.toml", "[tool.ruff]\n", False),
        ("pyproject.toml", "not toml at all [", True),
        ("tox.ini", "[pytest]\n", True),
        ("tox.ini", "[tox]\n", False),
        ("setup.cfg", "[tool:pytest]\n", True),
        ("setup.cfg", "[metadata]\n", False),
    ],
)
def test_finds_the_suites_own_pytest_configuration(
    tmp_path: Path, name: str, content: str, is_configuration: bool
) -> None:
    (tmp_path / name).write_text(content)
    assert own_configuration(tmp_path) == (tmp_path / name if is_configuration else None)


def test_a_parents_configuration_is_not_the_suites(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "suite").mkdir()
    assert own_configuration(tmp_path / "suite") is None


def test_a_suite_without_a_sign_is_a_sync_one_and_loads_no_plugin_it_does_not_mention(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("import hypothesis\ndef test_a(page): pass\n")
    style = suite_style(tmp_path)
    assert not style.asynchronous
    assert set(style.blocked_plugins) == {"playwright-asyncio", "schemathesis", "typeguard", "anyio", "asyncio"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "pytest\npytest-playwright-asyncio==0.7.0\n"),
        ("conftest.py", "from playwright.async_api import Page\n"),
    ],
)
def test_tells_a_suite_of_the_async_api(
    tmp_path: Path, name: str, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(content)
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: module)
    style = suite_style(tmp_path)
    assert style.asynchronous
    assert "playwright" in style.blocked_plugins
    assert "asyncio" not in style.blocked_plugins


def test_a_suite_is_not_async_where_the_plugin_for_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_a.py").write_text("from playwright.async_api import Page\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    assert not suite_style(tmp_path).asynchronous
