"""Invariants of all jobs together, after every step and in the end."""

from __future__ import annotations

from datetime import timedelta

from tests.support.builders import a_caller
from tests.support.probes import LineRow
from tests.support.stage import LIMITS, MAX_WORKERS, PROJECTS, Stage
from tests.support.system import NO_WAIT
from tests.support.watched import check_row
from wainwright.contracts.names import execution_name, report_prefix
from wainwright.domain.states import JobStatus

ROUNDS_TO_REST = 60
"""Rounds of half a minute in which, with one more for each job, all come to rest once everything works again."""

KEPT = timedelta(days=LIMITS.retention.job_days)


class Upholding(Stage):
    """Checks of everything that is stored."""

    def check_rows(self) -> None:
        """Each row by itself, and the rows that follow from it."""
        self.probe.look()
        self.rows = self.probe.rows()
        assert {job.id for job in self.rows} == set(self.accepted)
        for job in self.rows:
            check_row(job, self.now, KEPT)
            written = self.watched.jobs[job.id]
            assert job == (written.seal() if job.id in self.dying else written), "stored otherwise than it was written"
        counters = self.probe.counters()
        for project in PROJECTS:
            own = [job for job in self.rows if job.project == project]
            waiting = sorted((job for job in own if job.waiting), key=lambda job: job.line_position)
            assert list(self.probe.line(project)) == [
                LineRow(job.line_position, job.id, job.not_before) for job in waiting
            ]
            held = sum(job.held_lanes for job in own)
            assert counters.get(project, (0, 0)) == (sum(job.is_queued for job in own), held)
        assert sum(job.held_lanes for job in self.rows) <= MAX_WORKERS
        assert list(self.probe.remains(self.gone)) == [], "something of a deleted job is left"

    def check_dispatched(self) -> None:
        """Nobody is kept waiting who could start."""
        if sum(self.watched.held_lanes(project) for project in PROJECTS) >= MAX_WORKERS:
            return
        for project in PROJECTS:
            own = [job for job in self.watched.jobs.values() if job.project == project and job.waiting]
            if any((job.not_before or self.now) <= self.now for job in own):
                assert self.watched.held_lanes(project) >= self.limits_of(project).running

    def forget(self, job_id: str) -> None:
        """A job was deleted: nothing of it may ever be seen again."""
        project = self.gone[job_id] = self.accepted.pop(job_id)
        self.recorded.pop(job_id, None)
        self.dying.discard(job_id)
        left = [key for key in self.system.artifacts.objects if key.startswith(report_prefix(project, job_id))]
        assert left == [], "objects of a deleted job are left"

    def sweep_and_check(self) -> None:
        """The sweep takes a chain's next step where it was left out."""
        jobs = self.watched.jobs
        left_behind = [
            job
            for job in jobs.values()
            if job.due_at is not None
            and job.due_at <= self.now
            and any(each not in jobs or jobs[each].is_final for each in job.blocked_on)
        ]
        self.system.sweep()
        for job in left_behind:
            assert jobs[job.id].blocked_on != job.blocked_on, "goes on waiting for what has ended"

    def come_to_rest(self) -> None:
        """Everything works again, and goes its normal way until nothing is left to do."""
        for job_id in sorted(self.dying):
            self.system.control.delete(a_caller(self.accepted[job_id]), job_id)
            self.forget(job_id)
        for held in self.live:
            self.finish_claim(held.claim)
        for _ in range(ROUNDS_TO_REST + len(self.rows)):
            self._one_round()
            self.check_rows()
            if all(job.is_final for job in self.rows) and self.queue.empty:
                break
            self.system.pass_time(30)
            self.sweep_and_check()
        assert [job for job in self.rows if not job.is_final] == []
        assert self.queue.empty
        assert set(self.probe.counters().values()) <= {(0, 0)}

    def _one_round(self) -> None:
        for job in [job for job in self.watched.jobs.values() if job.status is JobStatus.STOPPED]:
            self.system.control.resume(a_caller(job.project), job.id)
        self.system.dispatch()
        self.check_dispatched()
        while (work := self.queue.receive(NO_WAIT)) is not None:
            if work.message.report_only:
                self.write_late_report(work)
                continue
            claim = self.system.claims.claim(work, self.new_worker())
            if claim is not None:
                self.finish_claim(claim)
        for job in [job for job in self.watched.jobs.values() if job.admitted_at is not None]:
            name = execution_name(job.id, job.run)
            if name in self.workflows.ended:
                self.finish(name)

    def check_events(self) -> None:
        """All that was recorded is there, once and in order."""
        for job in self.rows:
            numbers = [event.data["number"] for event in self.probe.store.events(job.project, job.id, 0, 1_000)]
            assert numbers == self.recorded.get(job.id, []), "events were lost or doubled"
