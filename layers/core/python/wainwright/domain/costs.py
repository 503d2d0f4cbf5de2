"""What a job costs: what was counted, or is estimated, times public prices. Nothing here asks AWS for a bill."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from wainwright.domain.model import Record
from wainwright.domain.prices import SECONDS_OF_AN_HOUR, price

CONTROL_PLANE_USD = 0.00015
"""An ordinary job's control plane (one test, trace kept), which estimates use: ``benchmarks/results/cost.json``."""

WORKER_SECONDS = "worker.second"
"""The unit of :class:`Usage` that is no price's: seconds for which a worker was a job's. What they cost depends on its size."""

TRANSITIONS = "stepfunctions.transition"
"""State transitions of a job's executions. A meter counts them when an execution has ended, which is just after its job has."""


class CostGroup(StrEnum):
    """What is listed apart."""

    CONTROL_PLANE = "controlPlane"
    COMPUTE = "compute"
    ARTIFACTS = "artifacts"
    LOOKING = "looking"
    """What those cost who look at the job, by how often and how long they look: no part of the job's own cost."""


class CostBasis(StrEnum):
    """Where a figure comes from."""

    METERED = "metered"
    ESTIMATED = "estimated"


class Capacity(StrEnum):
    """How workers are bought; the middle of the names of their prices."""

    ARM64 = "arm64"
    X86 = "x86"
    ARM64_SPOT = "arm64Spot"


class WorkerSize(Record):
    """What a worker's task has."""

    vcpu: float = 1.0
    memory_gb: float = 2.0

    @classmethod
    def of_task(cls, cpu_units: int, memory_mib: int) -> "WorkerSize":
        """From the numbers of a task definition: 1,024 CPU units are a vCPU, 1,024 MiB a GB."""
        return cls(vcpu=cpu_units / 1_024, memory_gb=memory_mib / 1_024)


class Usage(Record):
    """Calls of one kind: how many there were, who made them, and what they used, in the units of prices by name.

    ``calls`` has fractions where jobs shared a call.
    """

    group: CostGroup
    caller: str
    service: str
    operation: str
    calls: float
    units: Mapping[str, float]


class JobUsage(Record):
    """All that was counted for a job, or, without a job's id, for no job in particular."""

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
    """The lines of a job, and what they are founded on."""

    basis: CostBasis
    lines: tuple[CostLine, ...]

    def of(self, group: CostGroup) -> float:
        """US dollars of one group."""
        return sum(line.usd for line in self.lines if line.group == group)

    @property
    def usd(self) -> float:
        """US dollars of the job: all groups but the lookers'."""
        return sum(line.usd for line in self.lines if line.group is not CostGroup.LOOKING)

    @property
    def worker_seconds(self) -> float:
        """Seconds of workers, added up over lanes and attempts."""
        return sum(line.count for line in self.lines if line.what == WORKER_SECONDS)


def worker_lines(seconds: float, size: WorkerSize, capacity: Capacity = Capacity.ARM64) -> tuple[CostLine, ...]:
    """What a task costs for its seconds, with its public address.

    Fargate bills a task from the pull of its image to its end, one minute at least. How that time, and the time between
    jobs, is shared by the jobs that a worker takes is not in here.
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


def metered(usage: JobUsage, capacity: Capacity = Capacity.ARM64) -> Cost:
    """The cost of what was counted: one line for each price in each group."""
    amounts: defaultdict[tuple[CostGroup, str], float] = defaultdict(float)
    for each in usage.used:
        for name, amount in each.units.items():
            amounts[each.group, name] += amount
    seconds = sum(amount for (_, name), amount in amounts.items() if name == WORKER_SECONDS)
    lines = [priced(group, name, amount) for (group, name), amount in sorted(amounts.items()) if name != WORKER_SECONDS]
    return Cost(basis=CostBasis.METERED, lines=(*lines, *worker_lines(seconds, usage.worker, capacity)))


def priced(group: CostGroup, name: str, amount: float) -> CostLine:
    """One price times an amount."""
    found = price(name)
    return CostLine(group=group, what=name, count=amount, unit=found.unit, usd=found.of(amount))


def estimated(seconds: float, size: WorkerSize) -> Cost:
    """What a job costs by all that its row tells: seconds of workers, and the control plane of an ordinary job."""
    overhead = CostLine(group=CostGroup.CONTROL_PLANE, what="ordinaryJob", count=1, unit="jobs", usd=CONTROL_PLANE_USD)
    return Cost(basis=CostBasis.ESTIMATED, lines=(overhead, *worker_lines(seconds, size)))


def added(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """Usage of the same kind in one entry each, in the order of their first."""
    calls: defaultdict[tuple[CostGroup, str, str, str], float] = defaultdict(float)
    units: defaultdict[tuple[CostGroup, str, str, str], defaultdict[str, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    for each in usages:
        kind = (each.group, each.caller, each.service, each.operation)
        calls[kind] += each.calls
        for name, amount in each.units.items():
            units[kind][name] += amount
    return tuple(
        Usage(group=group, caller=caller, service=service, operation=operation, calls=number, units=dict(units[kind]))
        for kind, number in calls.items()
        for group, caller, service, operation in (kind,)
    )
