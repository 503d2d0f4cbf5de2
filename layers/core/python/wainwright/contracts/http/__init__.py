"""Bodies of the HTTP API: one model for each request and answer. OpenAPI is made from these.

A model is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from wainwright.on_demand import on_demand

if TYPE_CHECKING:
    from wainwright.contracts.http.analytics import Analytics, FlakyTest, TestAnalytics, TestRecord
    from wainwright.contracts.http.bounds import (
        MAX_BODY_BYTES,
        MAX_BUNDLE_BYTES,
        MAX_BUNDLE_FILES,
        MAX_LOG_LINES,
        MAX_LOG_MESSAGE,
        MAX_SCRIPT_BYTES,
        MAX_TIMEOUT_MS,
        MAX_UNPACKED_BYTES,
        MAX_WAIT_SECONDS,
        MIN_TIMEOUT_MS,
        SCRIPT_NAME,
    )
    from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle, Upload
    from wainwright.contracts.http.config import HeaderName, HeaderValue, JobConfig, Keep, Viewport
    from wainwright.contracts.http.fields import Digest, HttpUrl
    from wainwright.contracts.http.jobs import (
        CreateJob,
        JobAnswer,
        JobCost,
        JobCreated,
        JobList,
        JobOptions,
        JobRecord,
        PatchJob,
        QueueAnswer,
        ReportLink,
        RetryJob,
        TicketAnswer,
    )
    from wainwright.contracts.http.keys import CreateKey, KeyCreated, KeyList, KeyRecord
    from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogEntry, LogLevel, LogList
    from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
    from wainwright.contracts.http.secrets import PutSecret, SecretAnswer, SecretList, SecretRecord
    from wainwright.contracts.http.service import Health, Problem
    from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, TemplateRecord, WriteTemplate
    from wainwright.contracts.http.work import Script, ScriptName
else:
    __getattr__ = on_demand(
        __name__,
        {
            "analytics": (
                "Analytics",
                "FlakyTest",
                "TestAnalytics",
                "TestRecord",
            ),
            "bounds": (
                "MAX_BODY_BYTES",
                "MAX_BUNDLE_BYTES",
                "MAX_BUNDLE_FILES",
                "MAX_LOG_LINES",
                "MAX_LOG_MESSAGE",
                "MAX_SCRIPT_BYTES",
                "MAX_TIMEOUT_MS",
                "MAX_UNPACKED_BYTES",
                "MAX_WAIT_SECONDS",
                "MIN_TIMEOUT_MS",
                "SCRIPT_NAME",
            ),
            "bundles": (
                "BundleAnswer",
                "CreateBundle",
                "Upload",
            ),
            "config": (
                "HeaderName",
                "HeaderValue",
                "JobConfig",
                "Keep",
                "Viewport",
            ),
            "fields": (
                "Digest",
                "HttpUrl",
            ),
            "jobs": (
                "CreateJob",
                "JobAnswer",
                "JobCost",
                "JobCreated",
                "JobList",
                "JobOptions",
                "JobRecord",
                "PatchJob",
                "QueueAnswer",
                "ReportLink",
                "RetryJob",
                "TicketAnswer",
            ),
            "keys": (
                "CreateKey",
                "KeyCreated",
                "KeyList",
                "KeyRecord",
            ),
            "logs": (
                "CreateLog",
                "LogAnswer",
                "LogEntry",
                "LogLevel",
                "LogList",
            ),
            "quarantine": (
                "PutQuarantine",
                "QuarantineAnswer",
                "QuarantineList",
            ),
            "secrets": (
                "PutSecret",
                "SecretAnswer",
                "SecretList",
                "SecretRecord",
            ),
            "service": (
                "Health",
                "Problem",
            ),
            "templates": (
                "TemplateAnswer",
                "TemplateList",
                "TemplateRecord",
                "WriteTemplate",
            ),
            "work": (
                "Script",
                "ScriptName",
            ),
        },
    )

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_BUNDLE_BYTES",
    "MAX_BUNDLE_FILES",
    "MAX_LOG_LINES",
    "MAX_LOG_MESSAGE",
    "MAX_SCRIPT_BYTES",
    "MAX_TIMEOUT_MS",
    "MAX_UNPACKED_BYTES",
    "MAX_WAIT_SECONDS",
    "MIN_TIMEOUT_MS",
    "SCRIPT_NAME",
    "Analytics",
    "BundleAnswer",
    "CreateBundle",
    "CreateJob",
    "CreateKey",
    "CreateLog",
    "Digest",
    "FlakyTest",
    "HeaderName",
    "HeaderValue",
    "Health",
    "HttpUrl",
    "JobAnswer",
    "JobConfig",
    "JobCost",
    "JobCreated",
    "JobList",
    "JobOptions",
    "JobRecord",
    "Keep",
    "KeyCreated",
    "KeyList",
    "KeyRecord",
    "LogAnswer",
    "LogEntry",
    "LogLevel",
    "LogList",
    "PatchJob",
    "Problem",
    "PutQuarantine",
    "PutSecret",
    "QuarantineAnswer",
    "QuarantineList",
    "QueueAnswer",
    "ReportLink",
    "RetryJob",
    "Script",
    "ScriptName",
    "SecretAnswer",
    "SecretList",
    "SecretRecord",
    "TemplateAnswer",
    "TemplateList",
    "TemplateRecord",
    "TestAnalytics",
    "TestRecord",
    "TicketAnswer",
    "Upload",
    "Viewport",
    "WriteTemplate",
]
