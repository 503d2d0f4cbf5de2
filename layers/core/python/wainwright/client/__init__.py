"""The client of Wainwright's HTTP API, and what goes with it: packing test directories, reading live updates.

::

    with Client("https://…", key) as client:
        bundle_id = client.upload_bundle(Path("tests"))
        created = client.create_job(CreateJob(bundle_id=bundle_id, url="https://shop.example"))
        for update in client.events(created.job_id):
            ...
"""

from wainwright.client.bundles import Bounds, Bundle, pack
from wainwright.client.errors import (
    ApiError,
    BundleError,
    ClientError,
    InvalidEndpoint,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
)
from wainwright.client.report import Manifest, ReportFile
from wainwright.client.retries import RetryRules
from wainwright.client.sync import Client
from wainwright.client.updates import (
    Attachment,
    CollectedUpdate,
    LogUpdate,
    StatusUpdate,
    TestError,
    TestUpdate,
    Update,
)

__all__ = [
    "ApiError",
    "Attachment",
    "Bounds",
    "Bundle",
    "BundleError",
    "Client",
    "ClientError",
    "CollectedUpdate",
    "InvalidEndpoint",
    "LogUpdate",
    "Manifest",
    "ReportFile",
    "RetryRules",
    "StatusUpdate",
    "TestError",
    "TestUpdate",
    "UnexpectedAnswer",
    "Unreachable",
    "Update",
    "WaitTimeout",
    "pack",
]
