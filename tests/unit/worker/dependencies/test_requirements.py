"""What a bundle asks for, told from its files."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.packages import npm_package
from wainwright.worker.dependencies.node_packages import node_requirements
from wainwright.worker.dependencies.prepare import requirements_of
from wainwright.worker.dependencies.python_packages import PythonRequirements, python_requirements
from wainwright.worker.dependencies.requirements import NotPrepared


def write(folder: Path, **files: str) -> Path:
    """Files by names in which `__` stands for a dot."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    return folder


def needed(folder: Path) -> PythonRequirements:
    need = python_requirements(folder)
    assert need is not None
    return need


def test_a_bundle_that_names_nothing_needs_nothing(tmp_path: Path) -> None:
    write(tmp_path, test_a__py="def test_a(): pass\n", pyproject__toml="[tool.pytest.ini_options]\n")
    assert requirements_of(tmp_path) == []


@pytest.mark.parametrize(
    "requirements",
    [
        "",
        "# nothing\n\n",
        "pytest\npytest-playwright>=0.7  # as we have it\n",
        "playwright; python_version >= '3.9'\nno-such-package; python_version < '3'\n",
        f"pytest=={version('pytest')}\n",
        "wainwright\n",
    ],
)
def test_needs_nothing_where_the_worker_has_all_of_it(tmp_path: Path, requirements: str) -> None:
    write(tmp_path, requirements__txt=requirements)
    assert python_requirements(tmp_path) is None


@pytest.mark.parametrize(
    "requirements",
    [
        "no-such-package\n",
        "pytest==0.0.1\n",
        "pytest[no-such-extra]\n",
        "--index-url https://index.example/simple\npytest\n",
        "./wheels/other-1.0-py3-none-any.whl\n",
        "pytest @ https://files.example/pytest.whl\n",
    ],
)
def test_needs_what_the_worker_has_not_or_cannot_tell(tmp_path: Path, requirements: str) -> None:
    write(tmp_path, requirements__txt=requirements)
    assert needed(tmp_path).file == "requirements.txt"


def test_a_lock_comes_before_requirements_and_these_before_a_pyproject(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml='[project]\nname = "a"\nversion = "1"\ndependencies = ["no-such-package"]\n')
    assert needed(tmp_path).file == "pyproject.toml"
    write(tmp_path, requirements__txt="no-such-package\n")
    assert needed(tmp_path).file == "requirements.txt"
    write(tmp_path, uv__lock="version = 1\n")
    assert needed(tmp_path).file == "uv.lock"


def test_a_pyproject_also_asks_for_its_groups_for_tests(tmp_path: Path) -> None:
    write(
        tmp_path,
        pyproject__toml="""
        [project]
        name = "a"
        version = "1"
        dependencies = ["pytest"]
        optional-dependencies = {test = ["no-such-package"], docs = ["no-such-package-either"]}
        [dependency-groups]
        dev = ["pytest"]
        docs = ["no-such-package-either"]
        """,
    )
    need = needed(tmp_path)
    assert (need.extras, need.groups) == (("test",), ("dev",))


def test_included_files_decide_too(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="-r base.txt\n-c pins.txt\n", base__txt="no-such-package\n", pins__txt="a==1\n")
    before = needed(tmp_path)
    assert set(before.inputs) == {"requirements.txt", "base.txt", "pins.txt"}
    write(tmp_path, pins__txt="a==2\n")
    assert needed(tmp_path).digest(tmp_path) != before.digest(tmp_path)


@pytest.mark.parametrize("line", ["-r ../secret.txt", "--requirement=/etc/passwd", "-c missing.txt"])
def test_refuses_to_include_what_is_not_in_the_bundle(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("a\n")
    write(folder, requirements__txt=f"{line}\n")
    with pytest.raises(NotPrepared) as caught:
        python_requirements(folder)
    assert caught.value.end.reason == "dependencies_failed"


def test_a_file_of_dependencies_that_is_a_link_out_of_the_bundle_cannot_come_in_a_bundle(tmp_path: Path) -> None:
    # A link that leads out is refused when the bundle is unpacked; one that leads nowhere names the file.
    (tmp_path / "uv.lock").write_text("not toml [")
    write(tmp_path, pyproject__toml="[project]\n")
    with pytest.raises(NotPrepared, match=r"not TOML"):
        python_requirements(tmp_path)


def test_the_digest_is_of_contents_and_versions_and_of_the_bundle_only_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, requirements__txt="no-such-package\n", test_a__py="one")
    need = needed(tmp_path)
    first = need.digest(tmp_path)
    with monkeypatch.context() as another:
        another.setattr(sys, "version", "3.99")
        assert need.digest(tmp_path) != first
    write(tmp_path, test_a__py="two")
    assert need.digest(tmp_path) == first

    write(tmp_path, requirements__txt="./package\n")
    local = needed(tmp_path)
    before = local.digest(tmp_path)
    write(tmp_path, test_a__py="three")
    assert local.digest(tmp_path) != before


def test_hashes_are_told(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="no-such-package==1 \\\n    --hash=sha256:00\n")
    assert needed(tmp_path).hashed


def test_a_pytest_suite_in_a_web_project_does_not_install_its_packages(tmp_path: Path) -> None:
    write(tmp_path, package__json='{"dependencies": {"react": "19"}}', test_a__py="def test_a(): pass\n")
    assert requirements_of(tmp_path) == []


def test_a_suite_of_playwright_test_needs_its_lock_and_what_its_server_is_written_in(tmp_path: Path) -> None:
    npm_package(tmp_path, "small")
    write(tmp_path, playwright__config__ts="", requirements__txt="no-such-package\n")
    assert [need.file for need in requirements_of(tmp_path)] == ["requirements.txt", "package-lock.json"]


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("yarn.lock", "only yarn.lock, the lock of Yarn"),
        ("pnpm-lock.yaml", "only pnpm-lock.yaml, the lock of pnpm"),
        (None, "no lock file beside package.json"),
    ],
)
def test_names_the_locks_that_it_reads(tmp_path: Path, lock: str | None, said: str) -> None:
    write(tmp_path, package__json='{"devDependencies": {"@playwright/test": "1"}}')
    if lock:
        (tmp_path / lock).write_text("")
    with pytest.raises(NotPrepared, match=said) as caught:
        node_requirements(tmp_path)
    assert "npm install --package-lock-only" in str(caught.value)


def test_refuses_a_lock_of_npm_6(tmp_path: Path) -> None:
    write(tmp_path, package__json='{"dependencies": {"a": "1"}}')
    (tmp_path / "package-lock.json").write_text(json.dumps({"lockfileVersion": 1, "dependencies": {}}))
    with pytest.raises(NotPrepared, match="npm 6 or older"):
        node_requirements(tmp_path)


def test_a_package_json_without_dependencies_needs_nothing(tmp_path: Path) -> None:
    write(tmp_path, package__json='{"type": "module"}')
    assert node_requirements(tmp_path) is None
