"""Reading jobs, waiting for them, and what everybody outside sees of them."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START, a_caller, a_job, completed, failed, job_id
from tests.support.system import System
from wainwright.adapters.costs import EstimatedCosts
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.job_records import JobCost
from wainwright.domain.costs import CostBasis
from wainwright.domain.errors import InvalidInput, NotFound
from wainwright.domain.job_config import JobConfig
from wainwright.domain.job_query import JobQuery
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.job_store import JobView, Progress
from wainwright.usecases.present_job import present
from wainwright.usecases.read_jobs import LONGEST_PAUSE, SHORTEST_PAUSE, ReadJobs

CALLER = a_caller()


class TestReading:
    def test_reads_a_job_of_the_callers_project(self, system: System) -> None:
        job = system.submitted(CreateJob(script="pass", params={"a": 1}))

        view = ReadJobs(system.jobs, system.clock).get(CALLER, job.id)

        assert (view.job, view.detail.params) == (job, {"a": 1})

    def test_finds_no_job_of_another_project(self, system: System) -> None:
        job = system.submitted(project="other")

        with pytest.raises(NotFound):
            ReadJobs(system.jobs, system.clock).get(CALLER, job.id)
        with pytest.raises(NotFound):
            ReadJobs(system.jobs, system.clock).get(CALLER, job_id(99))

    @pytest.mark.parametrize("text", ["", "1", "../x", "0" * 36, "00000000-0000-0000-0000-00000000000G"])
    def test_refuses_what_is_no_job_id(self, system: System, text: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            ReadJobs(system.jobs, system.clock).get(CALLER, text)
        assert refused.value.field == "jobId"

    def test_lists_jobs_of_the_callers_project(self, system: System) -> None:
        system.submitted(project="other")
        job = system.submitted()

        page = ReadJobs(system.jobs, system.clock).find(
            CALLER, JobQuery(statuses=frozenset({JobStatus.PENDING}), limit=10)
        )

        assert [listed.id for listed in page.jobs] == [job.id]


class TestWaiting:
    def test_answers_at_once_where_the_state_is_there(self, system: System) -> None:
        job = system.submitted()
        pauses: list[float] = []

        view = ReadJobs(system.jobs, system.clock, pauses.append).wait(
            CALLER, job.id, seconds=20, states=[JobStatus.PENDING]
        )

        assert (view.job, pauses) == (job, [])

    def test_answers_as_soon_as_the_state_is_there(self, system: System) -> None:
        claim = system.claimed()
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                system.claims.end(claim, completed())
                system.finish(PROJECT, claim.job.id, 1)

        view = ReadJobs(system.jobs, system.clock, pause).wait(CALLER, claim.job.id, seconds=20)

        assert view.job.status is JobStatus.COMPLETED
        assert pauses == [SHORTEST_PAUSE] * 2

    @pytest.mark.parametrize("seconds", [1, 3, 20])
    def test_answers_as_it_stands_when_the_time_is_up(self, system: System, seconds: int) -> None:
        job = system.submitted()
        pauses: list[float] = []

        view = ReadJobs(system.jobs, system.clock, pauses.append).wait(CALLER, job.id, seconds=seconds)

        assert view.job.status is JobStatus.PENDING
        assert sum(pauses) == pytest.approx(seconds)

    @pytest.mark.parametrize("look", [0.1, 0.25, 1.0, 5.0])
    def test_answers_when_the_time_is_up_however_slow_each_look_is(
        self, system: System, monkeypatch: pytest.MonkeyPatch, look: float
    ) -> None:
        job = system.submitted()
        passed = [0.0]
        get = system.jobs.get

        def pause(seconds: float) -> None:
            passed[0] += seconds

        def slow_get(project: str, id: str) -> Job | None:
            passed[0] += look
            return get(project, id)

        monkeypatch.setattr(system.jobs, "get", slow_get)

        ReadJobs(system.jobs, system.clock, pause, lambda: passed[0]).wait(CALLER, job.id, seconds=20)

        assert 20 <= passed[0] <= 20 + LONGEST_PAUSE + 2 * look

    def test_adds_at_most_a_twentieth_to_what_was_waited_and_looks_less_often_in_time(self, system: System) -> None:
        job = system.submitted()
        pauses: list[float] = []

        ReadJobs(system.jobs, system.clock, pauses.append).wait(CALLER, job.id, seconds=20)

        assert pauses[:20] == [SHORTEST_PAUSE] * 20
        assert max(pauses) == LONGEST_PAUSE
        waited = [sum(pauses[:number]) for number in range(len(pauses))]
        assert all(
            pause <= max(SHORTEST_PAUSE, before / 20) + 1e-9 for pause, before in zip(pauses, waited, strict=True)
        )
        assert len(pauses) < 80


class TestPresenting:
    def test_shows_all_that_was_asked_for(self, system: System) -> None:
        request = CreateJob(
            script="pass",
            url="https://a.example",
            label="l",
            params={"p": 1},
            config=JobConfig(timeout=9_000),
            priority=3,
        )

        record = present(system.submit(CALLER, request), START + timedelta(seconds=2))

        assert (record.url, record.label, record.params, record.config) == (
            "https://a.example", "l", {"p": 1}, {"timeout": 9_000},
        )  # fmt: skip
        assert (record.status, record.progress, record.attempt, record.priority) == (JobStatus.PENDING, 0, 1, 3)
        assert (record.waiting_ms, record.duration_ms, record.failure, record.error) == (2_000, None, None, None)
        assert (record.report.url, record.report.ready) == (f"/v1/jobs/{record.id}/report/index.html", False)

    def test_shows_how_far_a_running_job_has_come(self) -> None:
        job = a_job().admit(START).claim("w", START)
        progress = Progress(sequence=3, tests=Tally(total=4, passed=1, failed=1))

        record = present(JobView(job, JobDetail(), progress), START + timedelta(seconds=5))

        assert (record.progress, record.tests, record.duration_ms) == (50, progress.tests, 5_000)

    def test_shows_what_a_job_cost_to_whom_that_is_told(self) -> None:
        job = a_job().admit(START).claim("w", START).renew(START, 3_600_000)

        record = present(JobView(job, JobDetail(), Progress()), START, EstimatedCosts())

        cost = EstimatedCosts().of(job)
        assert (record.cost.seconds, record.cost.usd, record.cost.basis) == (3_600, cost.usd, CostBasis.ESTIMATED)
        assert tuple(record.cost.breakdown) == cost.lines

    def test_shows_what_a_finished_job_came_to(self) -> None:
        job = a_job().admit(START).claim("w", START).renew(START, 1_500).finish(completed(), START)

        record = present(JobView(job, JobDetail(), Progress(tests=Tally(total=9, passed=1))), START)

        assert (record.progress, record.tests, record.cost) == (100, completed().tests, JobCost(seconds=1.5))
        assert (record.report.ready, record.report.complete) == (True, True)

    def test_shows_a_failure_in_one_line(self) -> None:
        job = a_job().admit(START).claim("w", START).finish(failed(), START)

        record = present(JobView(job, JobDetail(), Progress()), START)

        assert record.error == "assertion: expected 1, got 2"
        assert record.failure == failed().failure
        assert record.has_errors
