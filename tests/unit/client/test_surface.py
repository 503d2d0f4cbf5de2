"""The public surface of the client: what others may rely on, and so does not change by accident."""

import inspect

import pytest

import wainwright.client
import wainwright.client.patterns
from wainwright.client import AsyncClient, Client

EXPORTED = [
    "ApiError", "AsyncClient", "Attachment", "Bounds", "Bundle", "BundleError", "Client", "ClientError", "CollectedUpdate",
    "CreateJob", "InvalidEndpoint", "JobConfig", "JobFailed", "JobOutcome", "JobRecord", "JobStatus", "Limits", "LogUpdate",
    "Manifest",
    "ProgressUpdate", "ReportFile", "Retention", "RetryPolicy", "RetryRules", "Script", "StatusUpdate", "TemplateRecord",
    "TestError", "TestUpdate", "UnexpectedAnswer", "Unreachable", "Update", "Viewport", "WaitTimeout", "WriteTemplate",
    "pack",
]  # fmt: skip

PATTERNS = [
    "Dashboard", "Invoke", "JobChain", "JobQueue", "ParallelOutcome", "QueueStats", "Summary", "Work", "analyze",
    "run_parallel", "run_with_retry",
]  # fmt: skip

METHODS = {
    "analytics": ("template_id", "from_", "to", "job_ids"),
    "analyze_tests": ("flaky", "file", "sort_by", "limit", "cursor"),
    "cancel_job": ("job_id",),
    "create_job": ("job", "idempotency_key"),
    "create_key": ("name", "scope"),
    "create_log": ("job_id", "message", "level", "additional_info"),
    "create_template": ("template",),
    "delete_job": ("job_id",),
    "delete_quarantine": ("test_id",),
    "delete_secret": ("name",),
    "delete_template": ("template_id",),
    "endpoint": None,
    "events": ("job_id", "wait_timeout"),
    "get_job": ("job_id", "wait", "states"),
    "get_limits": (),
    "get_template": ("template_id", "version"),
    "health": (),
    "invoke_template": ("template_id", "fields", "idempotency_key"),
    "list_jobs": ("cursor", "filters"),
    "list_keys": (),
    "list_logs": ("job_id", "cursor", "filters"),
    "list_quarantine": (),
    "list_secrets": (),
    "list_templates": ("limit", "cursor"),
    "manifest": ("job_id",),
    "openapi": (),
    "patch_job": ("job_id", "priority", "low_priority", "label"),
    "put_limits": ("limits",),
    "put_quarantine": ("test_id", "until", "reason"),
    "put_secret": ("name", "value"),
    "queue": ("long_running_minutes",),
    "report_file": ("job_id", "path", "target"),
    "resume_job": ("job_id",),
    "retry_job": ("job_id", "only_failed"),
    "revoke_key": ("key_id",),
    "stop_job": ("job_id",),
    "ticket": ("job_id",),
    "update_template": ("template_id", "template"),
    "upload_bundle": ("source",),
    "wait_for": ("job_id", "states", "wait_timeout", "poll", "on_look"),
}

JOBS = {
    "cancel": ("job",),
    "create": ("job", "idempotency_key"),
    "delete": ("job",),
    "find": ("filters",),
    "find_by_id": ("job_id",),
    "log_error": ("job", "message", "additional_info"),
    "log_info": ("job", "message", "additional_info"),
    "logs": ("job", "follow", "filters"),
    "remove_low_priority": ("job",),
    "resume": ("job",),
    "retry": ("job", "only_failed"),
    "set_low_priority": ("job",),
    "set_priority": ("job", "priority"),
    "stop": ("job",),
    "wait_for": ("job", "states", "timeout", "poll", "on_progress"),
    "wait_for_result": ("job", "timeout", "poll", "on_progress"),
}

TEMPLATES = {
    "create": ("template",),
    "delete": ("template_id",),
    "get": ("template_id", "version"),
    "invoke": ("template_id", "fields", "idempotency_key"),
    "list": (),
    "update": ("template_id", "template"),
}


def public(kind: object) -> list[str]:
    """Names of the methods and properties that users see."""
    return [name for name in dir(kind) if not name.startswith("_") and name not in ("calls", "transport")]


def surface(instance: object) -> dict[str, tuple[str, ...] | None]:
    """Public members and the names of their arguments."""
    members = {name: getattr(instance, name) for name in public(instance)}
    return {
        name: tuple(each for each in inspect.signature(member).parameters if each != "self")
        if callable(member)
        else None
        for name, member in members.items()
    }


def test_exports_these_names_and_no_others() -> None:
    assert sorted(wainwright.client.__all__) == EXPORTED
    assert all(hasattr(wainwright.client, name) for name in EXPORTED)


def test_the_patterns_are_these() -> None:
    assert sorted(wainwright.client.patterns.__all__) == PATTERNS
    assert all(inspect.getdoc(getattr(wainwright.client.patterns, name)) for name in PATTERNS if name != "Work")


@pytest.fixture(params=["client", "async_user"])
def either(request: pytest.FixtureRequest) -> Client | AsyncClient:
    client: Client | AsyncClient = request.getfixturevalue(request.param)
    return client


def test_both_clients_have_these_methods_and_no_others(either: Client | AsyncClient) -> None:
    close = "aclose" if isinstance(either, AsyncClient) else "close"
    assert surface(either) == METHODS | {close: (), "jobs": None, "templates": None}
    assert surface(either.jobs) == JOBS
    assert surface(either.templates) == TEMPLATES


def test_both_clients_take_the_same_arguments(user: Client, async_user: AsyncClient) -> None:
    for name in METHODS.keys() - {"endpoint"}:
        assert inspect.signature(getattr(user, name)) == inspect.signature(getattr(async_user, name)), name


def test_every_public_method_has_a_docstring(either: Client | AsyncClient) -> None:
    for part in (either, either.jobs, either.templates):
        assert all(inspect.getdoc(getattr(part, name)) for name in public(part))
