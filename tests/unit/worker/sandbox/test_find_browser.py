"""Finding a browser."""

from __future__ import annotations

import json
from pathlib import Path

import playwright

from wainwright.worker.sandbox.find_browser import Browser, BrowserMissing, find_browser, programs


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_playwrights_own_build_comes_first(tmp_path: Path) -> None:
    listed = json.loads((Path(playwright.__file__).parent / "driver/package/browsers.json").read_text())["browsers"]
    revision = next(entry["revision"] for entry in listed if entry["name"] == "chromium-headless-shell")
    marker = tmp_path / f"browsers/chromium_headless_shell-{revision}/INSTALLATION_COMPLETE"
    marker.parent.mkdir(parents=True)
    executable(tmp_path / "bin/chromium")
    environ = {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")}
    found = find_browser("chromium", environ, ())
    assert found == Browser("chromium", tmp_path / "bin/chromium"), "an incomplete download does not count"
    marker.touch()
    assert find_browser("chromium", environ, ()) == Browser("chromium", None)


def test_a_browser_on_the_path_comes_before_the_usual_places(tmp_path: Path) -> None:
    place = executable(tmp_path / "opt/chrome")
    environ = {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    assert find_browser("chromium", environ, (str(place),)) == Browser("chromium", place)
    on_path = executable(tmp_path / "bin/google-chrome")
    assert find_browser("chromium", environ, (str(place),)) == Browser("chromium", on_path)


def test_a_headless_shell_comes_first_and_the_build_with_windows_stays_known(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    shell = executable(tmp_path / "bin/chromium-headless-shell")
    assert find_browser("chromium", environ, ()) == Browser("chromium", shell)

    whole = executable(tmp_path / "bin/chromium")
    found = find_browser("chromium", environ, ())

    assert found == Browser("chromium", shell, windowed=whole)
    assert programs([Browser("chromium", shell, whole), Browser("firefox", None)]) == {
        "executables": {"chromium": str(shell), "firefox": None},
        "windowed": {"chromium": str(whole), "firefox": None},
    }


def test_a_missing_browser_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    found = find_browser("chromium", {"PATH": str(tmp_path), "HOME": str(tmp_path)}, ())
    assert isinstance(found, BrowserMissing)
    assert found.command.endswith("-m playwright install --with-deps chromium")
    assert found.command in found.message
    assert "\n" not in found.message


def test_a_systems_firefox_is_of_no_use_to_playwright(tmp_path: Path) -> None:
    executable(tmp_path / "firefox")
    assert isinstance(find_browser("firefox", {"PATH": str(tmp_path), "HOME": str(tmp_path)}, ()), BrowserMissing)


def test_the_workers_chromium_serves_a_suite_with_another_playwright(tmp_path: Path) -> None:
    listed = json.loads((Path(playwright.__file__).parent / "driver/package/browsers.json").read_text())["browsers"]
    revision = next(entry["revision"] for entry in listed if entry["name"] == "chromium-headless-shell")
    build = tmp_path / f"browsers/chromium_headless_shell-{revision}"
    program = executable(build / "chrome-linux/headless_shell")
    (build / "INSTALLATION_COMPLETE").touch()
    suites = tmp_path / "package"
    suites.mkdir()
    environ = {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")}
    for other in ([{"name": "chromium-headless-shell", "revision": "1"}], [{"name": "chromium", "revision": "1"}]):
        (suites / "browsers.json").write_text(json.dumps({"browsers": other}))
        assert find_browser("chromium", environ, (), suites) == Browser("chromium", program)
