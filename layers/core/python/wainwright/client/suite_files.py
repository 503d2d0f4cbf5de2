"""The files that a bundle is made of."""

import fnmatch
import heapq
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from wainwright.client.errors import BundleError
from wainwright.contracts.http.bounds import MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES, MAX_UNPACKED_BYTES

NEVER = frozenset({".git", "__pycache__", ".venv", "node_modules", ".pytest_cache", ".wainwright"})
"""Names that are left out wherever they are: they can be made again, and are often larger than the tests."""

TEST_FILES = ("test_*.py", "*_test.py")
"""Names of pytest's test files by default."""

SPEC_FILE = re.compile(r"\.(spec|test)\.[cm]?[jt]sx?$")
"""Names of Playwright Test's test files by default."""

PLAYWRIGHT_CONFIG = "playwright.config.*"

CONFIG_FILES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Files in which pytest looks for its configuration."""

DEPENDENCY_FILES = ("requirements.txt", "uv.lock", "package.json", "package-lock.json", "npm-shrinkwrap.json")
"""Files that name the packages which the tests need, besides pyproject.toml."""

IGNORE_FILE = ".gitignore"

NAMED = 3
"""Files or directories that a message about size names."""


@dataclass(frozen=True)
class Bounds:
    """Bounds of a bundle: bytes compressed, bytes unpacked, files."""

    packed: int = MAX_BUNDLE_BYTES
    unpacked: int = MAX_UNPACKED_BYTES
    files: int = MAX_BUNDLE_FILES


@dataclass(frozen=True)
class Entry:
    """One file of a bundle: its name in it, where it is, its bytes, and whether its owner may execute it."""

    name: str
    path: Path
    size: int
    executable: bool


def gather(paths: Sequence[Path], bounds: Bounds) -> list[Entry]:
    """Return the files to pack, sorted by name; errors are those of :func:`wainwright.client.bundles.pack`."""
    given = [_existing(path) for path in paths]
    if not given:
        raise BundleError("no path was given", advice="Name a directory with tests, or test files.")
    gathering = _Gathering(_root(given), bounds)
    gathering.add_surroundings(given)
    for path in given:
        gathering.add(path)
    entries = sorted(gathering.entries.values(), key=lambda entry: entry.name)
    _check_tests(given, entries)
    total = sum(entry.size for entry in entries)
    if total > bounds.unpacked:
        raise BundleError(
            f"the tests have {total:,} bytes; a bundle may have {bounds.unpacked:,}",
            advice=f"The biggest files are {biggest(entries)}: leave them out with a .gitignore.",
        )
    return entries


def biggest(entries: Iterable[Entry]) -> str:
    """Name the biggest files, with their sizes in bytes."""
    files = heapq.nlargest(NAMED, entries, key=lambda entry: entry.size)
    return ", ".join(f"{entry.name} ({entry.size:,} bytes)" for entry in files)


@dataclass(frozen=True)
class IgnoreRules:
    """`.gitignore` rules that hold in one directory, as git reads them: outermost first."""

    layers: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    @classmethod
    def above(cls, directory: Path) -> "IgnoreRules":
        """Return the rules that a directory inherits within its git repository; none outside of one.

        A directory that its repository ignores as a whole was named on purpose, so it inherits nothing.
        """
        parents = list(directory.parents)
        top = next((number for number, parent in enumerate([directory, *parents]) if (parent / ".git").exists()), 0)
        rules = cls()
        for parent in reversed(parents[:top]):
            rules = rules.within(parent)
        inside = [directory, *parents[: max(0, top - 1)]]
        return cls() if any(rules.ignore(part, is_directory=True) for part in inside) else rules

    def within(self, directory: Path) -> "IgnoreRules":
        """Return the rules that hold in ``directory``, whose parents' rules these are.

        Raises:
            BundleError: its file cannot be read, or has a wrong pattern.
        """
        file = directory / IGNORE_FILE
        if not file.is_file():
            return self
        try:
            lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            return IgnoreRules((*self.layers, (directory, GitIgnoreSpec.from_lines(lines))))
        except (OSError, ValueError) as error:
            raise BundleError(f"{file} cannot be read: {error}") from error

    def ignore(self, path: Path, *, is_directory: bool) -> bool:
        """Return True if the rules leave a path out."""
        for base, spec in reversed(self.layers):
            if not path.is_relative_to(base):
                continue
            name = path.relative_to(base).as_posix() + ("/" if is_directory else "")
            said = spec.check_file(name).include
            if said is not None:
                return said
        return False


@dataclass
class _Gathering:
    """Files found so far, by name."""

    root: Path
    bounds: Bounds
    entries: dict[str, Entry] = field(default_factory=dict)

    def add_surroundings(self, given: Sequence[Path]) -> None:
        """Add conftest.py files above the paths that were named, and at the root the configuration and dependencies."""
        above = {parent for path in given for parent in path.parents if parent.is_relative_to(self.root)}
        files = [directory / "conftest.py" for directory in above]
        if self.root in above:
            files += [self.root / name for name in (*CONFIG_FILES, *DEPENDENCY_FILES)]
        for file in files:
            if file.is_file():
                self._add_file(file)

    def add(self, path: Path) -> None:
        """Add everything below a path, or the file that it names."""
        if path.is_dir():
            self._add_directory(path, IgnoreRules.above(path), above=frozenset())
        else:
            self._add_file(path)

    def _add_directory(self, directory: Path, rules: IgnoreRules, above: frozenset[Path]) -> None:
        real = Path(os.path.realpath(directory))
        if real in above:
            raise BundleError(f"the link {self._name(directory)} leads back to itself", advice="Remove the link.")
        rules = rules.within(directory)
        try:
            children = sorted(directory.iterdir())
        except OSError as error:
            raise BundleError(f"{directory} cannot be read: {error.strerror}") from error
        for child in children:
            if child.name in NEVER:
                continue
            is_directory = child.is_dir()
            if rules.ignore(child, is_directory=is_directory):
                continue
            if child.is_symlink():
                self._check_link(child)
            if is_directory:
                self._add_directory(child, rules, above | {real})
            else:
                self._add_file(child)

    def _check_link(self, link: Path) -> None:
        """Refuse a link that leads out: a bundle has no links, and the target is packed in its place."""
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(os.path.realpath(self.root)):
            raise BundleError(
                f"the link {self._name(link)} leads out of the directory, to {target}",
                advice="Replace it by its target, or run the directory that contains both.",
            )

    def _add_file(self, path: Path) -> None:
        name = self._name(path)
        try:
            status = path.stat()
            name.encode()
        except OSError as error:
            raise BundleError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeEncodeError as error:
            raise BundleError(f"{name!r} is not a name in UTF-8", advice="Rename the file.") from error
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{name} is neither file nor directory", advice="Remove it, or add it to a .gitignore.")
        self.entries[name] = Entry(name, path, status.st_size, bool(status.st_mode & stat.S_IXUSR))
        if len(self.entries) > self.bounds.files:
            raise BundleError(
                f"there are more than the {self.bounds.files:,} files that a bundle may have",
                advice=f"Most of those seen are in {self._fullest()}: leave out other files with a .gitignore.",
            )

    def _fullest(self) -> str:
        counts = Counter(str(PurePosixPath(name).parent) for name in self.entries)
        return ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(NAMED))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _existing(path: Path) -> Path:
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would rename what is a link
    if not whole.exists():
        raise BundleError(f"{path} does not exist", advice="Name a directory with tests, or test files.")
    return whole


def _root(given: Sequence[Path]) -> Path:
    """The directory that names in the bundle start from."""
    return Path(os.path.commonpath([path if path.is_dir() else path.parent for path in given]))


def _check_tests(given: Sequence[Path], entries: Sequence[Entry]) -> None:
    """Refuse what certainly has no test. A file named on purpose, or a configuration of its own, is left to the runner."""
    if any(_is_playwright_config(entry.name) for entry in entries):
        return
    if specs := [path for path in given if path.is_file() and SPEC_FILE.search(path.name)]:
        raise BundleError(
            f"{specs[0]} needs the configuration and the packages of its suite",
            advice="Name the directory with playwright.config.ts and package.json.",
        )
    if any(path.is_file() for path in given) or any(_is_test(entry.name) for entry in entries):
        return
    if any(_sets_test_files(entry) for entry in entries):
        return
    where = ", ".join(str(path) for path in given)
    files = "no file has a name like test_*.py, *_test.py, *.spec.ts or *.test.ts, and no playwright.config.ts"
    what = files if entries else "no files, or only ignored ones"
    raise BundleError(f"there are no tests in {where}: {what}", advice="Name the directory with the tests.")


def _is_test(name: str) -> bool:
    last = PurePosixPath(name).name
    return any(fnmatch.fnmatchcase(last, pattern) for pattern in TEST_FILES) or SPEC_FILE.search(last) is not None


def _is_playwright_config(name: str) -> bool:
    return fnmatch.fnmatchcase(name, PLAYWRIGHT_CONFIG)  # at the root of the bundle, where it is looked for


def _sets_test_files(entry: Entry) -> bool:
    return entry.name in CONFIG_FILES and b"python_files" in entry.path.read_bytes()
