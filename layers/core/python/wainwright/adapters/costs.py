"""Costs of jobs: by an estimate, or by what a meter has counted."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from wainwright.domain.costs import Cost, JobUsage, WorkerSize, estimate_cost, price_usage
from wainwright.domain.jobs import Job


@dataclass(frozen=True)
class EstimatedCosts:
    """Costs by the job's row: all that is known without a meter."""

    size: WorkerSize = field(default_factory=WorkerSize)

    def of(self, job: Job) -> Cost:
        # A job that has not been admitted yet has cost little else.
        return estimate_cost(job.ran_ms / 1_000 * job.lanes, self.size)


@dataclass(frozen=True)
class MeteredCosts:
    """Costs by what a meter on this machine has written into a folder."""

    folder: Path

    def of(self, job: Job) -> Cost | None:
        usage = read_usage(self.folder, job.id)
        return None if usage is None else price_usage(usage)


def usage_file(folder: Path, job_id: str | None) -> Path:
    """Return the file of a meter's figures of a job; without an id, of those that are no job's."""
    return folder / f"{job_id or 'shared'}.json"


def read_usage(folder: Path, job_id: str | None) -> JobUsage | None:
    """Return the figures of a job; None where there are none, or none that this version can read."""
    try:
        return JobUsage.model_validate_json(usage_file(folder, job_id).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_usage(folder: Path, usage: JobUsage) -> None:
    """Write the figures of a job so that a reader finds either the old ones or the new ones."""
    file = usage_file(folder, usage.job_id)
    new = file.with_suffix(".new")
    new.write_text(usage.model_dump_json(by_alias=True))
    new.replace(file)
