"""Stores, queues and settings that the use cases of the API are put together with."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.usecases.authenticate import Authenticate

if TYPE_CHECKING:
    from collections.abc import Callable

    from wainwright.ports.artifacts import Artifacts
    from wainwright.ports.clock import Clock
    from wainwright.ports.costs import Costs
    from wainwright.ports.log_store import LogStore
    from wainwright.ports.quarantine import QuarantineStore
    from wainwright.ports.queues import WakeUps
    from wainwright.ports.secrets import SecretStore
    from wainwright.ports.spool import Spool
    from wainwright.ports.template_store import TemplateStore
    from wainwright.ports.test_history import TestHistory
    from wainwright.settings import ApiSettings
    from wainwright.usecases.end_job import EndJob


class Api:
    """Stores, queues and settings of ``functions/api``, which makes its use cases of them.

    One is imported and made when a request first needs it: there are many, and one request needs few of them.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.clock: Clock = system_clock
        self.pause: Callable[[float], None] = time.sleep
        self.clients = Clients()
        self.jobs = DynamoJobStore(self.clients.dynamodb, settings.table)
        self.access = DynamoAccessStore(self.clients.dynamodb, settings.table)
        self.authenticate = Authenticate(self.access, system_clock)

    @cached_property
    def artifacts(self) -> Artifacts:
        from wainwright.adapters.aws.artifacts import S3Artifacts

        return S3Artifacts(self.clients.s3, self.settings.bucket)

    @cached_property
    def wakeups(self) -> WakeUps:
        from wainwright.adapters.aws.queues import SqsWakeUps

        return SqsWakeUps(lambda: self.clients.sqs, self.settings.jobs_queue_url)

    @cached_property
    def templates(self) -> TemplateStore:
        from wainwright.adapters.aws.template_store import DynamoTemplateStore

        return DynamoTemplateStore(self.clients.dynamodb, self.settings.table)

    @cached_property
    def logs(self) -> LogStore:
        from wainwright.adapters.aws.log_store import DynamoLogStore

        return DynamoLogStore(self.clients.dynamodb, self.settings.table)

    @cached_property
    def test_history(self) -> TestHistory:
        from wainwright.adapters.aws.test_history_store import DynamoTestHistory

        return DynamoTestHistory(self.clients.dynamodb, self.settings.table)

    @cached_property
    def quarantine(self) -> QuarantineStore:
        from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore

        return DynamoQuarantineStore(self.clients.dynamodb, self.settings.table)

    @cached_property
    def secrets(self) -> SecretStore:
        from wainwright.wiring.administration import secret_store

        return secret_store(self.clients, self.settings)

    @cached_property
    def spool(self) -> Spool:
        from wainwright.wiring.storing import spool_of

        return spool_of(self.settings)

    @cached_property
    def end_job(self) -> EndJob:
        from wainwright.wiring.runs import end_job

        return end_job(self.clients, self.settings)

    @cached_property
    def costs(self) -> Costs:
        """Costs of jobs: what a meter has counted if there is one, else an estimate."""
        from wainwright.adapters.costs import EstimatedCosts, MeteredCosts
        from wainwright.domain.costs import WorkerSize

        settings = self.settings
        if settings.costs_dir is not None:
            return MeteredCosts(Path(settings.costs_dir))
        return EstimatedCosts(WorkerSize.of_task(settings.worker_cpu_units, settings.worker_memory_mib))
