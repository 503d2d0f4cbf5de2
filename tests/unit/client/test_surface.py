"""The public surface of the client: what others may rely on, and so does not change by accident."""

import inspect

import wainwright.client
from wainwright.client import Client

EXPORTED = [
    "ApiError", "Attachment", "Bounds", "Bundle", "BundleError", "Client", "ClientError", "CollectedUpdate",
    "InvalidEndpoint", "LogUpdate", "Manifest", "ReportFile", "RetryRules", "StatusUpdate", "TestError", "TestUpdate",
    "UnexpectedAnswer", "Unreachable", "Update", "WaitTimeout", "pack",
]  # fmt: skip

METHODS = {
    "cancel_job": ("self", "job_id"),
    "close": ("self",),
    "create_job": ("self", "job", "idempotency_key"),
    "endpoint": None,
    "events": ("self", "job_id", "wait_timeout"),
    "get_job": ("self", "job_id", "wait", "states"),
    "health": ("self",),
    "list_jobs": ("self", "status", "limit", "cursor"),
    "manifest": ("self", "job_id"),
    "report_file": ("self", "job_id", "path", "target"),
    "ticket": ("self", "job_id"),
    "upload_bundle": ("self", "source"),
    "wait_for": ("self", "job_id", "states", "wait_timeout"),
}


def test_exports_these_names_and_no_others() -> None:
    assert sorted(wainwright.client.__all__) == EXPORTED
    assert all(hasattr(wainwright.client, name) for name in EXPORTED)


def test_the_client_has_these_methods_and_no_others() -> None:
    members = {name: member for name, member in vars(Client).items() if not name.startswith("_")}
    found = {
        name: tuple(inspect.signature(member).parameters) if callable(member) else None
        for name, member in members.items()
    }
    assert found == METHODS


def test_every_public_method_has_a_docstring() -> None:
    assert all(inspect.getdoc(getattr(Client, name)) for name in METHODS)
