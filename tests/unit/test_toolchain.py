"""What the set-up of a checkout rests on: the pins, the Makefile's help, and answers that say what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import ensure_browser

ROOT = Path(__file__).resolve().parents[2]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
INTERNAL_TARGETS = {"browser"}


def pinned(path: Path) -> set[str]:
    """Return the `name==version` of every requirement in a file of pins."""
    return set(re.findall(r"^[\w.-]+==[^\s;]+", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def executable(path: Path, script: str) -> Path:
    """Write a shell script that can be run."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_pins_name_neither_a_host_nor_a_place_on_disk(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert pinned(path)
    assert re.findall(r"\S*://\S*|--(?:find-links|index-url|extra-index-url|trusted-host)\S*| @ ", text) == []


def test_npm_pins_name_no_host() -> None:
    lock = json.loads((ROOT / "requirements/cdk/package-lock.json").read_text(encoding="utf-8"))

    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all("resolved" not in package and "integrity" in package for package in packages)


@pytest.mark.parametrize("name", ["bootstrap.txt", "lambda.txt", "worker.txt"])
def test_deploys_the_versions_that_were_tested(name: str) -> None:
    assert pinned(ROOT / "requirements" / name) <= pinned(ROOT / "requirements/dev.txt")


def test_every_target_of_make_has_a_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    assert declared is not None

    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    explained = set(re.findall(r"^  make ([a-z-]+) +\S", shown, flags=re.MULTILINE))
    assert explained == set(declared[1].split()) - INTERNAL_TARGETS


def test_refuses_a_python_that_is_too_old_and_says_what_to_do(tmp_path: Path) -> None:
    executable(tmp_path / "python3", 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    dirname = shutil.which("dirname")
    assert dirname is not None
    (tmp_path / "dirname").symlink_to(dirname)

    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts/bootstrap.sh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "error: Python 3.9.2 is too old; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11\n"
    )


def test_passes_over_a_browser_whose_libraries_are_missing(tmp_path: Path) -> None:
    broken = executable(tmp_path / "broken", "echo 'error while loading shared libraries' >&2; exit 127")
    whole = executable(tmp_path / "whole", "echo Chromium 150.0")

    assert not ensure_browser.starts(broken)
    assert not ensure_browser.starts(tmp_path / "absent")
    assert ensure_browser.starts(whole)


def test_takes_no_step_when_a_browser_is_installed(tmp_path: Path) -> None:
    def step() -> bool:
        raise AssertionError("a step was taken although there is a browser")

    assert ensure_browser.ensure(find=lambda: tmp_path, steps=[step]) == tmp_path


def test_goes_on_to_the_next_step_until_a_browser_starts(tmp_path: Path) -> None:
    taken: list[str] = []

    def step(name: str, *, worked: bool) -> bool:
        taken.append(name)
        return worked

    found = ensure_browser.ensure(
        find=lambda: tmp_path if "package" in taken else None,
        steps=[
            lambda: step("download", worked=False),
            lambda: step("libraries", worked=True),
            lambda: step("package", worked=True),
            lambda: step("never", worked=True),
        ],
    )

    assert found == tmp_path
    assert taken == ["download", "libraries", "package"]


def test_finds_no_browser_when_every_step_fails() -> None:
    assert ensure_browser.ensure(find=lambda: None, steps=[lambda: False, lambda: True]) is None
