"""Sums that can be worked by hand."""

import pytest

from wainwright.domain.costs import (
    CONTROL_PLANE_USD,
    Capacity,
    CostBasis,
    CostGroup,
    JobUsage,
    Usage,
    WorkerSize,
    add_usages,
    estimate_cost,
    price_usage,
    worker_lines,
)

SMALL = WorkerSize(vcpu=1, memory_gb=2)


def used(group: CostGroup = CostGroup.CONTROL_PLANE, *, calls: float = 1, caller: str = "api", **units: float) -> Usage:
    named = {name.replace("_", "."): amount for name, amount in units.items()}
    return Usage(group=group, caller=caller, service="s", operation="o", calls=calls, units=named)


def test_an_hour_of_a_worker_costs_its_vcpu_its_memory_and_its_address() -> None:
    worker, address = worker_lines(3_600, WorkerSize(vcpu=2, memory_gb=4))

    assert worker.usd == pytest.approx(2 * 0.03238 + 4 * 0.00356)
    assert (worker.count, worker.unit) == (3_600, "seconds of 2 vCPU and 4 GB")
    assert address.usd == pytest.approx(0.005)


def test_workers_cost_less_on_spot_and_more_on_x86() -> None:
    spot, arm64, x86 = (
        worker_lines(20, SMALL, each)[0].usd for each in (Capacity.ARM64_SPOT, Capacity.ARM64, Capacity.X86)
    )

    assert spot == pytest.approx(20 / 3_600 * (0.01034 + 2 * 0.00114))
    assert x86 == pytest.approx(20 / 3_600 * (0.04048 + 2 * 0.004445))
    assert spot < arm64 < x86


def test_the_size_of_a_worker_is_that_of_its_task() -> None:
    assert WorkerSize.of_task(512, 4_096) == WorkerSize(vcpu=0.5, memory_gb=4)


def test_adds_up_what_was_counted_by_group_and_price() -> None:
    usage = JobUsage(
        job_id=None,
        worker=SMALL,
        used=(
            used(dynamodb_write=14),
            used(caller="worker", dynamodb_write=66, sqs_request=10),
            used(CostGroup.ARTIFACTS, s3_put=7),
            used(CostGroup.COMPUTE, worker_second=36),
            used(CostGroup.LOOKING, dynamodb_read=1_000_000),
        ),
    )

    cost = price_usage(usage)

    control = 80 * 0.625 / 1e6 + 10 * 0.40 / 1e6
    compute = 0.01 * (0.03238 + 2 * 0.00356 + 0.005)
    assert cost.basis is CostBasis.METERED
    assert cost.of(CostGroup.CONTROL_PLANE) == pytest.approx(control)
    assert cost.of(CostGroup.ARTIFACTS) == pytest.approx(7 * 0.005 / 1_000)
    assert cost.of(CostGroup.COMPUTE) == pytest.approx(compute)
    assert cost.worker_seconds == 36
    assert [(line.what, line.count) for line in cost.lines if line.what == "dynamodb.write"] == [("dynamodb.write", 80)]


def test_what_those_cost_who_look_is_not_the_jobs() -> None:
    usage = JobUsage(
        job_id=None, worker=SMALL, used=(used(sqs_request=1), used(CostGroup.LOOKING, httpapi_request=1_000))
    )

    cost = price_usage(usage)

    assert cost.of(CostGroup.LOOKING) == pytest.approx(0.001)
    assert cost.usd == pytest.approx(0.40 / 1e6)


def test_the_dollars_of_a_job_are_the_sum_of_its_groups() -> None:
    usage = JobUsage(
        job_id=None,
        worker=SMALL,
        used=(used(lambda_request=9), used(CostGroup.COMPUTE, worker_second=5), used(CostGroup.ARTIFACTS, s3_put=3)),
    )

    cost = price_usage(usage)

    groups = (CostGroup.CONTROL_PLANE, CostGroup.COMPUTE, CostGroup.ARTIFACTS)
    assert cost.usd == pytest.approx(sum(cost.of(group) for group in groups))


def test_an_estimate_is_the_workers_time_and_an_ordinary_jobs_control_plane() -> None:
    cost = estimate_cost(20, SMALL)

    assert cost.basis is CostBasis.ESTIMATED
    assert cost.of(CostGroup.CONTROL_PLANE) == CONTROL_PLANE_USD
    assert cost.of(CostGroup.COMPUTE) == pytest.approx(20 / 3_600 * (0.03238 + 2 * 0.00356 + 0.005))
    assert cost.of(CostGroup.ARTIFACTS) == 0


def test_usage_of_one_kind_becomes_one_entry() -> None:
    both = add_usages(
        [used(dynamodb_read=1), used(CostGroup.LOOKING, dynamodb_read=5), used(calls=2, dynamodb_read=0.5)]
    )

    assert both == (used(calls=3, dynamodb_read=1.5), used(CostGroup.LOOKING, dynamodb_read=5))
