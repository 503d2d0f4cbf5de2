"""The jobs that a call belongs to: those that its keys, its body, or the event of the function that makes it, name."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from wainwright.contracts.names import parse_execution_name, parse_report_key

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(rf"/v1/jobs/({_UUID})(?:/|$)")
_JOB_ID = re.compile(rf'"jobId"\s*:\s*"({_UUID})"')
_IN_LINE = re.compile(rf"#({_UUID})\Z")
_APP = re.compile(r"(?:^|\s)app/(\S+)")
_HANDLER = re.compile(r"Functions([A-Z]\w+?)Handler")
_WORD = re.compile(r"(?<=.)([A-Z])")
_LOOKING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Named:
    """An event, read: ``jobs`` that it names, ``messages`` of a queue that it brings; ``looks`` if somebody only looks,
    ``routine`` if a clock fired it, ``http`` if it is a request of the API."""

    jobs: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    looks: bool = False
    routine: bool = False
    http: bool = False


def of_event(event: Any) -> Named:
    """Read the event of an invocation."""
    if not isinstance(event, Mapping):
        return Named()
    if isinstance(event.get("requestContext"), Mapping) and "http" in event["requestContext"]:
        return _of_request(event)
    if isinstance(event.get("Records"), list):
        return _of_records(event["Records"])
    if "detail-type" in event:
        return _of_notice(event)
    if isinstance(event.get("jobId"), str):
        return Named((event["jobId"],))
    return Named(routine="recover" in event)


def of_keys(keys: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The jobs that keys of DynamoDB's JSON belong to."""
    found: dict[str, None] = {}
    for key in keys:
        partition = key.get("pk", {}).get("S", "")
        if partition.startswith("JOB#"):
            found[partition.rpartition("#")[2]] = None
        elif partition.startswith("QUEUE#") and (match := _IN_LINE.search(key.get("sk", {}).get("S", ""))):
            found[match[1]] = None
    return tuple(found)


def of_text(text: str) -> tuple[str, ...]:
    """The jobs that JSON names, JSON within a string too."""
    return tuple(dict.fromkeys(_JOB_ID.findall(text.replace('\\"', '"'))))


def of_object(key: str) -> tuple[str, ...]:
    """The job whose report an object belongs to."""
    named = parse_report_key(key)
    return () if named is None else (named.job_id,)


def of_execution(name: str) -> tuple[str, ...]:
    """The job of an execution, by its name or ARN."""
    try:
        return (parse_execution_name(name.rpartition(":")[2])[0],)
    except ValueError:
        return ()


def worker_of(user_agent: str) -> str | None:
    """The application id in an SDK's user agent, which for a worker is its task's."""
    match = _APP.search(user_agent)
    return match[1] if match else None


def operation_of(method: str, target: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """The operation of a request, for S3 as far as its price goes, and the key of the object that it is about."""
    if named := headers.get("x-amz-target"):
        return named.rpartition(".")[2], ""
    url = urlsplit(target)
    key = unquote(url.path).lstrip("/").partition("/")[2]
    if method == "GET" and not key:
        return "ListObjects", key
    if method == "POST":
        return "DeleteObjects" if "delete" in parse_qs(url.query, keep_blank_values=True) else "PostObject", key
    return f"{method.title()}Object", key


def short_name(name: str) -> str:
    """A function's folder, out of its name: ``stack-FunctionsDispatchJobsHandler12AB`` is ``dispatch_jobs``."""
    found = _HANDLER.search(name)
    return _WORD.sub(r"_\1", found[1]).lower() if found else name


def _of_request(event: Mapping[str, Any]) -> Named:
    http = event["requestContext"]["http"]
    path = str(event.get("rawPath", ""))
    match = _PATH.match(path)
    looks = http["method"] in _LOOKING_METHODS or path.endswith("/ticket")
    return Named((match[1],) if match else (), looks=looks, http=True)


def _of_records(records: list[Any]) -> Named:
    jobs: dict[str, None] = {}
    messages: list[str] = []
    for record in records:
        if "dynamodb" in record:
            jobs |= dict.fromkeys(of_keys([record["dynamodb"].get("Keys", {})]))
        elif "messageId" in record:
            messages.append(record["messageId"])
            jobs |= dict.fromkeys(of_text(str(record.get("body", ""))))
    return Named(tuple(jobs), tuple(messages))


def _of_notice(event: Mapping[str, Any]) -> Named:
    detail = event.get("detail") or {}
    if event["detail-type"] == "Scheduled Event":
        return Named(routine=True)
    return Named(of_execution(str(detail.get("executionArn", ""))) or of_text(json.dumps(detail)))
