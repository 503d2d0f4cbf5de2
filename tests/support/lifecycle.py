"""Jobs under everything that may happen to them, in any order: the rules and what must hold after each.

The use cases are the real ones. What is not ours (queue, executions, workers, time) is in the machine's hands: it lets
processes die between any two steps, executions time out or vanish, answers get lost, and displaced workers go on.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.builders import START
from tests.support.fragile import Crash, FragileQueue, FragileWorkflows, ids
from tests.support.memory.services import MemoryClock
from tests.support.probes import Probe
from tests.support.stage import BUNDLE, LIMITS, MAX_WORKERS, PROJECTS
from tests.support.steering import picks, projects
from tests.support.stories import Stories
from tests.support.system import System
from tests.support.upholding import Upholding
from tests.support.watched import WatchedStore
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import bundle_key
from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.ports.workflows import ExecutionState
from wainwright.usecases.hold_claim import Command

kinds = st.sampled_from(
    [None, FailureCategory.ASSERTION, FailureCategory.INFRASTRUCTURE, FailureCategory.INVALID_INPUT]
)


class Working(Upholding, RuleBasedStateMachine):
    """Functions and workers at work. A subclass says what stores the jobs."""

    def new_probe(self) -> Probe:
        """A store with nothing in it."""
        raise NotImplementedError

    @initialize(at_work=st.integers(0, 2))
    def begin(self, at_work: int) -> None:
        """A stage with nothing on it, or with some jobs at work already."""
        self.probe = self.new_probe()
        clock = MemoryClock(START)
        self.watched = WatchedStore(self.probe.store, clock, self.limits_of, self._vanished)
        self.system = System(
            clock=clock, jobs=self.watched.port, limits=LIMITS, max_workers=MAX_WORKERS,
            queue_type=FragileQueue, workflows_type=FragileWorkflows,
        )  # fmt: skip
        assert isinstance(self.system.queue, FragileQueue)
        assert isinstance(self.system.workflows, FragileWorkflows)
        self.queue, self.workflows = self.system.queue, self.system.workflows
        self.accepted, self.gone, self.dying = {}, {}, set()
        self.keys, self.limits = {}, {}
        self.held, self.recorded = [], {}
        self.numbers = 0
        self.rows = []
        ids.restart()
        for project in PROJECTS:
            self.system.artifacts.put(bundle_key(project, BUNDLE), b"", "application/gzip")
        for _ in range(at_work):
            self.work_begins(project=PROJECTS[0], tries=1)

    def _vanished(self, job: Job) -> bool:
        return self.workflows.state(job.id, job.run) is ExecutionState.ABSENT

    # What functions do

    @rule(dies=st.sampled_from(["", "", "", "before start", "after start"]))
    def dispatch(self, dies: str) -> None:
        """Dispatch runs, and may die beside the start of an execution."""
        self.workflows.dies = dies
        try:
            self.system.dispatch()
        except Crash:
            return
        finally:
            self.workflows.dies = ""
        self.check_dispatched()

    @precondition(lambda self: self.workflows.ended)
    @rule(pick=picks)
    def deliver_finish(self, pick: int) -> None:
        """Finish runs for an execution that ended, once, late, again, or never."""
        names = sorted(self.workflows.ended)
        self.finish(names[pick % len(names)])

    @rule()
    def sweep(self) -> None:
        """The sweep of a minute."""
        self.sweep_and_check()

    # What workers do

    @rule(dies=st.sampled_from(["", "", "", "before token", "before delete"]))
    def receive(self, dies: str) -> None:
        """A worker takes the next message, if there is one."""
        self.workflows.dies = self.queue.dies = dies
        try:
            self.take_message()
        except Crash:
            pass
        finally:
            self.workflows.dies = self.queue.dies = ""

    @precondition(lambda self: self.live)
    @rule(pick=picks)
    def renew(self, pick: int) -> None:
        """A worker renews its lease and is told what is asked of it."""
        held = self.some_live(pick)
        try:
            control = self.system.claims.renew(held.claim, 1_000)
        except FenceLost:
            held.alive = False
            return
        told = {JobStatus.CANCELING: Command.CANCEL, JobStatus.STOPPING: Command.STOP, JobStatus.RUNNING: Command.GO_ON}
        assert control is told[self.system.job(held.claim.job).status]

    @precondition(lambda self: self.live)
    @rule(pick=picks, count=st.integers(1, 3), trouble=st.sampled_from([None, "lost answer", "conflict"]))
    def record(self, pick: int, count: int, trouble: str | None) -> None:
        """A worker records outcomes and events, whatever trouble the store has."""
        held = self.some_live(pick)
        if trouble is not None:
            self.probe.trouble(trouble)
        if not self.record_under(held.claim, count):
            held.alive = False

    @precondition(lambda self: self.live)
    @rule(pick=picks)
    def release(self, pick: int) -> None:
        """A worker that is told to go hands its run back."""
        held = self.some_live(pick)
        held.alive = False
        try:
            self.system.claims.release(held.claim, 2_000)
        except FenceLost:
            return
        assert self.system.job(held.claim.job).losses == held.claim.job.losses

    @precondition(lambda self: self.live)
    @rule(pick=picks, kind=kinds, dies=st.sampled_from(["", "", "before token", "before delete"]))
    def end(self, pick: int, kind: FailureCategory | None, dies: str) -> None:
        """A worker ends its run, and may die on the way."""
        held = self.some_live(pick)
        held.alive = False
        self.workflows.dies = self.queue.dies = dies
        try:
            self.end_normally(held.claim, kind)
        except (Crash, FenceLost):
            pass
        finally:
            self.workflows.dies = self.queue.dies = ""

    @precondition(lambda self: self.live)
    @rule(pick=picks, kind=kinds)
    def end_at_once(self, pick: int, kind: FailureCategory | None) -> None:
        """The ordinary way from a worker to the end, in one step."""
        self.end_and_finish(self.some_live(pick), kind)

    @precondition(lambda self: self.live)
    @rule(pick=picks)
    def kill(self, pick: int) -> None:
        """A worker dies without a word."""
        self.some_live(pick).alive = False

    @rule(project=projects, tries=st.integers(1, 3))
    def work_begins(self, project: str, tries: int) -> None:
        """The ordinary way from a request to a worker, in one step: what is rare comes after it."""
        retry = RetryPolicy(max_attempts=tries, delay_ms=0)
        self.accept(project, CreateJob(bundle_id=BUNDLE, retry=retry))
        self.system.dispatch()
        self.take_message()

    @precondition(lambda self: self.live)
    @rule(pick=picks)
    def a_silent_worker_is_displaced(self, pick: int) -> None:
        """A worker is silent for as long as its lease, and another takes its run; it does not know, and goes on."""
        silent = self.some_live(pick)
        self.system.pass_time(31)
        self.take_message()
        if not self.record_under(silent.claim, 1):
            silent.alive = False

    @precondition(lambda self: len(self.held) > 1)
    @rule(records=st.booleans())
    def everyone_writes(self, records: bool) -> None:
        """Whoever ever had a claim tries to write: of each job at most one may."""
        able: dict[str, int] = {}
        for held in self.held:
            if records:
                wrote = self.record_under(held.claim, 1)
            else:
                try:
                    self.system.claims.renew(held.claim, 1_000)
                except FenceLost:
                    wrote = False
                else:
                    wrote = True
            job_id = held.claim.job.id
            able[job_id] = able.get(job_id, 0) + wrote
        assert all(count <= 1 for count in able.values()), f"more than one claim could write: {able}"

    # What happens to them all

    @rule(seconds=st.sampled_from([0.001, 1, 11, 31, 61, 130]))
    def time_passes(self, seconds: float) -> None:
        """Time passes."""
        self.system.pass_time(seconds)

    @precondition(lambda self: self.workflows.running)
    @rule(pick=picks)
    def execution_times_out(self, pick: int) -> None:
        """The net under the worker's own deadline."""
        names = self.workflows.running
        self.workflows.ended[names[pick % len(names)]] = ("States.Timeout", "")

    @precondition(lambda self: self.workflows.started)
    @rule(pick=picks, taken=st.booleans())
    def a_message_comes_twice(self, pick: int, taken: bool) -> None:
        """SQS delivers at least once: a run's message comes again, while it runs or long after."""
        names = sorted(self.workflows.started)
        self.queue.give(self.workflows.message_of(names[pick % len(names)]))
        if taken:
            self.take_message()

    @precondition(lambda self: self.workflows.started)
    @rule(chance=st.integers(0, 3), messages_too=st.booleans(), recover=st.booleans())
    def executions_are_lost(self, chance: int, messages_too: bool, recover: bool) -> None:
        """The one-machine system starts again: rows are all that is left. Seldom, or little else would happen."""
        if chance:
            return
        self.workflows.forget()
        if messages_too:
            self.queue.purge()
            for held in self.held:
                held.alive = False
        if recover:
            self.system.sweep(everything=True)

    @rule(kind=st.sampled_from(["lost answer", "conflict"]))
    def the_store_has_trouble(self, kind: str) -> None:
        """The next write meets trouble that has to stay without effect."""
        self.probe.trouble(kind)

    # What must hold

    @invariant()
    def rows_are_sound(self) -> None:
        """After each step."""
        if hasattr(self, "probe"):
            self.check_rows()

    def teardown(self) -> None:
        """Everything works again: every accepted job comes to rest, and nothing is left behind."""
        if not hasattr(self, "probe"):
            return
        try:
            self.come_to_rest()
            self.check_events()
        finally:
            self.probe.close()


class Lifecycle(Stories, Working):
    """All of it: users steer, functions and workers work, and things go wrong."""
