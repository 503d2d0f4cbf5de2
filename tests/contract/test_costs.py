"""Every Costs, in memory and on AWS."""

from pathlib import Path

import pytest

from tests.support.builders import START, a_job
from wainwright.adapters.costs import EstimatedCosts, MeteredCosts, write_usage
from wainwright.domain.costs import WORKER_SECONDS, CostBasis, CostGroup, JobUsage, Usage, WorkerSize
from wainwright.domain.jobs import Job
from wainwright.ports.costs import Costs

SECONDS = 20.0


@pytest.fixture
def job() -> Job:
    """A job that has had a worker for 20 s."""
    return a_job().admit(START).claim("w", START).renew(START, int(SECONDS * 1_000))


@pytest.fixture(params=["estimated", "metered"])
def costs(request: pytest.FixtureRequest, job: Job, tmp_path: Path) -> Costs:
    """Each implementation in turn, which knows what the job has used."""
    size = WorkerSize(vcpu=2, memory_gb=4)
    if request.param == "estimated":
        return EstimatedCosts(size)
    counted = [
        (CostGroup.COMPUTE, {WORKER_SECONDS: SECONDS}),
        (CostGroup.CONTROL_PLANE, {"stepfunctions.transition": 3.0}),
    ]
    used = [
        Usage(group=group, caller="c", service="s", operation="o", calls=1, units=units) for group, units in counted
    ]
    write_usage(tmp_path, JobUsage(job_id=job.id, worker=size, used=tuple(used)))
    return MeteredCosts(tmp_path)


def test_a_jobs_cost_has_its_workers_time_at_their_size(costs: Costs, job: Job) -> None:
    cost = costs.of(job)

    assert cost is not None
    assert cost.worker_seconds == SECONDS
    assert cost.of(CostGroup.COMPUTE) == pytest.approx(SECONDS / 3_600 * (2 * 0.03238 + 4 * 0.00356 + 0.005))


def test_a_jobs_cost_has_a_control_plane_and_its_parts_add_up(costs: Costs, job: Job) -> None:
    cost = costs.of(job)

    assert cost is not None
    assert cost.of(CostGroup.CONTROL_PLANE) > 0
    assert cost.usd == pytest.approx(sum(line.usd for line in cost.lines))


class TestEstimated:
    def test_counts_every_lane(self, job: Job) -> None:
        cost = EstimatedCosts().of(job.model_copy(update={"lanes": 4}))

        assert cost.worker_seconds == 4 * SECONDS
        assert cost.basis is CostBasis.ESTIMATED


class TestMetered:
    def test_knows_nothing_of_a_job_that_was_not_metered(self, job: Job, tmp_path: Path) -> None:
        assert MeteredCosts(tmp_path).of(job) is None

    def test_knows_nothing_from_a_file_of_another_format(self, job: Job, tmp_path: Path) -> None:
        (tmp_path / f"{job.id}.json").write_text('{"total": 3}')

        assert MeteredCosts(tmp_path).of(job) is None

    def test_the_newest_figures_take_the_place_of_the_old(self, job: Job, tmp_path: Path) -> None:
        for number in (1.0, 2.0):
            used = Usage(
                group=CostGroup.ARTIFACTS, caller="c", service="s3", operation="o", calls=1, units={"s3.put": number}
            )
            write_usage(tmp_path, JobUsage(job_id=job.id, worker=WorkerSize(), used=(used,)))

        cost = MeteredCosts(tmp_path).of(job)

        assert cost is not None
        assert cost.of(CostGroup.ARTIFACTS) == pytest.approx(2 * 0.005 / 1_000)
        assert [file.name for file in tmp_path.iterdir()] == [f"{job.id}.json"]
