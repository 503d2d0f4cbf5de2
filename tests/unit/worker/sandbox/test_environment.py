"""Environment and private folders of the test process."""

from __future__ import annotations

from pathlib import Path

from wainwright.worker.sandbox.environment import (
    MAX_TEMP_PATH,
    child_environment,
    private_folders,
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
    with private_folders(output) as place:
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
    with private_folders(output) as place:
        assert len(str(place.temporary)) <= MAX_TEMP_PATH
