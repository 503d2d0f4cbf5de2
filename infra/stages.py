"""The settings of the deployments of Wainwright: one frozen value for each stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LogRetention = Literal["ONE_WEEK", "ONE_MONTH", "THREE_MONTHS"]
"""The CDK's names for how long logs are kept."""


class UnknownStage(ValueError):
    """No stage has this name. The message is one line and says which there are."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Settings of one deployment. Durations carry their unit in the name."""

    name: str
    keep_data: bool
    """True if table and bucket outlive the stack, and neither can be deleted by mistake."""
    log_retention: LogRetention
    log_level: str = "INFO"

    running_capacity: int = 5
    """Lanes that a project may have running, unless its own limits say otherwise (requirement D4)."""
    queued_capacity: int = 50
    """Jobs that a project may have waiting, unless its own limits say otherwise (requirement D4)."""
    execution_timeout_ms: int = 900_000
    """A job's running time when it names none (requirements A4, D10)."""

    max_workers: int
    """Workers that may run at once in the whole stage. Fargate's default quota is 6 vCPU in a new account."""
    min_warm_workers: int = 0
    worker_idle_seconds: int
    """Seconds that a worker waits for more work before it exits. Fargate bills one minute at least."""
    worker_cpu_units: int = 1024
    worker_memory_mib: int

    api_requests_per_second: int
    api_burst: int
    event_streams: int | None
    """Server-sent event segments open at once, reserved from the account's concurrency; None: unreserved."""
    container_insights: bool


STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        stage.name: stage
        for stage in (
            Stage(
                name="dev",
                keep_data=False,
                log_retention="ONE_WEEK",
                max_workers=5,
                worker_idle_seconds=60,
                worker_memory_mib=2048,
                api_requests_per_second=50,
                api_burst=100,
                # A new account has a concurrency of 10 and refuses every reservation.
                event_streams=None,
                container_insights=False,
            ),
            Stage(
                name="prod",
                keep_data=True,
                log_retention="THREE_MONTHS",
                max_workers=50,
                worker_idle_seconds=120,
                worker_memory_mib=4096,
                api_requests_per_second=500,
                api_burst=1000,
                event_streams=100,
                container_insights=True,
            ),
        )
    }
)

DEFAULT_STAGE = "dev"


def stage_named(name: str) -> Stage:
    """The stage with this name. Raises UnknownStage if there is none."""
    try:
        return STAGES[name]
    except KeyError:
        raise UnknownStage(
            f"there is no stage {name!r}; choose {' or '.join(STAGES)} with WAINWRIGHT_STAGE or --context stage=NAME"
        ) from None
