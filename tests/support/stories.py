"""Courses of events that chance alone seldom puts together, each as one rule of a state machine."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.support.builders import a_caller
from tests.support.stage import BUNDLE, MAX_WORKERS, Held
from tests.support.steering import Steering, nothing, projects
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job


class Stories(Steering):
    """Whole stories of a few steps. Anything may have happened before, so that any step may not come about."""

    @rule(
        project=projects, one=st.sampled_from(["", "stop", "cancel"]), late=st.booleans(),
        kind=st.sampled_from([None, FailureCategory.ASSERTION]),
    )  # fmt: skip
    def a_chain_runs(self, project: str, one: str, late: bool, kind: FailureCategory | None) -> None:
        """A chain's first job runs to its end; meanwhile another may be steered, and one more comes late."""
        head, followers = self._chain(project, 2)
        held = self._at_work(head) if head is not None else None
        if head is None or held is None:
            return
        if one and followers:
            getattr(self.system.control, one)(a_caller(project), followers[0].id)
        self.end_and_finish(held, kind)
        if late:
            self.accept(project, CreateJob(bundle_id=BUNDLE, depends_on=(head.id,)))

    @rule(project=projects, length=st.integers(1, 2))
    def a_chain_loses_its_head(self, project: str, length: int) -> None:
        """The first job is stopped and deleted: those that wait for it hear of it by the sweep."""
        head, followers = self._chain(project, length)
        if head is None:
            return
        self.system.control.stop(a_caller(project), head.id)
        self.system.control.delete(a_caller(project), head.id)
        self.forget(head.id)
        for _ in followers:
            self.system.pass_time(61)
            self.sweep_and_check()

    @rule(project=projects, taken=st.integers(0, 2))
    def the_limit_falls_under_work(self, project: str, taken: int) -> None:
        """A limit falls below what was admitted, when some is at work and some is not; then workers fall silent."""
        for _ in range(2):
            self.accept(project, CreateJob(bundle_id=BUNDLE))
        self.system.dispatch()
        for _ in range(taken):
            self.take_message()
        self.limit(project=project, running=1, queued=3, completed=None, failed=None, archive=False)
        self.system.pass_time(31)
        for _ in range(MAX_WORKERS):
            self.take_message()

    @rule(project=projects, archive=st.booleans(), days=st.sampled_from([0, 8]))
    def more_complete_than_are_kept(self, project: str, archive: bool, days: int) -> None:
        """Two jobs complete, and what is beyond the project's count goes; what is past its time goes from all."""
        for _ in range(2):
            job = self.accept(project, CreateJob(bundle_id=BUNDLE))
            held = self._at_work(job) if job is not None else None
            if held is not None:
                self.end_and_finish(held, None)
        self.limit(project=project, running=2, queued=3, completed=1, failed=None, archive=archive)
        self.clean_up(enough=True, days=days)

    @rule(project=projects, key=st.sampled_from(["k1", "k2", "k3"]))
    def everything_about_a_line(self, project: str, key: str) -> None:
        """A job is ranked anew; one after it comes and goes; another comes too late; and one request comes twice at once."""
        head, followers = self._chain(project, 1)
        if head is None or not followers:
            return
        caller = a_caller(project)
        self.patch(self.watched.jobs[head.id], None, True, None)
        self.patch(self.watched.jobs[head.id], -9, None, None)
        self.system.control.cancel(caller, followers[0].id)
        self.system.control.delete(caller, followers[0].id)
        self.forget(followers[0].id)
        self.accept(
            project, CreateJob(bundle_id=BUNDLE, depends_on=(head.id,)),
            meanwhile=lambda: nothing(self.system.control.cancel(caller, head.id)),
        )  # fmt: skip
        request = CreateJob(bundle_id=BUNDLE, label="a")
        self.accept(project, request, key, lambda: nothing(self.accept(project, request, key)))

    def _chain(self, project: str, length: int) -> tuple[Job | None, list[Job]]:
        head = last = self.accept(project, CreateJob(bundle_id=BUNDLE, priority=9))
        followers: list[Job] = []
        while last is not None and len(followers) < length:
            last = self.accept(project, CreateJob(bundle_id=BUNDLE, depends_on=(last.id,)))
            if last is not None:
                followers.append(last)
        return head, followers

    def _at_work(self, job: Job) -> Held | None:
        """The job in a worker's hands, if it gets there before long."""
        self.system.dispatch()
        for _ in range(MAX_WORKERS):
            self.take_message()
        return next((held for held in self.live if held.claim.job.id == job.id), None)
