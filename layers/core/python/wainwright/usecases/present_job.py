"""Jobs in their public form."""

from collections.abc import Iterable
from datetime import datetime

from wainwright.contracts.job_records import JobCost, JobRecord, ReportLink
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.costs import Costs
from wainwright.ports.job_store import JobView, Progress


def present(view: JobView, now: datetime, costs: Costs | None = None) -> JobRecord:
    """Return the record of a job with its detail and progress, and with its cost if there are ``costs``."""
    job, detail = view.job, view.detail
    tests = job.tests if job.is_final or not view.progress.tests.total else view.progress.tests
    return JobRecord(
        id=job.id, label=job.label, type=job.type, status=job.status,
        progress=_percent(view, tests),
        attempt=job.attempt, priority=job.priority, low_priority=job.low_priority, parallelism=job.lanes,
        template_id=job.template_id, template_version=job.template_version, batch_id=job.batch_id,
        depends_on=list(job.depends_on), url=job.url, bundle_id=job.bundle_id,
        params=detail.params, config=detail.config,
        created_at=job.created_at, updated_at=job.updated_at, started_at=job.started_at, completed_at=job.completed_at,
        waiting_ms=job.waiting_ms(now), duration_ms=job.duration_ms(now),
        has_errors=job.has_errors, run_by=job.run_by, results=detail.results, tests=tests,
        failure=job.failure, error=job.failure.to_line() if job.failure else None,
        report=_report_link(job),
        cost=_cost(job, costs),
    )  # fmt: skip


def _cost(job: Job, costs: Costs | None) -> JobCost:
    seconds = job.ran_ms / 1_000
    cost = costs.of(job) if costs is not None else None
    if cost is None:
        return JobCost(seconds=seconds)
    return JobCost(seconds=seconds, usd=cost.usd, basis=cost.basis, breakdown=list(cost.lines))


def _report_link(job: Job) -> ReportLink:
    url, report = f"/v1/jobs/{job.id}/report/index.html", job.report
    if report is None:
        return ReportLink(url=url, ready=False, complete=False)
    return ReportLink(
        url=url, ready=True, complete=report.is_intact, missing=list(report.missing),
        missing_count=report.missing_count, missing_reason=report.missing_reason,
    )  # fmt: skip


def _percent(view: JobView, tests: Tally) -> int:
    """Return the progress that the job's own code reported, if it did, else the share of tests that have ended."""
    if view.job.status is JobStatus.COMPLETED:
        return 100
    return tests.percent if view.progress.percent is None else view.progress.percent


def present_rows(jobs: Iterable[Job], now: datetime) -> list[JobRecord]:
    """Return the records of a list, made of rows alone: without detail and progress."""
    return [present(JobView(job=job, detail=JobDetail(), progress=Progress()), now) for job in jobs]
