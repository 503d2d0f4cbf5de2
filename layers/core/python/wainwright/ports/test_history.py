"""The history of a project's tests, from job to job."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from wainwright.domain.jobs import Job
from wainwright.domain.test_history import Sample, TestStats

FileStats = Mapping[str, TestStats]
"""The tests of one file, by id."""


class TestHistory(Protocol):
    """Keeps the tests of each file of a project together, and forgets those that have not run for 90 days."""

    def note(self, job: Job, samples: Mapping[str, Mapping[str, Sample]], *, now: datetime) -> None:
        """Add a job's outcomes, by file and test id, under its fence. Of jobs that end at the same time none is lost.

        Raises:
            FenceLost: the job's row has another run or fence by now, or its run is over.
            Unavailable: a file's history changed all the time; those of other files may be written.
        """

    def files(self, project: str, files: Collection[str]) -> Mapping[str, FileStats]:
        """The tests of these files, as far as anything is known of them."""

    def all(self, project: str, *, most: int) -> Mapping[str, FileStats]:
        """The tests of the project's files, of ``most`` files at most."""
