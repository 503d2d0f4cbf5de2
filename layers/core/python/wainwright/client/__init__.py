"""The client of Wainwright's HTTP API, and what goes with it: packing test directories, reading live updates, patterns.

::

    with Client("https://…", key) as client:
        bundle_id = client.upload_bundle(Path("tests"))
        created = client.create_job(CreateJob(bundle_id=bundle_id, url="https://shop.example"))
        for update in client.events(created.job_id):
            ...
        outcome = client.jobs.wait_for_result(created)

:class:`AsyncClient` is the same, to be awaited. :mod:`wainwright.client.patterns` has chains, parallel runs and the like.
"""

from wainwright.client.bundles import Bundle, pack
from wainwright.client.clients import AsyncClient, Client
from wainwright.client.errors import (
    ApiError,
    BundleError,
    ClientError,
    InvalidEndpoint,
    JobFailed,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from wainwright.client.jobs import JobOutcome
from wainwright.client.retries import RetryRules
from wainwright.client.suite_files import Bounds
from wainwright.client.updates import (
    Attachment,
    CollectedUpdate,
    LogUpdate,
    ProgressUpdate,
    StatusUpdate,
    TestError,
    TestUpdate,
    Update,
)
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.http.templates import TemplateRecord, WriteTemplate
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.report_files import Manifest, ReportFile
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.job_config import JobConfig, Viewport
from wainwright.domain.job_requests import Script
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus

__all__ = [
    "ApiError",
    "AsyncClient",
    "Attachment",
    "Bounds",
    "Bundle",
    "BundleError",
    "Client",
    "ClientError",
    "CollectedUpdate",
    "CreateJob",
    "InvalidEndpoint",
    "JobConfig",
    "JobFailed",
    "JobOutcome",
    "JobRecord",
    "JobStatus",
    "Limits",
    "LogUpdate",
    "Manifest",
    "ProgressUpdate",
    "ReportFile",
    "Retention",
    "RetryPolicy",
    "RetryRules",
    "Script",
    "StatusUpdate",
    "TemplateRecord",
    "TestError",
    "TestUpdate",
    "UnexpectedAnswer",
    "Unreachable",
    "Update",
    "Viewport",
    "WaitTimeout",
    "WriteTemplate",
    "pack",
]
