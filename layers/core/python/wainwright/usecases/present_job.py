"""A job as everybody outside sees it."""

from datetime import datetime

from wainwright.contracts.job_records import JobCost, JobRecord, ReportLink
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.costs import Costs
from wainwright.ports.job_store import JobView, Progress


def report_path(job_id: str) -> str:
    """Where a job's report is, from its creation on, below the API's address."""
    return f"/v1/jobs/{job_id}/report/index.html"


def present(view: JobView, now: datetime, costs: Costs | None = None) -> JobRecord:
    """The record of a job with its detail and progress, and with what it cost where that is asked for."""
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
    link = ReportLink(url=report_path(job.id), ready=job.report is not None, complete=False)
    if job.report is None:
        return link
    return link.model_copy(
        update={
            "complete": job.report.is_intact,
            "missing": list(job.report.missing),
            "missing_count": job.report.missing_count,
            "missing_reason": job.report.missing_reason,
        }
    )


def _percent(view: JobView, tests: Tally) -> int:
    """How far the job has come: what its own code says, if it says anything, else the share of tests that have ended."""
    if view.job.status is JobStatus.COMPLETED:
        return 100
    return tests.percent if view.progress.percent is None else view.progress.percent


def present_new(job: Job, detail: JobDetail, now: datetime) -> JobRecord:
    """The record of a job that nothing has happened to yet."""
    return present(JobView(job=job, detail=detail, progress=Progress()), now)
