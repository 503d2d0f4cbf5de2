"""Reference to a job's report, with the files of it that could not be uploaded."""

from collections.abc import Collection, Sequence
from typing import Self

from wainwright.domain.record import Record

NAMED_IN_A_LINE = 5
"""Missing files that one line of text names."""

MOST_MISSING = 50
"""Files that a report names as missing; the number of them is kept beside."""


class ReportRef(Record):
    """A report whose index was written under ``fence``. ``viewer`` is the version of its trace viewer.

    ``complete``: every test left an outcome and all its evidence. ``missing`` has the paths of files that could not be uploaded
    and are on a worker's disk: at most MOST_MISSING of ``missing_count``.
    """

    fence: int
    complete: bool
    viewer: str
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    missing_reason: str | None = None

    @property
    def is_intact(self) -> bool:
        """True if the report is complete and no file is missing."""
        return self.complete and not self.missing_count

    def with_missing(self, paths: Sequence[str], reason: str | None) -> Self:
        """Return the report with the paths of files that could not be uploaded."""
        named = tuple(paths[:MOST_MISSING])
        return self.model_copy(
            update={"missing": named, "missing_count": len(paths), "missing_reason": reason if paths else None}
        )

    def is_missing(self, path: str) -> bool:
        """True if a file may be one of those that are missing."""
        unnamed = self.missing_count > len(self.missing) and path.startswith("data/")
        return unnamed or any(path == each or (each.endswith("/") and path.startswith(each)) for each in self.missing)

    def describe_missing(self) -> str:
        """Return a sentence about the missing files, with the reason."""
        names = list(self.missing[:NAMED_IN_A_LINE])
        more = self.missing_count - len(names)
        listed = ", ".join([*names, *([f"{more} more"] if more else [])])
        files = "1 file of the report" if self.missing_count == 1 else f"{self.missing_count} files of the report"
        return f"{files} could not be uploaded ({self.missing_reason}): {listed}"

    def with_uploaded(self, uploaded: Collection[tuple[int | None, str]], left: int) -> Self:
        """Return the report after the upload of files, as (fence or None for attachments, path); ``left`` are still to be."""
        paths = {path for fence, path in uploaded if fence in (None, self.fence)}
        named = tuple(path for path in self.missing if path not in paths)
        # A list that was cut does not tell which of the others went up: exact again once nothing is left.
        count = max(len(named), self.missing_count - (len(self.missing) - len(named))) if left else len(named)
        return self.model_copy(
            update={
                "missing": named, "missing_count": count, "missing_reason": self.missing_reason if count else None,
            }
        )  # fmt: skip
