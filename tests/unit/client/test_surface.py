"""The public surface of the client: what others may rely on, and so does not change by accident."""

import inspect

import pytest

import wainwright.client
import wainwright.client.patterns
from wainwright.client import AsyncClient, Client
from wainwright.client.asynchronous import AsyncJobs, AsyncTemplates
from wainwright.client.sync import Jobs, Templates

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
    "analytics": ("self", "template_id", "from_", "to", "job_ids"),
    "analyze_tests": ("self", "flaky", "file", "sort_by", "limit", "cursor"),
    "cancel_job": ("self", "job_id"),
    "close": ("self",),
    "create_job": ("self", "job", "idempotency_key"),
    "create_key": ("self", "name", "scope"),
    "create_log": ("self", "job_id", "message", "level", "additional_info"),
    "create_template": ("self", "template"),
    "delete_job": ("self", "job_id"),
    "delete_quarantine": ("self", "test_id"),
    "delete_secret": ("self", "name"),
    "delete_template": ("self", "template_id"),
    "endpoint": None,
    "events": ("self", "job_id", "wait_timeout"),
    "get_job": ("self", "job_id", "wait", "states"),
    "get_limits": ("self",),
    "get_template": ("self", "template_id", "version"),
    "health": ("self",),
    "invoke_template": ("self", "template_id", "fields", "idempotency_key"),
    "iterate": ("self", "stream"),
    "list_jobs": ("self", "cursor", "filters"),
    "list_keys": ("self",),
    "list_logs": ("self", "job_id", "cursor", "filters"),
    "list_quarantine": ("self",),
    "list_secrets": ("self",),
    "list_templates": ("self", "limit", "cursor"),
    "manifest": ("self", "job_id"),
    "openapi": ("self",),
    "patch_job": ("self", "job_id", "priority", "low_priority", "label"),
    "put_limits": ("self", "limits"),
    "put_quarantine": ("self", "test_id", "until", "reason"),
    "put_secret": ("self", "name", "value"),
    "queue": ("self", "long_running_minutes"),
    "report_file": ("self", "job_id", "path", "target"),
    "resume_job": ("self", "job_id"),
    "retry_job": ("self", "job_id", "only_failed"),
    "revoke_key": ("self", "key_id"),
    "run": ("self", "flow"),
    "stop_job": ("self", "job_id"),
    "ticket": ("self", "job_id"),
    "update_template": ("self", "template_id", "template"),
    "upload_bundle": ("self", "source"),
    "wait_for": ("self", "job_id", "states", "wait_timeout", "poll", "on_look"),
}

JOBS = {
    "cancel": ("job",),
    "create": ("self", "job", "idempotency_key"),
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
    "create": ("self", "template"),
    "delete": ("self", "template_id"),
    "get": ("self", "template_id", "version"),
    "invoke": ("self", "template_id", "fields", "idempotency_key"),
    "list": (),
    "update": ("self", "template_id", "template"),
}


def surface(kind: type) -> dict[str, tuple[str, ...] | None]:
    """Public members and the names of their arguments."""
    members = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    return {
        name: tuple(each for each in inspect.signature(member).parameters if each != "calls")
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


@pytest.mark.parametrize(("kind", "expected"), [(Client, METHODS), (Jobs, JOBS), (Templates, TEMPLATES)])
def test_the_client_has_these_methods_and_no_others(kind: type, expected: dict[str, tuple[str, ...] | None]) -> None:
    assert surface(kind) == expected


@pytest.mark.parametrize("kind", [Client, AsyncClient, Jobs, AsyncJobs, Templates, AsyncTemplates])
def test_every_public_method_has_a_docstring(kind: type) -> None:
    assert all(inspect.getdoc(getattr(kind, name)) for name in surface(kind))
