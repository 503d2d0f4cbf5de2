"""Whom test code runs as."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

from wainwright.worker.sandbox.process_user import UserUnusable, choose_user


def own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize("wanted", [own_name(), str(os.geteuid())], ids=["name", "number"])
def test_the_workers_own_user_means_no_other(tmp_path: Path, wanted: str) -> None:
    chosen = choose_user(wanted, tmp_path)

    assert chosen.user is None
    assert f"WAINWRIGHT_TEST_USER={wanted}" in chosen.why


def test_a_name_without_an_account_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserUnusable, match="WAINWRIGHT_TEST_USER=nobody-of-that-name: there is no such account"):
        choose_user("nobody-of-that-name", tmp_path)


def test_who_is_not_root_runs_tests_as_himself_and_cannot_be_asked_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_321)
    why = "only root can become another user" if sys.platform.startswith("linux") else "only on Linux"

    chosen = choose_user(None, tmp_path)
    assert chosen.user is None
    assert why in chosen.why
    with pytest.raises(UserUnusable, match=why):
        choose_user("12345", tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root on Linux")
def test_a_folder_that_the_user_cannot_get_to_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "work").mkdir()
    groups = os.getgroups()
    try:
        chosen = choose_user(None, closed / "work")
    finally:
        os.setgroups(groups)

    # Which of them is met first depends on where this checkout lies.
    assert chosen.user is None
    assert any(word in chosen.why for word in ("cannot read", "cannot run"))
