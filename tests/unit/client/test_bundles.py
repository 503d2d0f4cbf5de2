"""Packing test directories."""

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wainwright.client import Bounds, Bundle, BundleError, pack
from wainwright.client.suite_files import NEVER

TEST = "def test_it(): pass\n"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write(tmp_path / "suite", {"test_it.py": TEST})


def packed(tmp_path: Path, *paths: Path, bounds: Bounds | None = None) -> Bundle:
    return pack(paths, tmp_path / "bundle.tar.gz", bounds=bounds)


# What is in it


def test_packs_a_directory_sorted_and_from_its_own_root(tmp_path: Path) -> None:
    suite = write(tmp_path / "s", {"test_b.py": TEST, "pages/cart.py": "", "conftest.py": "", "data/ü.json": "{}"})
    bundle = packed(tmp_path, suite)
    assert bundle.names == ("conftest.py", "data/ü.json", "pages/cart.py", "test_b.py")
    with tarfile.open(bundle.file) as archive:
        assert archive.getnames() == list(bundle.names)
        assert archive.extractfile("test_b.py").read() == TEST.encode()  # type: ignore[union-attr]


def test_leaves_out_what_no_test_needs(tmp_path: Path, suite: Path) -> None:
    write(suite, {f"{name}/x.py": "" for name in (".git", "__pycache__", ".venv", "a/node_modules", ".wainwright")})
    assert packed(tmp_path, suite).names == ("test_it.py",)


def test_packs_one_file_with_the_conftest_and_configuration_beside_it(tmp_path: Path, suite: Path) -> None:
    write(suite, {"conftest.py": "", "pytest.ini": "[pytest]", "test_other.py": TEST})
    assert packed(tmp_path, suite / "test_it.py").names == ("conftest.py", "pytest.ini", "test_it.py")


def test_packs_several_paths_below_their_common_directory(tmp_path: Path) -> None:
    write(tmp_path, {"t/a/test_a.py": TEST, "t/b/c/test_b.py": TEST, "t/b/conftest.py": "", "t/d/test_d.py": TEST})
    bundle = packed(tmp_path, tmp_path / "t/a", tmp_path / "t/b/c/test_b.py")
    assert bundle.names == ("a/test_a.py", "b/c/test_b.py", "b/conftest.py")


def test_packs_a_path_named_twice_once(tmp_path: Path, suite: Path) -> None:
    assert packed(tmp_path, suite, suite / "test_it.py").names == ("test_it.py",)


# Digests


def test_the_same_content_has_the_same_digest_whenever_and_wherever_it_was_written(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"test_a.py": TEST, "b/c.txt": "c"})
    two = write(tmp_path / "two", {"b/c.txt": "c", "test_a.py": TEST})
    os.utime(two / "test_a.py", (1, 1))
    (two / "b/c.txt").chmod(0o600)
    assert pack([one], tmp_path / "1.tgz").sha256 == pack([two], tmp_path / "2.tgz").sha256


@pytest.mark.parametrize("change", ["content", "name", "executable"])
def test_other_content_has_another_digest(tmp_path: Path, suite: Path, change: str) -> None:
    before = packed(tmp_path, suite).sha256
    file = suite / "test_it.py"
    match change:
        case "content":
            file.write_text("def test_other(): pass\n")
        case "name":
            file.rename(suite / "test_that.py")
        case "executable":
            file.chmod(0o755)
    assert packed(tmp_path, suite).sha256 != before


def test_tells_nothing_of_the_machine_it_was_packed_on(tmp_path: Path, suite: Path) -> None:
    bundle = packed(tmp_path, suite)
    assert bundle.file.read_bytes()[3] == 0  # no name in gzip's header
    with tarfile.open(bundle.file) as archive:
        entry = archive.getmember("test_it.py")
    assert (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) == (0, 0, "", "", 0)


# .gitignore


def test_honours_gitignore_files_the_nearest_first(tmp_path: Path, suite: Path) -> None:
    write(
        suite,
        {
            ".gitignore": "*.log\n/out/\nsecret*\n", "a.log": "", "out/x": "", "secret.txt": "", "sub/out/x": "",
            "sub/.gitignore": "!keep.log\nhere.txt\n", "sub/keep.log": "", "sub/b.log": "", "sub/here.txt": "",
            "here.txt": "",
        },
    )  # fmt: skip
    assert packed(tmp_path, suite).names == (
        ".gitignore", "here.txt", "sub/.gitignore", "sub/keep.log", "sub/out/x", "test_it.py",
    )  # fmt: skip


def test_nothing_below_an_ignored_directory_comes_back(tmp_path: Path, suite: Path) -> None:
    write(suite, {".gitignore": "out/\n!out/keep.txt\n", "out/keep.txt": ""})
    assert "out/keep.txt" not in packed(tmp_path, suite).names


def test_honours_the_rules_of_the_repository_around(tmp_path: Path) -> None:
    write(tmp_path / "repo", {".git/HEAD": "", ".gitignore": "*.log\n/tests/out\n", "tests/test_a.py": TEST})
    write(tmp_path / "repo/tests", {"a.log": "", "out/x": ""})
    assert packed(tmp_path, tmp_path / "repo/tests").names == ("test_a.py",)


def test_rules_above_the_repository_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.txt", "repo/.git/HEAD": "", "repo/t/test_a.py": TEST, "repo/t/a.txt": ""})
    assert "a.txt" in packed(tmp_path, tmp_path / "repo/t").names


def test_packs_an_ignored_directory_that_was_named(tmp_path: Path) -> None:
    write(tmp_path / "repo", {".git/HEAD": "", ".gitignore": "build/\n", "build/tests/test_a.py": TEST})
    assert packed(tmp_path, tmp_path / "repo/build/tests").names == ("test_a.py",)


# Links


def test_packs_what_a_link_within_the_directory_leads_to(tmp_path: Path, suite: Path) -> None:
    write(suite, {"data/a.json": "{}"})
    (suite / "again").symlink_to("data")
    (suite / "b.json").symlink_to("data/a.json")
    bundle = packed(tmp_path, suite)
    assert bundle.names == ("again/a.json", "b.json", "data/a.json", "test_it.py")
    with tarfile.open(bundle.file) as archive:
        assert all(entry.isfile() for entry in archive)


@pytest.mark.parametrize("target", ["../outside", "../outside/x.txt", "/etc"])
def test_refuses_a_link_that_leads_out(tmp_path: Path, suite: Path, target: str) -> None:
    write(tmp_path, {"outside/x.txt": ""})
    (suite / "sub").mkdir()
    (suite / "sub" / "link").symlink_to(target if target.startswith("/") else f"../{target}")
    with pytest.raises(BundleError, match="the link sub/link leads out of the directory"):
        packed(tmp_path, suite)


def test_an_ignored_link_may_lead_anywhere(tmp_path: Path, suite: Path) -> None:
    write(suite, {".gitignore": "link\n"})
    (suite / "link").symlink_to("/etc")
    assert "link" not in packed(tmp_path, suite).names


def test_refuses_links_that_lead_in_a_circle(tmp_path: Path, suite: Path) -> None:
    (suite / "round").symlink_to(".")
    with pytest.raises(BundleError, match="the link round leads back to itself"):
        packed(tmp_path, suite)


def test_refuses_a_link_to_itself_or_to_nothing(tmp_path: Path, suite: Path) -> None:
    (suite / "self").symlink_to("self")
    with pytest.raises(BundleError, match="self cannot be read"):
        packed(tmp_path, suite)
    (suite / "self").unlink()
    (suite / "gone").symlink_to("nothing")
    with pytest.raises(BundleError, match="gone cannot be read"):
        packed(tmp_path, suite)


def test_refuses_what_is_no_file(tmp_path: Path, suite: Path) -> None:
    os.mkfifo(suite / "pipe")
    with pytest.raises(BundleError, match="pipe is neither file nor directory"):
        packed(tmp_path, suite)


# Bounds


def test_refuses_more_than_the_unpacked_bound_and_names_the_biggest(tmp_path: Path, suite: Path) -> None:
    write(suite, {"big.bin": b"0" * 900, "bigger.bin": b"0" * 1_000, "small.bin": b""})
    with pytest.raises(BundleError, match=r"1,920 bytes; a bundle may have 1,500") as raised:
        packed(tmp_path, suite, bounds=Bounds(unpacked=1_500))
    assert raised.value.advice.startswith("The biggest files are bigger.bin (1,000 bytes), big.bin (900 bytes)")


def test_refuses_a_bundle_over_the_packed_bound_and_leaves_no_file(tmp_path: Path, suite: Path) -> None:
    write(suite, {"noise.bin": os.urandom(50_000)})
    with pytest.raises(BundleError, match=r"larger than the 20,000 bytes") as raised:
        packed(tmp_path, suite, bounds=Bounds(packed=20_000))
    assert "noise.bin (50,000 bytes)" in raised.value.advice
    assert not (tmp_path / "bundle.tar.gz").exists()


def test_refuses_too_many_files_and_names_the_fullest_directories(tmp_path: Path, suite: Path) -> None:
    write(suite, {f"many/{number}.txt": "" for number in range(10)})
    with pytest.raises(BundleError, match="more than the 5 files") as raised:
        packed(tmp_path, suite, bounds=Bounds(files=5))
    assert "many (6)" in raised.value.advice


def test_takes_what_is_exactly_at_the_bounds(tmp_path: Path, suite: Path) -> None:
    assert packed(tmp_path, suite, bounds=Bounds(files=1, unpacked=len(TEST))).unpacked == len(TEST)


# No tests


def test_refuses_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"there are no tests in .*empty: no files, or only ignored ones"):
        packed(tmp_path, tmp_path / "empty")


def test_refuses_a_directory_without_test_files(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no file has a name like test_"):
        packed(tmp_path, write(tmp_path / "docs", {"readme.md": "", "tests.txt": ""}))


def test_leaves_it_to_pytest_where_its_configuration_or_the_user_names_the_files(tmp_path: Path) -> None:
    own = write(tmp_path / "own", {"check_a.py": TEST, "pytest.ini": "[pytest]\npython_files = check_*.py\n"})
    assert packed(tmp_path, own).names == ("check_a.py", "pytest.ini")
    (own / "pytest.ini").unlink()
    assert packed(tmp_path, own / "check_a.py").names == ("check_a.py",)


@pytest.mark.parametrize(
    "files",
    [
        {"playwright.config.ts": "", "checks/cart.ts": ""},
        {"tests/cart.spec.ts": ""},
        {"cart.test.mjs": ""},
    ],
    ids=["a configuration", "a spec", "a test of JavaScript"],
)
def test_packs_a_suite_of_playwright_test(tmp_path: Path, files: dict[str, str]) -> None:
    suite = write(tmp_path / "suite", {**files, "node_modules/x/index.js": ""})
    assert packed(tmp_path, suite).names == tuple(sorted(files))


def test_refuses_a_spec_without_its_suite(tmp_path: Path) -> None:
    suite = write(tmp_path / "suite", {"playwright.config.ts": "", "tests/cart.spec.ts": ""})
    with pytest.raises(
        BundleError, match=r"cart\.spec\.ts needs the configuration and the packages of its suite"
    ) as raised:
        packed(tmp_path, suite / "tests" / "cart.spec.ts")
    assert raised.value.advice == "Name the directory with playwright.config.ts and package.json."


def test_refuses_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere does not exist"):
        packed(tmp_path, tmp_path / "nowhere")


def test_refuses_a_file_it_cannot_read(tmp_path: Path, suite: Path) -> None:
    write(suite, {"sub/.gitignore/x": ""})
    (suite / "gone.txt").symlink_to("test_it.py")
    real = suite / "test_it.py"
    bundle = packed(tmp_path, suite)
    assert "gone.txt" in bundle.names
    real.unlink()
    with pytest.raises(BundleError, match=r"gone\.txt cannot be read"):
        packed(tmp_path, suite)


# Any content

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80
)


@settings(deadline=None)
@given(files=st.dictionaries(NAMES.filter(lambda name: name not in {".", ".."}), st.binary(max_size=200), max_size=5))
def test_what_is_packed_comes_out_as_it_was(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    root = tmp_path_factory.mktemp("any")
    suite = root / "s"
    suite.mkdir()
    files = {name: content for name, content in files.items() if len(name.encode()) < 200 and name != ".gitignore"}
    files = {name: content for name, content in files.items() if name not in NEVER}
    files["test_it.py"] = TEST.encode()
    for name, content in files.items():
        (suite / name).write_bytes(content)
    bundle = pack([suite], root / "b.tgz")
    with tarfile.open(bundle.file) as archive:
        archive.extractall(root / "out", filter="data")
    assert {path.name: path.read_bytes() for path in (root / "out").iterdir()} == files


def test_takes_what_a_suite_says_of_its_packages_and_not_the_packages(tmp_path: Path) -> None:
    kept = {
        "requirements.txt": "a\n", "uv.lock": "", "package.json": "{}", "package-lock.json": "{}", "tsconfig.json": "{}",
        ".npmrc": "", "playwright.config.ts": "", "tests/shop.spec.ts": "", "helpers/login.ts": "",
    }  # fmt: skip
    left = {"node_modules/a/index.js": "", ".venv/lib/a.py": "", "helpers/node_modules/b/index.js": ""}
    suite = write(tmp_path / "suite", {**kept, **left})

    packed(tmp_path, suite)

    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        assert set(archive.getnames()) == set(kept)


def test_takes_what_to_install_with_a_file_that_was_named(tmp_path: Path) -> None:
    suite = write(
        tmp_path / "suite", {"test_it.py": TEST, "test_other.py": TEST, "requirements.txt": "a\n", "uv.lock": ""}
    )

    packed(tmp_path, suite / "test_it.py")

    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        assert set(archive.getnames()) == {"test_it.py", "requirements.txt", "uv.lock"}
