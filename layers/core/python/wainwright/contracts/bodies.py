"""The models of the API's bodies, by operation: for who describes or checks them. To serve a call takes those of that call."""

from collections.abc import Mapping

from wainwright.contracts.http.analytics import TestAnalytics
from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle
from wainwright.contracts.http.jobs import (
    CreateJob,
    JobAnswer,
    JobCreated,
    JobList,
    PatchJob,
    QueueAnswer,
    RetryJob,
    TicketAnswer,
)
from wainwright.contracts.http.keys import CreateKey, KeyCreated, KeyList
from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogList
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.contracts.http.secrets import PutSecret, SecretAnswer, SecretList
from wainwright.contracts.http.service import Health
from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, WriteTemplate
from wainwright.domain.analytics import Analytics
from wainwright.domain.capacity import Limits
from wainwright.domain.model import Record

REQUESTS: Mapping[str, type[Record]] = {
    "createBundle": CreateBundle,
    "createJob": CreateJob,
    "patchJob": PatchJob,
    "retryJob": RetryJob,
    "createLog": CreateLog,
    "createTemplate": WriteTemplate,
    "updateTemplate": WriteTemplate,
    "putQuarantine": PutQuarantine,
    "putLimits": Limits,
    "createKey": CreateKey,
    "putSecret": PutSecret,
}
"""What comes with a request. ``invokeTemplate`` takes an object whose keys the template declares."""

ANSWERS: Mapping[str, type[Record]] = {
    "health": Health,
    "createBundle": BundleAnswer,
    "createJob": JobCreated,
    "listJobs": JobList,
    "getJob": JobAnswer,
    "patchJob": JobAnswer,
    "cancelJob": JobAnswer,
    "stopJob": JobAnswer,
    "resumeJob": JobAnswer,
    "retryJob": JobAnswer,
    "listLogs": LogList,
    "createLog": LogAnswer,
    "createTicket": TicketAnswer,
    "createTemplate": TemplateAnswer,
    "listTemplates": TemplateList,
    "getTemplate": TemplateAnswer,
    "updateTemplate": TemplateAnswer,
    "invokeTemplate": JobCreated,
    "analytics": Analytics,
    "analyzeTests": TestAnalytics,
    "listQuarantine": QuarantineList,
    "putQuarantine": QuarantineAnswer,
    "queue": QueueAnswer,
    "getLimits": Limits,
    "putLimits": Limits,
    "listKeys": KeyList,
    "createKey": KeyCreated,
    "listSecrets": SecretList,
    "putSecret": SecretAnswer,
}
"""What is answered if all is well. The others answer with nothing, or with what is no model."""
