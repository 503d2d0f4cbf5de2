"""Cost of a job, in one line for people."""

import time

from wainwright.cli.terminal import note
from wainwright.client import Client, ClientError
from wainwright.contracts.job_records import JobCost, JobRecord
from wainwright.domain.costs import TRANSITIONS, WORKER_SECONDS, CostBasis, CostGroup
from wainwright.domain.prices import price_table

SETTLE_SECONDS = 5.0
"""Seconds that a command waits, once its job has ended, for the meter to know all of it."""
_LOOK_SECONDS = 0.2


def settled(client: Client, job: JobRecord) -> JobRecord:
    """Return the record of a job that has ended, once the meter knows its execution too, whose end comes just after the job's.

    Where nobody meters, the record as it is now. Where the meter does not get there, it says so.
    """
    until = time.monotonic() + SETTLE_SECONDS
    try:
        while not _is_settled(job := client.get_job(job.id)):
            if time.monotonic() >= until:
                note(f"warning: the cost is not complete yet; later: wainwright jobs get {job.id}")
                break
            time.sleep(_LOOK_SECONDS)
    except ClientError as error:
        note(f"warning: the cost may not be complete ({error.message})")
    return job


def _is_settled(job: JobRecord) -> bool:
    if job.cost.basis is not CostBasis.METERED or job.started_at is None:
        return True  # a job that never began may have no execution
    return any(line.what == TRANSITIONS for line in job.cost.breakdown)


def cost_line(cost: JobCost) -> str | None:
    """Return the price on AWS and its parts; None where it is not known.

    It says whether the price was metered, which a local system does and for which nobody is billed, or is an estimate.
    """
    if cost.usd is None:
        return None
    metered = cost.basis is CostBasis.METERED
    how = "metered here, where nothing is billed" if metered else "an estimate"
    about = "" if metered else "about "
    return (
        f"{about}{dollars(cost.usd)} on AWS ({price_table().region}, arm64 on demand; {how}): {', '.join(_parts(cost))}"
    )


def dollars(usd: float) -> str:
    """Return an amount with the digits that matter: ``$0.00061``, ``$0.012``, ``$1.20``."""
    if usd >= 0.1:
        return f"${usd:.2f}"
    return f"${usd:.3f}" if usd >= 0.01 else f"${usd:.5f}"


def _parts(cost: JobCost) -> list[str]:
    seconds = sum(line.count for line in cost.breakdown if line.what == WORKER_SECONDS)
    names = {
        CostGroup.COMPUTE: f"{seconds:.3g} s of a worker",
        CostGroup.CONTROL_PLANE: "control plane",
        CostGroup.ARTIFACTS: "report",
    }
    sums = {group: sum(line.usd for line in cost.breakdown if line.group is group) for group in names}
    return [f"{name} {dollars(sums[group])}" for group, name in names.items() if sums[group]]
