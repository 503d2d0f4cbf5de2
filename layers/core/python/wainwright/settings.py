"""Settings: what functions and workers read from their environment, as one validated model each.

Nothing is read when this is imported: entry points call :meth:`Settings.read`.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wainwright.domain.capacity import Limits


class SettingsInvalid(Exception):
    """A variable is missing or wrong; the message names all that are."""


class _Variables(BaseModel):
    # Built when first used: a process reads one of these models.
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class Settings(_Variables):
    """Variables by name. A subclass has those that one kind of process needs."""

    stage: str = Field(alias="WAINWRIGHT_STAGE", min_length=1)
    log_level: str = Field(default="INFO", alias="WAINWRIGHT_LOG_LEVEL")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return the settings in an environment. Raises SettingsInvalid: a variable is missing or has a wrong value."""
        try:
            return cls.model_validate(dict(environment))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise SettingsInvalid(f"the environment is not complete: {faults}") from error


class StoreSettings(Settings):
    """Place of the rows."""

    table: str = Field(alias="WAINWRIGHT_TABLE", min_length=1)


class CapacitySettings(_Variables):
    """Limits of running and waiting jobs (requirements D4 and D12)."""

    running_capacity: int = Field(default=5, alias="RUNNING_CAPACITY", ge=1)
    queued_capacity: int = Field(default=50, alias="QUEUED_CAPACITY", ge=1)

    @property
    def limits(self) -> Limits:
        """Return the limits of a project that has none of its own."""
        return Limits(running=self.running_capacity, queued=self.queued_capacity)


class JobSettings(StoreSettings, CapacitySettings):
    """Of every function that moves jobs. The work queue takes requests for reports that nobody wrote."""

    jobs_queue_url: str = Field(alias="WAINWRIGHT_JOBS_QUEUE_URL", min_length=1)
    work_queue_url: str = Field(alias="WAINWRIGHT_WORK_QUEUE_URL", min_length=1)


class SpoolSettings(_Variables):
    """Folder of report files that could not be uploaded (requirement D11), if this process has or sees one."""

    spool_dir: str | None = Field(default=None, alias="WAINWRIGHT_SPOOL_DIR", min_length=1)
    spool_max_mb: int = Field(default=1_024, alias="WAINWRIGHT_SPOOL_MAX_MB", ge=1)


class CostSettings(_Variables):
    """Base of the costs of jobs: the size of the stage's workers, or what a meter writes into ``costs_dir``."""

    worker_cpu_units: int = Field(default=1_024, alias="WAINWRIGHT_WORKER_CPU_UNITS", ge=1)
    worker_memory_mib: int = Field(default=2_048, alias="WAINWRIGHT_WORKER_MEMORY_MIB", ge=1)
    costs_dir: str | None = Field(default=None, alias="WAINWRIGHT_COSTS_DIR", min_length=1)


class ApiSettings(JobSettings, SpoolSettings, CostSettings):
    """Of ``functions/api``."""

    bucket: str = Field(alias="WAINWRIGHT_BUCKET", min_length=1)
    reports_url: str = Field(alias="WAINWRIGHT_REPORTS_URL", min_length=1)
    timeout_ms: int = Field(default=900_000, alias="TEST_EXECUTION_TIMEOUT_MS", ge=1_000)


class WorkflowSettings(JobSettings):
    """Of functions that look at executions."""

    state_machine_arn: str = Field(alias="WAINWRIGHT_STATE_MACHINE_ARN", min_length=1)


class DispatchSettings(WorkflowSettings):
    """Of ``functions/dispatch_jobs``."""

    max_workers: int = Field(alias="MAX_CONCURRENT_TESTS", ge=1)
    min_warm: int = Field(default=0, alias="WAINWRIGHT_MIN_WARM_WORKERS", ge=0)
    cluster: str = Field(alias="WAINWRIGHT_CLUSTER")
    task_definition: str = Field(alias="WAINWRIGHT_TASK_DEFINITION")
    subnets: str = Field(alias="WAINWRIGHT_SUBNETS")
    security_group: str = Field(alias="WAINWRIGHT_SECURITY_GROUP")


class CleanUpSettings(StoreSettings, CapacitySettings, SpoolSettings):
    """Of ``functions/clean_up``."""

    bucket: str = Field(alias="WAINWRIGHT_BUCKET", min_length=1)


class PublishSettings(Settings):
    """Of ``functions/publish_events``."""

    event_bus: str = Field(alias="WAINWRIGHT_EVENT_BUS", min_length=1)


class DependencySettings(_Variables):
    """Of installing what suites need.

    ``cache_dir`` is a folder that outlives workers; where there is none, installed environments go by way of the bucket.
    ``installer_variables`` are names, separated by commas, of variables that installers get besides those that they know.
    """

    cache_dir: str | None = Field(default=None, alias="WAINWRIGHT_CACHE_DIR")
    cache_bytes: int = Field(default=5 * 1024**3, alias="WAINWRIGHT_CACHE_BYTES", ge=0)
    cache_days: int = Field(default=14, alias="WAINWRIGHT_CACHE_DAYS", ge=0)
    installer_variables: str = Field(default="", alias="WAINWRIGHT_INSTALLER_VARIABLES")

    @property
    def further_variables(self) -> frozenset[str]:
        """Return the names in ``installer_variables``."""
        return frozenset(name.strip() for name in self.installer_variables.split(",") if name.strip())


class SuiteSettings(_Variables):
    """Process user, and the bounds of one suite.

    ``test_user`` is a name or a number; without it the worker finds one where it can. ``memory_bytes`` defaults to what the
    container or the machine has, less a reserve. ``spares`` are test processes that wait for the next job, for at most
    ``spare_seconds``.
    """

    test_user: str | None = Field(default=None, alias="WAINWRIGHT_TEST_USER", min_length=1)
    memory_bytes: int | None = Field(default=None, alias="WAINWRIGHT_TEST_MEMORY_BYTES", ge=64 * 1024**2)
    cpu_seconds: int = Field(default=6 * 3_600, alias="WAINWRIGHT_TEST_CPU_SECONDS", ge=1)
    processes: int = Field(default=4_096, alias="WAINWRIGHT_TEST_PROCESSES", ge=64)
    open_files: int = Field(default=16_384, alias="WAINWRIGHT_TEST_OPEN_FILES", ge=256)
    file_bytes: int = Field(default=4 * 1024**3, alias="WAINWRIGHT_TEST_FILE_BYTES", ge=1024**2)
    disk_bytes: int = Field(default=8 * 1024**3, alias="WAINWRIGHT_TEST_DISK_BYTES", ge=1024**2)
    spares: bool = Field(default=True, alias="WAINWRIGHT_SPARES")
    spare_seconds: float = Field(default=600, alias="WAINWRIGHT_SPARE_SECONDS", gt=0)


class WorkerSettings(StoreSettings, DependencySettings, SuiteSettings, SpoolSettings):
    """Of the browser worker. ``work_dir`` is where suites are unpacked and run."""

    bucket: str = Field(alias="WAINWRIGHT_BUCKET", min_length=1)
    work_queue_url: str = Field(alias="WAINWRIGHT_WORK_QUEUE_URL", min_length=1)
    worker_id: str = Field(alias="WAINWRIGHT_WORKER_ID", min_length=1)
    idle_seconds: float = Field(default=60, alias="WAINWRIGHT_IDLE_SECONDS", ge=0)
    min_warm: int = Field(default=0, alias="WAINWRIGHT_MIN_WARM_WORKERS", ge=0)
    work_dir: str | None = Field(default=None, alias="WAINWRIGHT_WORK_DIR")
    upload_retry_seconds: float = Field(default=30, alias="WAINWRIGHT_UPLOAD_RETRY_SECONDS", ge=0)

    @property
    def home(self) -> Path:
        """Path of the worker's own folder. It is removed with the worker."""
        return Path(self.work_dir or tempfile.gettempdir()) / f"wainwright-{self.worker_id}"
