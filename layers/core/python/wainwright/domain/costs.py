"""Cost of a job: metered or estimated amounts times public prices. Nothing here asks AWS for a bill."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from wainwright.domain.prices import SECONDS_OF_AN_HOUR, price
from wainwright.domain.record import Record

CONTROL_PLANE_USD = 0.00015
"""Control plane of an ordinary job (one test, trace kept), for estimates: ``benchmarks/results/cost.json``."""

WORKER_SECONDS = "worker.second"
"""Unit of :class:`Usage` without a price: seconds of a worker's time, whose cost depends on its size."""

TRANSITIONS = "stepfunctions.transition"
"""State transitions of a job's executions. They are counted when an execution has ended, just after its job."""


class CostGroup(StrEnum):
    """Groups of costs that are listed apart."""

    CONTROL_PLANE = "controlPlane"
    COMPUTE = "compute"
    ARTIFACTS = "artifacts"
    LOOKING = "looking"
    """Reads by those who look at the job: no part of the job's own cost."""


class CostBasis(StrEnum):
    """Source of a figure."""

    METERED = "metered"
    ESTIMATED = "estimated"


class Capacity(StrEnum):
    """Capacity types of Fargate; the middle of the names of their prices."""

    ARM64 = "arm64"
    X86 = "x86"
    ARM64_SPOT = "arm64Spot"


class WorkerSize(Record):
    """Size of a worker's task."""

    vcpu: float = 1.0
    memory_gb: float = 2.0

    @classmethod
    def of_task(cls, cpu_units: int, memory_mib: int) -> "WorkerSize":
        """Convert the numbers of a task definition: 1,024 CPU units are a vCPU, 1,024 MiB a GB."""
        return cls(vcpu=cpu_units / 1_024, memory_gb=memory_mib / 1_024)


class Usage(Record):
    """Calls of one kind, and the units that they used, by the names of prices. ``calls`` has fractions if jobs shared a call."""

    group: CostGroup
    caller: str
    service: str
    operation: str
    calls: float
    units: Mapping[str, float]


class JobUsage(Record):
    """All metered usage of a job, or, without a job's id, of no job in particular."""

    job_id: str | None
    worker: WorkerSize
    used: tuple[Usage, ...]


class CostLine(Record):
    """One price times an amount: ``count`` of ``unit`` make ``usd`` US dollars."""

    group: CostGroup
    what: str
    count: float
    unit: str
    usd: float


class Cost(Record):
    """The lines of a job, and their source."""

    basis: CostBasis
    lines: tuple[CostLine, ...]

    def of(self, group: CostGroup) -> float:
        """US dollars of one group."""
        return sum(line.usd for line in self.lines if line.group == group)

    @property
    def usd(self) -> float:
        """US dollars of the job: all groups but the looking."""
        return sum(line.usd for line in self.lines if line.group is not CostGroup.LOOKING)

    @property
    def worker_seconds(self) -> float:
        """Seconds of workers, added up over lanes and attempts."""
        return sum(line.count for line in self.lines if line.what == WORKER_SECONDS)


def worker_lines(seconds: float, size: WorkerSize, capacity: Capacity = Capacity.ARM64) -> tuple[CostLine, ...]:
    """Return the cost of a task for its seconds, with its public address.

    Fargate bills a task from the pull of its image to its end, one minute at least. That time, and the time between jobs, is
    not in here.
    """
    hours = seconds / SECONDS_OF_AN_HOUR
    hourly = (
        size.vcpu * price(f"fargate.{capacity}.vcpu").usd + size.memory_gb * price(f"fargate.{capacity}.memory").usd
    )
    address = price("ipv4.hour")
    return (
        CostLine(
            group=CostGroup.COMPUTE, what=WORKER_SECONDS, count=seconds,
            unit=f"seconds of {size.vcpu:g} vCPU and {size.memory_gb:g} GB", usd=hours * hourly,
        ),
        CostLine(group=CostGroup.COMPUTE, what=address.name, count=hours, unit=address.unit, usd=address.of(hours)),
    )  # fmt: skip


def price_usage(usage: JobUsage, capacity: Capacity = Capacity.ARM64) -> Cost:
    """Price metered usage: one line for each price in each group."""
    amounts: defaultdict[tuple[CostGroup, str], float] = defaultdict(float)
    for each in usage.used:
        for name, amount in each.units.items():
            amounts[each.group, name] += amount
    seconds = sum(amount for (_, name), amount in amounts.items() if name == WORKER_SECONDS)
    lines = [
        CostLine(group=group, what=name, count=amount, unit=price(name).unit, usd=price(name).of(amount))
        for (group, name), amount in sorted(amounts.items())
        if name != WORKER_SECONDS
    ]
    return Cost(basis=CostBasis.METERED, lines=(*lines, *worker_lines(seconds, usage.worker, capacity)))


def estimate_cost(seconds: float, size: WorkerSize) -> Cost:
    """Estimate the cost of a job from its row: seconds of workers, and the control plane of an ordinary job."""
    overhead = CostLine(group=CostGroup.CONTROL_PLANE, what="ordinaryJob", count=1, unit="jobs", usd=CONTROL_PLANE_USD)
    return Cost(basis=CostBasis.ESTIMATED, lines=(overhead, *worker_lines(seconds, size)))


def add_usages(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """Add up usage of the same kind, in the order of the first of each kind."""
    sums: dict[tuple[CostGroup, str, str, str], Usage] = {}
    for each in usages:
        kind = (each.group, each.caller, each.service, each.operation)
        before = sums.get(kind, each.model_copy(update={"calls": 0, "units": {}}))
        units = {unit: before.units.get(unit, 0) + each.units.get(unit, 0) for unit in {**before.units, **each.units}}
        sums[kind] = each.model_copy(update={"calls": before.calls + each.calls, "units": units})
    return tuple(sums.values())
