"""What the use cases need of the world, as protocols. ``adapters/aws`` has the real ones, ``adapters/memory`` the fakes.

Every implementation of a port passes the same suite in ``tests/contract``.
A port is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from wainwright.on_demand import on_demand

if TYPE_CHECKING:
    from wainwright.ports.access import AccessStore, ApiKey, Ticket
    from wainwright.ports.artifacts import ArtifactMissing, Artifacts, Presigned
    from wainwright.ports.clock import Clock
    from wainwright.ports.costs import Costs
    from wainwright.ports.event_bus import EventBus
    from wainwright.ports.job_store import (
        Idempotency,
        JobStore,
        JobView,
        LineEntry,
        NewEvent,
        Page,
        Progress,
        StoredTest,
    )
    from wainwright.ports.log_store import LogPage, LogQuery, LogStore
    from wainwright.ports.quarantine import QuarantineStore
    from wainwright.ports.queues import ReceivedWork, WakeUps, WorkQueue
    from wainwright.ports.secrets import SecretIndex, SecretStore
    from wainwright.ports.spool import Spool, SpoolFull
    from wainwright.ports.template_store import TemplateStore
    from wainwright.ports.test_history import FileStats, TestHistory
    from wainwright.ports.work_lists import WorkListStore
    from wainwright.ports.workers import LaunchRefused, WorkerLauncher, WorkerStore
    from wainwright.ports.workflows import ExecutionState, Workflows
else:
    __getattr__ = on_demand(
        __name__,
        {
            "access": (
                "AccessStore",
                "ApiKey",
                "Ticket",
            ),
            "artifacts": (
                "ArtifactMissing",
                "Artifacts",
                "Presigned",
            ),
            "clock": ("Clock",),
            "costs": ("Costs",),
            "event_bus": ("EventBus",),
            "job_store": (
                "Idempotency",
                "JobStore",
                "JobView",
                "LineEntry",
                "NewEvent",
                "Page",
                "Progress",
                "StoredTest",
            ),
            "log_store": (
                "LogPage",
                "LogQuery",
                "LogStore",
            ),
            "quarantine": ("QuarantineStore",),
            "queues": (
                "ReceivedWork",
                "WakeUps",
                "WorkQueue",
            ),
            "secrets": (
                "SecretIndex",
                "SecretStore",
            ),
            "spool": (
                "Spool",
                "SpoolFull",
            ),
            "template_store": ("TemplateStore",),
            "test_history": (
                "FileStats",
                "TestHistory",
            ),
            "work_lists": ("WorkListStore",),
            "workers": (
                "LaunchRefused",
                "WorkerLauncher",
                "WorkerStore",
            ),
            "workflows": (
                "ExecutionState",
                "Workflows",
            ),
        },
    )

__all__ = [
    "AccessStore",
    "ApiKey",
    "ArtifactMissing",
    "Artifacts",
    "Clock",
    "Costs",
    "EventBus",
    "ExecutionState",
    "FileStats",
    "Idempotency",
    "JobStore",
    "JobView",
    "LaunchRefused",
    "LineEntry",
    "LogPage",
    "LogQuery",
    "LogStore",
    "NewEvent",
    "Page",
    "Presigned",
    "Progress",
    "QuarantineStore",
    "ReceivedWork",
    "SecretIndex",
    "SecretStore",
    "Spool",
    "SpoolFull",
    "StoredTest",
    "TemplateStore",
    "TestHistory",
    "Ticket",
    "WakeUps",
    "WorkListStore",
    "WorkQueue",
    "WorkerLauncher",
    "WorkerStore",
    "Workflows",
]
