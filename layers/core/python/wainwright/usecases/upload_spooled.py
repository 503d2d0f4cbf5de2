"""Uploads what lies in the spool when it can; the job then no longer says that it is missing."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wainwright.contracts.names import REPORTS, TRACE_VIEWER, key_group, parse_report_key
from wainwright.domain.errors import Unavailable
from wainwright.domain.jobs import Job
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool
from wainwright.usecases.upload_artifacts import MAX_FAILURES

FIRST_PAUSE = timedelta(seconds=5)
MAX_PAUSE = timedelta(minutes=5)
ROUND = timedelta(seconds=5)
"""No upload begins later in a round: between rounds the worker looks for work."""

log = logging.getLogger(__name__)


@dataclass
class UploadSpooled:
    """A worker's rounds through its spool, when it has nothing else to do.

    After a failure the next round comes later, each time twice as late and a little at random. A file is forgotten only when
    its job's row no longer names it, and rows of running jobs are left alone: their own outcome says what is missing.
    """

    jobs: JobStore
    artifacts: Artifacts
    spool: Spool
    clock: Clock
    uniform: Callable[[float, float], float] = random.uniform

    _pause: timedelta = field(default=FIRST_PAUSE, init=False)
    _next: datetime | None = field(default=None, init=False)
    _failed: set[str] = field(default_factory=set, init=False)
    """Groups of keys of which something failed in the last round."""

    _until: datetime = field(init=False, repr=False)
    _failures: int = field(default=0, init=False)
    _error: Unavailable | None = field(default=None, init=False)

    def run_if_due(self) -> None:
        """Make a round, unless it is too early for one after a failure. Faults are logged: there will be other rounds."""
        now = self.clock()
        if self._next is not None and now < self._next:
            return
        if self._run_round():
            self._pause, self._next = FIRST_PAUSE, None
        else:
            self._next = self.clock() + self._pause * self.uniform(0.5, 1.0)
            self._pause = min(self._pause * 2, MAX_PAUSE)

    def run_last(self) -> None:
        """Make one more round before the worker exits, also for jobs that go on elsewhere."""
        self._run_round(running_too=True)

    def _run_round(self, *, running_too: bool = False) -> bool:
        try:
            self(running_too=running_too)
        except Unavailable as error:
            log.warning("the spool could not be emptied", extra={"reason": error.message})
        except Exception:
            # Neither the worker nor its next job shall end because something from an earlier one is left.
            log.exception("the spool could not be emptied")
        else:
            return True
        return False

    def __call__(self, *, running_too: bool = False) -> None:
        """Upload as much as one round allows. Raises Unavailable: the bucket did not take something."""
        self._until, self._failures, self._error = self.clock() + ROUND, 0, None
        groups: dict[str, list[str]] = {}
        for key in self.spool.keys(""):
            groups.setdefault(key_group(key), []).append(key)
        # Reports before what they share, and last what failed in the round before: nothing keeps all the rest
        # from its turn.
        order = sorted(groups, key=lambda group: (group in self._failed, not group.startswith(REPORTS)))
        self._failed = set()
        for group in order:
            if self._is_over():
                break
            self._upload_group(groups[group], running_too=running_too)
        waiting = [key for key in self.spool.keys(REPORTS) if key.endswith(f"/{TRACE_VIEWER}")]
        for key in waiting:  # what they waited for may have gone up just now
            self._upload_group([key], running_too=running_too)
        if self._error is not None:
            raise self._error

    def _is_over(self) -> bool:
        """True if the round is over: for want of time, or because the bucket takes nothing."""
        return self.clock() >= self._until or self._failures >= MAX_FAILURES

    def _upload_group(self, keys: Sequence[str], *, running_too: bool) -> None:
        name = parse_report_key(keys[0])
        if name is None:
            self._upload(keys, self._forget)
            return
        job = self.jobs.get(name.project, name.job_id)
        if job is None:
            self._forget(keys)
        elif running_too or not job.is_in_work:
            project, job_id = name.project, name.job_id
            self._upload(keys, lambda uploaded: self._note(project, job_id, uploaded))

    def _upload(self, keys: Sequence[str], note: Callable[[Sequence[str]], None]) -> None:
        uploaded: list[str] = []
        for key in keys:
            if self._is_over():
                break
            try:
                if self._upload_one(key):
                    uploaded.append(key)
                    self._failures = 0
            except ArtifactMissing:
                continue  # it had to make room, or another worker was here
            except Unavailable as error:
                self._failures += 1
                self._failed.add(key_group(key))
                self._error = error
        if uploaded:
            log.info("uploaded from the spool", extra={"files": len(uploaded), "first": uploaded[0]})
            note(uploaded)

    def _upload_one(self, key: str) -> bool:
        name = parse_report_key(key)
        if name is None or name.path != TRACE_VIEWER:
            self.spool.upload(key, self.artifacts)
            return True
        viewer = self.spool.get(key)[0].decode()  # stands for the shared files of that version
        return not self.spool.keys(viewer)

    def _note(self, project: str, job_id: str, keys: Sequence[str]) -> None:
        left = len(set(self.spool.keys(key_group(keys[0]))).difference(keys))
        names = [name for key in keys if (name := parse_report_key(key)) is not None]

        def step(job: Job) -> Job:
            if job.is_in_work:
                return job
            return job.note_uploads([(name.fence, name.path) for name in names], left, self.clock())

        job = self.jobs.update(project, job_id, step)
        if job is None or not job.is_in_work:  # else its outcome may name them; they go up again when it is there
            self._forget(keys)

    def _forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.spool.delete(key)
