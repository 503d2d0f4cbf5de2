"""Environments on disk: made once, whole or not at all, and dropped when they are not used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wainwright.worker.dependencies.cache import EnvironmentCache

DIGEST = "d" * 64


class Cache:
    """A cache, and what became of each use."""

    def __init__(self, root: Path, **bounds: int) -> None:
        self.cache = EnvironmentCache(root, **bounds)
        self.made: list[str] = []
        self.found = 0

    def use(self, digest: str = DIGEST, project: str = "shop", size: int = 1) -> Path:
        def make(folder: Path) -> None:
            self.made.append(digest)
            (folder / "content").write_bytes(b"x" * size)

        with self.cache.use(project, digest, make, waiting=lambda: None, found=self._count) as folder:
            assert (folder / "content").stat().st_size == size
            return folder

    def _count(self) -> None:
        self.found += 1


def test_makes_an_environment_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.use() == cache.use()
    assert (cache.made, cache.found) == ([DIGEST], 1)


def test_keeps_the_environments_of_projects_apart(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.use(project="shop") != cache.use(project="../shop")
    assert len(cache.made) == 2
    assert all(path.parent == tmp_path for path in tmp_path.iterdir())


def test_a_failed_install_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").write_text("done")
        raise OSError("the disk is full")

    cache = Cache(tmp_path)
    with (
        pytest.raises(OSError, match="full"),
        cache.cache.use("shop", DIGEST, fails, waiting=lambda: None, found=lambda: None),
    ):
        pass
    assert [path.name for path in tmp_path.glob("*/*")] == [f"{DIGEST}.lock"]
    cache.use()
    assert cache.made == [DIGEST]


KILLED = """
import sys, time
from pathlib import Path
from wainwright.worker.dependencies.cache import EnvironmentCache

def make(folder):
    (folder / "content").write_text("half")
    print("making", flush=True)
    time.sleep(600)

with EnvironmentCache(Path(sys.argv[1])).use("shop", sys.argv[2], make, waiting=lambda: None, found=lambda: None):
    pass
"""


def test_others_wait_for_who_makes_it_and_go_on_when_that_one_is_killed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), DIGEST], stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == b"making\n"
        waited: list[bool] = []

        def waiting() -> None:
            waited.append(bool(cache.made))
            if len(waited) == 3:
                maker.kill()

        def make(folder: Path) -> None:
            cache.made.append(DIGEST)

        with cache.cache.use("shop", DIGEST, make, waiting=waiting, found=lambda: None) as folder:
            assert not (folder / "content").exists()
    assert len(waited) >= 3
    assert not any(waited), "nothing was made while the other one was at it"
    assert list(tmp_path.glob("*/*.part")) == [], "what it left half done is gone"


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    class Canceled(Exception):
        pass

    def give_up() -> None:
        raise Canceled

    cache = Cache(tmp_path)

    def meanwhile(_folder: Path) -> None:
        with (
            pytest.raises(Canceled),
            Cache(tmp_path).cache.use("shop", DIGEST, lambda _: None, waiting=give_up, found=lambda: None),
        ):
            pass

    with cache.cache.use("shop", DIGEST, meanwhile, waiting=give_up, found=lambda: None):
        pass


def test_drops_what_was_not_used_for_longest(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=2_500, max_days=14)
    folders = {name: cache.use(name * 64, size=1_000) for name in "abc"}
    assert [name for name, folder in folders.items() if folder.exists()] == ["b", "c"]
    age(folders["c"], days=1)
    cache.use("d" * 64, size=1_000)
    assert [name for name, folder in folders.items() if folder.exists()] == ["b"]


def test_drops_what_was_not_used_for_days(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_days=14)
    old, other = cache.use("a" * 64), cache.use("b" * 64)
    age(old, days=15)
    age(other, days=13)
    cache.cache.prune()
    assert (old.exists(), other.exists()) == (False, True)
    assert not old.with_suffix(".lock").exists()


def age(folder: Path, *, days: float) -> None:
    moment = time.time() - days * 86_400
    os.utime(folder / "environment.json", (moment, moment))


@pytest.fixture
def in_use(tmp_path: Path) -> Callable[[Path], None]:
    def use(folder: Path) -> None:
        (folder / "content").write_text("in use")

    return use


def test_never_drops_what_is_in_use(tmp_path: Path, in_use: Callable[[Path], None]) -> None:
    cache = EnvironmentCache(tmp_path, max_bytes=0)
    with cache.use("shop", DIGEST, in_use, waiting=lambda: None, found=lambda: None) as folder:
        EnvironmentCache(tmp_path, max_bytes=0).prune()
        assert (folder / "content").read_text() == "in use"
    EnvironmentCache(tmp_path, max_bytes=0).prune()
    assert not folder.exists()
