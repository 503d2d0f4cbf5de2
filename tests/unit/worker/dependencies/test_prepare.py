"""From a bundle to its environment: real installs, of packages that are made on the spot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory.services import MemoryArtifacts
from tests.support.packages import npm_package, wheel
from tests.support.stop import Stop
from wainwright.adapters.clock import system_clock
from wainwright.settings import DependencySettings
from wainwright.worker.dependencies.installer import Bounds
from wainwright.worker.dependencies.prepare import Provision, prepare_dependencies, prepare_request
from wainwright.worker.dependencies.requirements import NotPrepared
from wainwright.worker.runners.node import find_node
from wainwright.worker.runners.suite import Event, JobLog, SuiteRequest


class Worker:
    """A worker with its folders, and what it told."""

    def __init__(self, root: Path, artifacts: MemoryArtifacts, cache: Path | None) -> None:
        self.root = root
        self.provision = Provision("shop", artifacts, DependencySettings(cache_dir=str(cache) if cache else None))
        self.told: list[str] = []

    def request(self, bundle: Path, **options: Any) -> SuiteRequest:
        output = self.root / "job" / "output"
        output.mkdir(parents=True, exist_ok=True)
        return SuiteRequest(bundle, output, **options)

    def prepare(self, bundle: Path, look: Callable[[Path | None], Any], **options: Any) -> Any:
        """What ``look`` gives of the environment; the lines told go to ``told``."""
        with prepare_dependencies(self.provision, self.request(bundle, **options), self._tell, Stop()) as environment:
            return look(environment)

    def _tell(self, event: Event) -> None:
        assert isinstance(event, JobLog)
        self.told.append(event.message)


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts(system_clock)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a suite that asks for a package that is found beside it."""
    wheel(tmp_path / "index", "smallpackage", "1.0", requires=("smallhelper",))
    wheel(tmp_path / "index", "smallhelper", "2.0")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "requirements.txt").write_text("smallpackage\n")
    return folder


def imported(environment: Path | None, code: str) -> str:
    """What Python prints with the environment on its path."""
    assert environment is not None
    command = [sys.executable, "-c", code]
    variables = {"PYTHONPATH": str(environment / "python")}
    return subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout.strip()


def modules(environment: Path | None) -> list[str]:
    assert environment is not None
    return sorted(path.name for path in (environment / "python").glob("*.py"))


def test_installs_what_requirements_ask_for_and_what_that_needs(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    code = "import smallpackage, smallhelper; print(smallpackage.version, smallhelper.version)"
    assert worker.prepare(bundle, lambda environment: imported(environment, code)) == "1.0 2.0"
    assert worker.told == ["installing 2 packages from requirements.txt"]
    assert sorted(path.name for path in bundle.iterdir()) == ["requirements.txt"]


def test_installs_once_for_all_workers_of_a_machine(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    Worker(tmp_path / "w1", artifacts, tmp_path / "cache").prepare(bundle, modules)
    other = Worker(tmp_path / "w2", artifacts, tmp_path / "cache")
    assert other.prepare(bundle, modules) == ["smallhelper.py", "smallpackage.py"]
    assert other.told == ["dependencies of requirements.txt from the cache"]
    assert artifacts.objects == {}


def test_installs_anew_when_the_requirements_change(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    worker.prepare(bundle, modules)
    (bundle / "requirements.txt").write_text("smallhelper\n")
    assert worker.prepare(bundle, modules) == ["smallhelper.py"]


def test_workers_without_a_disk_in_common_get_it_by_way_of_the_bucket(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    Worker(tmp_path / "w1", artifacts, None).prepare(bundle, modules)
    [key] = artifacts.objects
    assert key.startswith("environments/shop/")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "nothing"))
    other = Worker(tmp_path / "w2", artifacts, None)
    assert other.prepare(bundle, modules) == ["smallhelper.py", "smallpackage.py"]
    assert other.told == ["dependencies from another worker's install"]


def test_a_project_gets_nothing_that_another_one_put_into_the_bucket(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    Worker(tmp_path / "w1", artifacts, None).prepare(bundle, modules)
    other = Worker(tmp_path / "w2", artifacts, None)
    other.provision = replace(other.provision, project="another")
    other.prepare(bundle, modules)
    assert other.told == ["installing 2 packages from requirements.txt"]
    assert {key.split("/")[1] for key in artifacts.objects} == {"shop", "another"}


def test_an_archive_that_cannot_be_unpacked_is_made_anew(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    Worker(tmp_path / "w1", artifacts, None).prepare(bundle, modules)
    [key] = artifacts.objects
    content = artifacts.objects[key][0]
    artifacts.put(key, content[: len(content) // 2], "application/gzip")
    other = Worker(tmp_path / "w2", artifacts, None)
    assert other.prepare(bundle, modules) == ["smallhelper.py", "smallpackage.py"]
    assert other.told == ["installing 2 packages from requirements.txt"]


def test_the_suites_version_wins_and_the_workers_stays_as_it_is(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    wheel(tmp_path / "index", "iniconfig", "99.0")
    (bundle / "requirements.txt").write_text("iniconfig==99.0\n")
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    assert worker.prepare(bundle, lambda it: imported(it, "import iniconfig; print(iniconfig.version)")) == "99.0"
    ours = subprocess.run(
        [sys.executable, "-c", "import iniconfig; print(iniconfig.__file__)"], capture_output=True, check=True
    )
    assert str(tmp_path).encode() not in ours.stdout


def test_the_workers_version_is_kept_where_the_suite_names_none(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    from importlib.metadata import version

    wheel(tmp_path / "index", "iniconfig", version("iniconfig"))
    wheel(tmp_path / "index", "iniconfig", "99.0")
    (bundle / "requirements.txt").write_text("iniconfig\nsmallhelper\n")
    assert Worker(tmp_path / "w1", artifacts, tmp_path / "cache").prepare(bundle, modules) == ["smallhelper.py"]


def test_packages_may_lie_in_the_bundle(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    wheel(bundle / "wheels", "ownpackage", "3.0")
    (bundle / "requirements.txt").write_text(
        "--find-links wheels\nownpackage\n./wheels/ownpackage-3.0-py3-none-any.whl\n"
    )
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    assert worker.prepare(bundle, lambda it: imported(it, "import ownpackage; print(ownpackage.version)")) == "3.0"


def test_hashes_are_checked(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    path = wheel(tmp_path / "index", "smallhelper", "2.0")
    digest = sha256(path.read_bytes()).hexdigest()
    (bundle / "requirements.txt").write_text(f"smallhelper==2.0 \\\n    --hash=sha256:{digest}\n")
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    assert worker.prepare(bundle, modules) == ["smallhelper.py"]

    (bundle / "requirements.txt").write_text(f"smallhelper==2.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(NotPrepared, match=r"(?i)hash"):
        worker.prepare(bundle, modules)


def test_a_pyprojects_dependencies_are_installed(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    (bundle / "requirements.txt").unlink()
    (bundle / "pyproject.toml").write_text(
        '[project]\nname = "suite"\nversion = "1"\ndependencies = ["pytest"]\n[dependency-groups]\ndev = ["smallhelper"]\n'
    )
    worker = Worker(tmp_path / "w2", artifacts, tmp_path / "cache")
    assert worker.prepare(bundle, modules) == ["smallhelper.py"]
    assert worker.told == ["installing 1 package from pyproject.toml"]


def test_a_failed_install_ends_the_suite_and_is_not_kept(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    (bundle / "requirements.txt").write_text("no-such-package==1.0\n")
    worker = Worker(tmp_path / "w1", artifacts, None)

    with (
        pytest.raises(NotPrepared) as refused,
        prepare_request(worker.provision, worker.request(bundle), worker._tell, Stop()),
    ):
        raise AssertionError("the suite was run without what it needs")

    assert refused.value.end.reason == "dependencies_failed"
    [error] = refused.value.end.errors
    assert error.file == "requirements.txt"
    assert "no-such-package" in error.message
    assert any("no-such-package" in line for line in worker.told), "the installer's words are in the log"
    assert artifacts.objects == {}
    assert list((tmp_path / "w1").glob("environments/*/*.part")) == []
    assert list((tmp_path / "w1").glob("environments/*/*/environment.json")) == []


def test_a_suite_that_needs_nothing_is_run_at_once(tmp_path: Path, artifacts: MemoryArtifacts) -> None:
    (tmp_path / "bundle").mkdir()
    worker = Worker(tmp_path / "w1", artifacts, None)
    request = worker.request(tmp_path / "bundle", timeout_ms=1_000)
    with prepare_request(worker.provision, request, worker._tell, Stop()) as prepared:
        assert prepared == request
    assert not (tmp_path / "w1" / "environments").exists()
    assert worker.told == []


def test_the_suite_gets_its_environment_and_what_is_left_of_its_time(
    tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts
) -> None:
    worker = Worker(tmp_path / "w1", artifacts, None)
    request = worker.request(bundle, timeout_ms=600_000)
    with prepare_request(worker.provision, request, worker._tell, Stop()) as prepared:
        assert prepared.timeout_ms is not None
        assert 0 < prepared.timeout_ms < 600_000
        assert modules(prepared.dependencies)


def test_an_environment_has_bounds(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    worker = Worker(tmp_path / "w1", artifacts, None)
    worker.provision = replace(worker.provision, bounds=Bounds(files=3))
    with pytest.raises(NotPrepared, match="3 files"):
        worker.prepare(bundle, modules)


# ------------------------------------------------------------------------------------------------------------ Node


@pytest.fixture
def node_bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "playwright.config.ts").write_text("export default {};\n")
    npm_package(folder, "small")
    return folder


def required(environment: Path | None) -> str:
    """What Node prints of the package."""
    assert environment is not None
    code = "console.log(require('small'))"
    return subprocess.run(
        [find_node(), "-e", code], cwd=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_installs_node_packages_by_their_lock(tmp_path: Path, node_bundle: Path, artifacts: MemoryArtifacts) -> None:
    worker = Worker(tmp_path / "w1", artifacts, None)
    assert worker.prepare(node_bundle, required) == "small"
    assert worker.told == ["installing 1 package from package-lock.json"]
    assert not (node_bundle / "node_modules").exists()
    other = Worker(tmp_path / "w2", artifacts, None)
    assert other.prepare(node_bundle, required) == "small"
    assert other.told == ["dependencies from another worker's install"]


def test_scripts_of_packages_run_but_not_those_of_the_suite(
    tmp_path: Path, node_bundle: Path, artifacts: MemoryArtifacts
) -> None:
    # The suite's own postinstall, which npm_package writes, would fail.
    npm_package(node_bundle, "small", {"scripts": {"postinstall": "echo ran > ran.txt"}})
    worker = Worker(tmp_path / "w1", artifacts, None)

    def ran(environment: Path | None) -> str:
        assert environment is not None
        return (environment / "node_modules" / "small" / "ran.txt").read_text().strip()

    assert worker.prepare(node_bundle, ran) == "ran"


def test_a_tarball_that_is_not_what_the_lock_says_is_refused(
    tmp_path: Path, node_bundle: Path, artifacts: MemoryArtifacts
) -> None:
    lock = node_bundle / "package-lock.json"
    lock.write_text(lock.read_text().replace("sha512-", "sha512-AAAA"))
    with pytest.raises(NotPrepared, match=r"EINTEGRITY|integrity") as caught:
        Worker(tmp_path / "w1", artifacts, None).prepare(node_bundle, required)
    assert caught.value.end.errors[0].file == "package-lock.json"


def test_a_uv_lock_is_installed_as_it_is(tmp_path: Path, bundle: Path, artifacts: MemoryArtifacts) -> None:
    from uv import find_uv_bin

    (bundle / "requirements.txt").unlink()
    (bundle / "pyproject.toml").write_text(
        '[project]\nname = "suite"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["smallpackage"]\n'
    )
    command = [find_uv_bin(), "lock", "--quiet", "--no-cache", "--python", sys.executable]
    subprocess.run(command, cwd=bundle, check=True)
    wheel(tmp_path / "index", "smallhelper", "3.0")
    worker = Worker(tmp_path / "w1", artifacts, tmp_path / "cache")
    code = "import smallpackage, smallhelper; print(smallpackage.version, smallhelper.version)"
    assert worker.prepare(bundle, lambda environment: imported(environment, code)) == "1.0 2.0"
    assert worker.told == ["installing 2 packages from uv.lock"]
