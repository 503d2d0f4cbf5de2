"""`.gitignore` files, by the rules of git: the nearest file that says something about a path decides."""

from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from wainwright.client.errors import BundleError

IGNORE_FILE = ".gitignore"


@dataclass(frozen=True)
class IgnoreRules:
    """The rules that hold in one directory: those of the directories above it, and its own, outermost first."""

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
            BundleError: its file cannot be read, or has a pattern that is none.
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
