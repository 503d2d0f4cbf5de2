"""Environment variables of functions and workers: one value for each name, and to each process those that it needs.

Locally all handlers share one process and so one environment; a name with two values would be wrong for one of them.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from infra.stages import Stage


class Variable(StrEnum):
    """Names of environment variables."""

    STAGE = "WAINWRIGHT_STAGE"
    LOG_LEVEL = "WAINWRIGHT_LOG_LEVEL"
    TABLE = "WAINWRIGHT_TABLE"
    BUCKET = "WAINWRIGHT_BUCKET"
    JOBS_QUEUE_URL = "WAINWRIGHT_JOBS_QUEUE_URL"
    WORK_QUEUE_URL = "WAINWRIGHT_WORK_QUEUE_URL"
    STATE_MACHINE_ARN = "WAINWRIGHT_STATE_MACHINE_ARN"
    EVENT_BUS = "WAINWRIGHT_EVENT_BUS"
    CLUSTER = "WAINWRIGHT_CLUSTER"
    TASK_DEFINITION = "WAINWRIGHT_TASK_DEFINITION"
    SUBNETS = "WAINWRIGHT_SUBNETS"
    SECURITY_GROUP = "WAINWRIGHT_SECURITY_GROUP"
    REPORTS_URL = "WAINWRIGHT_REPORTS_URL"
    MIN_WARM_WORKERS = "WAINWRIGHT_MIN_WARM_WORKERS"
    IDLE_SECONDS = "WAINWRIGHT_IDLE_SECONDS"
    MAX_CONCURRENT_TESTS = "MAX_CONCURRENT_TESTS"
    RUNNING_CAPACITY = "RUNNING_CAPACITY"
    QUEUED_CAPACITY = "QUEUED_CAPACITY"
    WORKER_CPU_UNITS = "WAINWRIGHT_WORKER_CPU_UNITS"
    WORKER_MEMORY_MIB = "WAINWRIGHT_WORKER_MEMORY_MIB"
    TEST_EXECUTION_TIMEOUT_MS = "TEST_EXECUTION_TIMEOUT_MS"


COMMON = frozenset({Variable.STAGE, Variable.LOG_LEVEL})
"""Variables of every function and worker."""
CAPACITY = frozenset({Variable.RUNNING_CAPACITY, Variable.QUEUED_CAPACITY})
JOBS = CAPACITY | {Variable.TABLE, Variable.JOBS_QUEUE_URL, Variable.WORK_QUEUE_URL}
"""Variables of every function that moves jobs."""


def stage_variables(stage: Stage) -> dict[Variable, str]:
    """The values of the variables that a stage decides."""
    return {
        Variable.STAGE: stage.name,
        Variable.LOG_LEVEL: stage.log_level,
        Variable.MAX_CONCURRENT_TESTS: str(stage.max_workers),
        Variable.MIN_WARM_WORKERS: str(stage.min_warm_workers),
        Variable.IDLE_SECONDS: str(stage.worker_idle_seconds),
        Variable.RUNNING_CAPACITY: str(stage.running_capacity),
        Variable.QUEUED_CAPACITY: str(stage.queued_capacity),
        Variable.TEST_EXECUTION_TIMEOUT_MS: str(stage.execution_timeout_ms),
        Variable.WORKER_CPU_UNITS: str(stage.worker_cpu_units),
        Variable.WORKER_MEMORY_MIB: str(stage.worker_memory_mib),
    }


def select_variables(values: Mapping[Variable, str], wanted: Iterable[Variable]) -> dict[str, str]:
    """Names and values of the common variables and the wanted ones, in a stable order.

    Raises:
        KeyError: a wanted variable has no value.
    """
    return {variable.value: values[variable] for variable in sorted({*COMMON, *wanted})}
