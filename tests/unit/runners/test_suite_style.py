"""The pytest configuration of a suite's own, and how its style is told."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wainwright.worker.runners.pytest.suite_style import own_configuration, suite_style


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
