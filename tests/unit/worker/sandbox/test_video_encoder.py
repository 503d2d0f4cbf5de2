"""The encoder of videos, found where Playwright has none of its own."""

import json
from pathlib import Path

import pytest

from wainwright.worker.sandbox.video_encoder import browsers_with_ffmpeg, find_ffmpeg


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    folder = tmp_path / "driver"
    folder.mkdir()
    listed = {"browsers": [{"name": "chromium", "revision": "1"}, {"name": "ffmpeg", "revision": "77"}]}
    (folder / "browsers.json").write_text(json.dumps(listed))
    return folder


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")


def test_links_an_ffmpeg_of_this_machine_beside_the_browsers_that_there_are(tmp_path: Path, driver: Path) -> None:
    browsers = tmp_path / "browsers"
    (browsers / "firefox-9").mkdir(parents=True)
    root = tmp_path / "root"
    root.mkdir()

    made = browsers_with_ffmpeg(browsers, root, driver, {})

    assert made == root / "browsers"
    assert (made / "firefox-9").resolve() == browsers / "firefox-9"
    assert (made / "ffmpeg-77" / "ffmpeg-linux").resolve() == find_ffmpeg({})
    assert browsers_with_ffmpeg(browsers, root, driver, {}) == made


def test_leaves_playwrights_own_alone(tmp_path: Path, driver: Path) -> None:
    own = tmp_path / "browsers" / "ffmpeg-77" / "ffmpeg-linux"
    own.parent.mkdir(parents=True)
    own.touch()

    assert browsers_with_ffmpeg(tmp_path / "browsers", tmp_path, driver, {}) == tmp_path / "browsers"


def test_without_an_ffmpeg_nothing_is_made(tmp_path: Path, driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    assert browsers_with_ffmpeg(tmp_path / "none", tmp_path, driver, {"PATH": str(tmp_path)}) == tmp_path / "none"


def test_a_playwright_that_lists_no_ffmpeg_is_left_alone(tmp_path: Path) -> None:
    assert browsers_with_ffmpeg(tmp_path / "none", tmp_path, tmp_path, {}) == tmp_path / "none"
