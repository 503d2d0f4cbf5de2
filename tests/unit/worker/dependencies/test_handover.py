"""What is installed by one user is kept by another, and lent to a third time after time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.memory.services import MemoryArtifacts
from tests.support.packages import npm_package, wheel
from tests.support.stop import Stop
from wainwright.adapters.clock import system_clock
from wainwright.settings import DependencySettings
from wainwright.worker.dependencies.installer import read_back
from wainwright.worker.dependencies.prepare import Provision, prepare_dependencies
from wainwright.worker.dependencies.requirements import NotPrepared
from wainwright.worker.runners.suite import SuiteRequest
from wainwright.worker.sandbox.isolation import UMASK, Isolation, ProcessUser

NOBODY = 0x7100_0000
"""A user and a group of nobody's."""


def _for_all(program: str) -> bool:
    """True if anybody may run it, also where a link leads."""
    path = Path(program).resolve()
    return path.is_file() and all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


PYTHON = next((path for path in (sys.executable, "/usr/bin/python3") if _for_all(path)), None)
"""An interpreter within the other user's reach; a worker whose own is not runs tests as itself."""

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or PYTHON is None, reason="only root can become another user, who needs an interpreter"
)


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder of the test's own, for pytest takes other users' access from all of its folders when it starts anew."""
    with tempfile.TemporaryDirectory(prefix="ww-handover-") as folder:
        yield Path(folder)


@pytest.fixture
def isolation(root: Path) -> Iterator[Isolation]:
    """Another user, let through to the test's folder."""
    before = os.umask(UMASK)
    groups = os.getgroups()
    os.setgroups([*groups, NOBODY])
    isolation = Isolation(ProcessUser(NOBODY, NOBODY, "tester"))
    isolation.let_through(root)
    yield isolation
    os.setgroups(groups)
    os.umask(before)


def request(root: Path, isolation: Isolation) -> SuiteRequest:
    """A job's folders as the worker makes them."""
    job = root / "job"
    job.mkdir()
    isolation.let_through(job)
    for name in ("bundle", "output"):
        (job / name).mkdir()
        isolation.lend(job / name)
    return SuiteRequest(job / "bundle", job / "output", isolation=isolation)


def run_as_tester(code: str, environment: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PYTHON), "-c", code], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True,
        env={"PYTHONPATH": str(environment / "python"), "PYTHONDONTWRITEBYTECODE": "1", "AT": str(environment)}, check=False,
    )  # fmt: skip


@as_root
@pytest.mark.parametrize("shared", [False, True], ids=["on disk", "by the bucket"])
def test_a_suite_of_another_user_uses_its_environment_and_cannot_change_it(
    root: Path, isolation: Isolation, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    monkeypatch.setattr(sys, "executable", PYTHON)
    index = wheel(root / "index", "smallpackage").parent
    for path in (index, *index.iterdir()):
        path.chmod(0o755)
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    asked = request(root, isolation)
    npm_package(asked.folder, "small", {"scripts": {"postinstall": "id -u > who.txt"}})
    (asked.folder / "playwright.config.ts").write_text("")
    (asked.folder / "requirements.txt").write_text("smallpackage\n")
    isolation.lend_tree(asked.folder)
    cache = None if shared else str(root / "cache")
    provision = Provision("shop", MemoryArtifacts(system_clock), DependencySettings(cache_dir=cache))

    with prepare_dependencies(provision, asked, print, Stop()) as environment:
        assert environment is not None
        assert (environment / "node_modules/small/who.txt").read_text().strip() == str(NOBODY), (
            "installed as the tester"
        )
        found = run_as_tester("import smallpackage; print(smallpackage.version)", environment)
        assert (found.stdout.strip(), found.stderr) == ("1.0", "")
        spoil = "import os; open(os.environ['AT'] + '/python/smallpackage.py', 'w').write('version = 2')"
        assert "PermissionError" in run_as_tester(spoil, environment).stderr
        replaced = (
            "import os; file = os.environ['AT'] + '/python/smallpackage.py'; os.unlink(file); "
            "open(file, 'w').write('version = 2'); os.mkdir(os.environ['AT'] + '/node_modules/.cache')"
        )
        assert run_as_tester(replaced, environment).stderr == "", "its own view is its own"
    assert list(asked.output.parent.glob("run-*")) == []

    with prepare_dependencies(provision, replace(asked), print, Stop()) as again:
        assert again is not None
        assert run_as_tester("import smallpackage; print(smallpackage.version)", again).stdout.strip() == "1.0"


def test_reads_back_no_link_that_an_installer_left(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    link = tmp_path / "resolved.txt"
    link.symlink_to(secret)
    with pytest.raises(NotPrepared):
        read_back(link)
