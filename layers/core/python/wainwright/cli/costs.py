"""What a job costs, in one line for people."""

from wainwright.contracts.http.jobs import JobCost
from wainwright.domain.costs import WORKER_SECONDS, CostBasis, CostGroup
from wainwright.domain.prices import price_table


def cost_line(cost: JobCost) -> str | None:
    """The price on AWS and its parts; None where nobody knows.

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
    """An amount with as many digits as say something: ``$0.00061``, ``$0.012``, ``$1.20``."""
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
