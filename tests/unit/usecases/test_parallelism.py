"""The number of lanes of a job."""

import pytest

from tests.support.builders import SCRIPT, a_caller
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import InvalidInput
from wainwright.domain.templates import Template


@pytest.fixture
def system() -> System:
    return System(limits=Limits(running=4, queued=4))


def a_template(system: System, parallelism: int | None) -> Template:
    now = system.clock()
    return Template(
        project="shop", id="t1", version=1, name="shop", bundle_id=None, parallelism=parallelism,
        created_at=now, updated_at=now,
    )  # fmt: skip


def test_a_job_has_one_lane_unless_it_asks_for_more(system: System) -> None:
    assert system.submitted().lanes == 1
    assert system.submitted(CreateJob(script=SCRIPT, parallelism=3)).lanes == 3


@pytest.mark.parametrize(("asked", "lanes"), [(None, 3), (2, 2)])
def test_a_template_says_so_for_its_jobs_unless_they_say_it_themselves(
    system: System, asked: int | None, lanes: int
) -> None:
    request = CreateJob(template_id="t1", parallelism=asked)

    assert system.submit(a_caller(), request, template=a_template(system, 3)).job.lanes == lanes


def test_refuses_more_lanes_than_the_project_may_ever_have_running(system: System) -> None:
    with pytest.raises(InvalidInput, match="may have 4 lanes running") as refused:
        system.submitted(CreateJob(script=SCRIPT, parallelism=5))

    assert refused.value.field == "parallelism"
    assert "at most 4" in refused.value.advice


def test_the_projects_own_limit_counts(system: System) -> None:
    system.jobs.set_limits("shop", Limits(running=8, queued=4))

    assert system.submitted(CreateJob(script=SCRIPT, parallelism=8)).lanes == 8


def test_a_job_waits_until_all_of_its_lanes_are_free(system: System) -> None:
    small = system.submitted()
    system.pass_time(1)
    wide = system.submitted(CreateJob(script=SCRIPT, parallelism=4))

    system.dispatch()

    assert system.job(small).held_lanes == 1
    assert system.job(wide).held_lanes == 0


def test_a_job_of_more_lanes_than_a_limit_that_was_lowered_gets_so_many(system: System) -> None:
    job = system.submitted(CreateJob(script=SCRIPT, parallelism=4))
    system.jobs.set_limits("shop", Limits(running=2, queued=4))

    system.dispatch()

    assert (system.job(job).held_lanes, system.job(job).lanes) == (2, 2)
    assert len(system.launcher.launched) == 2
