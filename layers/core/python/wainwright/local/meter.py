"""The cost meter: each AWS call of the local system, the jobs that it belongs to, and what AWS would bill for it.

A call belongs to the jobs that its keys or its body name. One that names none belongs to those for which it is made: in a
function to the jobs that the invocation's event names, else to those of whoever sent the queue's message that brought it
about, else to those that the invocation's other calls name; in a worker to the job whose message it has. Several share a call
alike. What is left, above all the waiting of pollers and workers for work, is nobody's, and is kept apart.
"""

import functools
import json
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ParamSpec

from wainwright.domain.costs import TRANSITIONS, WORKER_SECONDS, CostGroup, Usage
from wainwright.domain.prices import GIGABYTE
from wainwright.local import attribution
from wainwright.local.attribution import Named
from wainwright.local.functions import FunctionSpec
from wainwright.local.patches import Patches
from wainwright.local.request_units import Request
from wainwright.local.usage import UsageBook, part_of, usage_of
from wainwright.local.worker_times import WorkerTimes

logger = logging.getLogger(__name__)

WORKFLOW = "workflow"
WORKER = "worker"
FLUSH_SECONDS = 0.2

CHUNK_BYTES = 64 * 1024
"""SQS and EventBridge bill each begun 64 KB as one request or event; an HTTP API each 512 KB."""
HTTP_CHUNK_BYTES = 512 * 1024
INVOCATION_LOG_BYTES = 330
"""Bytes that Lambda itself logs for each invocation: its lines START, END and REPORT."""
LINE_LOG_BYTES = 75
"""Bytes that Lambda writes before each line of a function's own: level, time and request id."""
MONTH_SECONDS = 30 * 86_400.0

_REMEMBERED = 10_000
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call. `at` is in seconds since the epoch; `caller` a function's folder, WORKFLOW or WORKER."""

    at: float
    caller: str
    service: str
    operation: str


@dataclass
class Scope:
    """The invocation in which a thread calls AWS, and the jobs for which it does."""

    caller: str
    named: Named = field(default_factory=Named)
    causes: tuple["Scope", ...] = ()
    touched: dict[str, None] = field(default_factory=dict)
    waiting: list[Usage] = field(default_factory=list)
    """Usage of calls that name no job: shared out when the scope ends."""
    log_bytes: int = 0

    @property
    def group(self) -> CostGroup:
        """The group that the scope's calls are listed in."""
        return CostGroup.LOOKING if self.named.looks else CostGroup.CONTROL_PLANE

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs that it is for."""
        if self.named.jobs or self.named.routine:
            return self.named.jobs
        causes = dict.fromkeys(job for cause in self.causes for job in cause.jobs)
        return tuple(causes or self.touched)


def _guarded(method: Callable[_P, None]) -> Callable[_P, None]:
    """Log an error of the meter: no call fails by it."""

    @functools.wraps(method)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:
            logger.exception("the meter missed a call")

    return guarded


class Meter:
    """Counts for a local system, into `book`.

    `kept_seconds` tells for how long an object stays in a bucket, by its key; `log_bytes` the size of a worker's log, by its
    task's id. `on_call` is told of every call before it is answered.
    """

    def __init__(
        self,
        book: UsageBook,
        kept_seconds: Callable[[str], float],
        log_bytes: Callable[[str], int],
        clock: Callable[[], float] = time.monotonic,
        on_call: Callable[[Call], None] = lambda _: None,
    ) -> None:
        self._on_call = on_call
        self._book = book
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._here = threading.local()
        self._lock = threading.Lock()
        self._workers = WorkerTimes(log_bytes, clock)
        self._senders: OrderedDict[str, Scope] = OrderedDict()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write, name="meter", daemon=True)

    def install(self, patches: Patches) -> None:
        """Notice the calls of boto3 clients that are made from now on in this process, and what functions log."""
        patches.handle("before-parameter-build", self._asked)
        patches.handle("after-call", self._answered_here)
        listener = _LogListener(self)
        logging.getLogger().addHandler(listener)
        patches.callback(logging.getLogger().removeHandler, listener)

    def start(self) -> None:
        """Begin to count and to write: what set the system up is no job's, and is done once on AWS."""
        self._book.discard()
        self._thread.start()

    def stop(self) -> None:
        """Write what is left."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._book.flush()

    def _write(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            try:
                self._book.flush()
            except OSError:
                logger.exception("what jobs cost could not be written")

    @contextmanager
    def watch(self, spec: FunctionSpec, event: Any, size: int) -> Iterator[None]:
        """Around a call of a handler: its calls are made for the jobs of its event."""
        named = attribution.of_event(event)
        scope = self._here.scope = Scope(attribution.short_name(spec.name), named, self._causes(named.messages))
        began = self._clock()
        try:
            yield
        finally:
            self._here.scope = None
            self._invoked(scope, spec, self._clock() - began, size)

    @_guarded
    def _invoked(self, scope: Scope, spec: FunctionSpec, seconds: float, size: int) -> None:
        log_bytes = scope.log_bytes + INVOCATION_LOG_BYTES
        calls: list[tuple[str, str, dict[str, float]]] = [
            ("lambda", "Invoke", {
                "lambda.request": 1.0,
                "lambda.gbSecond": math.ceil(seconds * 1_000) / 1_000 * spec.memory_mb / 1_024,
                "logs.ingestion": log_bytes / GIGABYTE,
            })
        ]  # fmt: skip
        if scope.named.http:
            calls.append(("httpapi", "Request", {"httpapi.request": _chunks(size, HTTP_CHUNK_BYTES)}))
        if scope.named.messages:
            # Lambda's poller takes a batch by one request and deletes it by another.
            calls += [("sqs", each, {"sqs.request": 1.0}) for each in ("ReceiveMessage", "DeleteMessageBatch")]
        scope.waiting += [usage_of(scope.group, scope.caller, *call) for call in calls]
        self._share(scope.jobs, scope.waiting)

    def _causes(self, messages: tuple[str, ...]) -> tuple[Scope, ...]:
        with self._lock:
            return tuple(cause for name in messages if (cause := self._senders.pop(name, None)) is not None)

    def logged(self, size: int) -> None:
        """A function wrote a line of so many bytes into its log."""
        scope = self._scope
        if scope is not None:
            scope.log_bytes += size + LINE_LOG_BYTES

    def _asked(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["wainwright_params"] = params
        caller = self._scope.caller if self._scope else WORKFLOW
        self._on_call(Call(time.time(), caller, model.service_model.service_name, model.name))

    @_guarded
    def _answered_here(self, parsed: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        if service == "dynamodb":
            return  # told of by the table, which knows sizes
        params = context.get("wainwright_params", {})
        scope = self._scope or Scope(WORKFLOW)
        if service == "s3":
            body = params.get("Body", b"")  # botocore wraps bytes in a file
            size = body.getbuffer().nbytes if isinstance(body, BytesIO) else len(body)
            # Without a scope it is a thread of the API that packs a report for who reads it.
            group = scope.group if self._scope is not None else CostGroup.LOOKING
            self._stored(group, scope.caller, operation, str(params.get("Key", "")), size)
        else:
            self._called(scope.caller, scope.group, service, operation, params, parsed)

    @contextmanager
    def requested(self, service: str, method: str, target: str, headers: Mapping[str, str]) -> Iterator[None]:
        """Around a request of another process: its calls are that worker's."""
        operation = attribution.operation_of(method, target, headers)[0]
        self._on_call(Call(time.time(), WORKER, service, operation))
        self._here.worker = attribution.worker_of(headers.get("user-agent", ""))
        self._here.remote = True
        try:
            yield
        finally:
            self._here.worker, self._here.remote = None, False

    @_guarded
    def answered(
        self, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes, answer: bytes
    ) -> None:
        """Count a request of another process."""
        operation, key = attribution.operation_of(method, target, headers)
        if service == "s3":
            signed = "authorization" in headers
            looks = not signed and method in ("GET", "HEAD")
            group = CostGroup.LOOKING if looks else CostGroup.CONTROL_PLANE
            self._stored(group, WORKER if signed else "client", operation, key, len(body))
        elif service != "dynamodb":
            params, parsed = json.loads(body or b"{}"), json.loads(answer or b"{}")
            self._called(WORKER, CostGroup.CONTROL_PLANE, service, operation, params, parsed)

    @_guarded
    def queried(self, request: Request) -> None:
        """A request to a table was answered."""
        remote = getattr(self._here, "remote", False)
        scope = self._scope
        units = {"dynamodb.write": request.writes, "dynamodb.read": request.reads}
        # A month of what is kept; what is deleted was not kept for a month, which is not known here.
        units["dynamodb.storage"] = max(request.grown_bytes, 0) / GIGABYTE
        caller = WORKER if remote else scope.caller if scope else WORKFLOW
        group = scope.group if scope else CostGroup.CONTROL_PLANE
        jobs = attribution.of_keys(request.keys)
        self._add(jobs, usage_of(group, caller, "dynamodb", request.operation, units))
        for key in request.deleted:
            if key.get("sk", {}).get("S") == "#JOB":
                for job_id in attribution.of_keys([key]):
                    self._book.forget(job_id)

    def _stored(self, group: CostGroup, caller: str, operation: str, key: str, size: int) -> None:
        jobs = attribution.of_object(key)
        if operation.startswith(("Delete", "AbortMultipart")):
            self._add(jobs, usage_of(group, caller, "s3", operation, {}))
            return
        if not operation.startswith(("Put", "Post", "Copy", "List", "UploadPart", "CreateMultipart", "CompleteMultip")):
            self._add(jobs, usage_of(group, caller, "s3", operation, {"s3.get": 1.0}))
            return
        if jobs and not operation.startswith("List") and group is not CostGroup.LOOKING:
            group = CostGroup.ARTIFACTS
        self._add(jobs, usage_of(group, caller, "s3", operation, {"s3.put": 1.0}))
        if size:
            months = size / GIGABYTE * self._kept_seconds(key) / MONTH_SECONDS
            self._add(jobs, usage_of(CostGroup.ARTIFACTS, caller, "s3", "storage", {"s3.storage": months}, calls=0))

    def _called(
        self, caller: str, group: CostGroup, service: str, operation: str, params: Mapping[str, Any], parsed: Any
    ) -> None:
        jobs: tuple[str, ...] = ()
        units: dict[str, float] = {}
        match service:
            case "sqs":
                jobs, units = self._queue_call(operation, params, parsed)
            case "stepfunctions" | "states":
                jobs = attribution.of_execution(str(params.get("name", params.get("executionArn", ""))))
                jobs = jobs or attribution.of_text(str(params.get("output", "")))
                if operation.startswith("SendTask"):
                    self._count_worker()
            case "events":
                entries = params.get("Entries", [])
                jobs = attribution.of_text(" ".join(str(entry.get("Detail", "")) for entry in entries))
                units = {"events.event": sum(_chunks(len(json.dumps(entry, default=str))) for entry in entries)}
            case "ssm":
                found = parsed.get("Parameters", [parsed["Parameter"]] if "Parameter" in parsed else [])
                secure = sum(each.get("Type") == "SecureString" for each in found)
                units = {"ssm.parameter": 1.0, "kms.request": float(secure if params.get("WithDecryption") else 0)}
            case "lambda":
                return  # counted where the function runs
        self._add(jobs, usage_of(group, caller, service, operation, units))

    def _queue_call(
        self, operation: str, params: Mapping[str, Any], parsed: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], dict[str, float]]:
        bodies = [str(each.get("MessageBody", "")) for each in params.get("Entries", [params])]
        bodies += [str(message.get("Body", "")) for message in parsed.get("Messages", [])]
        jobs = attribution.of_text(" ".join(bodies))
        if operation in ("SendMessage", "SendMessageBatch"):
            self._remember_sender(each.get("MessageId", "") for each in parsed.get("Successful", [parsed]))
        elif operation in ("ReceiveMessage", "DeleteMessage"):
            self._count_worker()
        if operation == "ReceiveMessage":
            self._workers.take(self._worker, jobs[0] if jobs else None)
            if not jobs:
                self._book.add(None, [usage_of(CostGroup.CONTROL_PLANE, WORKER, "sqs", "idle", {"sqs.request": 1.0})])
                return (), {}
        return jobs, {"sqs.request": _chunks(sum(len(body) for body in bodies))}

    def _remember_sender(self, messages: Iterable[str]) -> None:
        if (scope := self._scope) is not None:
            with self._lock:
                self._senders |= dict.fromkeys(messages, scope)
                while len(self._senders) > _REMEMBERED:
                    self._senders.popitem(last=False)

    def _count_worker(self) -> None:
        """Add what this thread's worker has spent since this was last done to the job that it has."""
        spent = self._workers.spend(self._worker)
        if spent is None:
            return
        seconds, logged = {WORKER_SECONDS: spent.seconds}, {"logs.ingestion": spent.log_bytes / GIGABYTE}
        self._book.add(
            spent.job_id,
            [
                usage_of(CostGroup.COMPUTE, WORKER, "fargate", "run", seconds, calls=0),
                usage_of(CostGroup.CONTROL_PLANE, WORKER, "logs", "write", logged, calls=0),
            ],
        )

    @_guarded
    def ended(self, execution_arn: str, history: list[Mapping[str, Any]]) -> None:
        """An execution has ended: its transitions are the start, each entry into a state, and each retry."""
        kinds = [str(event["type"]).rpartition(".")[2] for event in history]
        again = kinds.count("TaskScheduled") - kinds.count("TaskStateEntered")
        transitions = 1.0 + sum(kind.endswith("StateEntered") for kind in kinds) + max(again, 0)
        usage = usage_of(
            CostGroup.CONTROL_PLANE, WORKFLOW, "stepfunctions", "transition",
            {TRANSITIONS: transitions}, calls=transitions,
        )  # fmt: skip
        self._share(attribution.of_execution(execution_arn), [usage])

    @property
    def _scope(self) -> Scope | None:
        return getattr(self._here, "scope", None)

    @property
    def _worker(self) -> str | None:
        return getattr(self._here, "worker", None)

    def _add(self, jobs: tuple[str, ...], usage: Usage) -> None:
        """Add a call to the jobs that it names, else to those for which this thread calls."""
        scope = self._scope
        if jobs:
            if scope is not None:
                scope.touched |= dict.fromkeys(jobs)
            self._share(jobs, [usage])
        elif scope is not None:
            scope.waiting.append(usage)
        else:
            self._book.add(self._workers.job_of(self._worker), [usage])

    def _share(self, jobs: tuple[str, ...], usages: list[Usage]) -> None:
        if not jobs:
            self._book.add(None, usages)
            return
        part = 1 / len(jobs)
        shares = usages if part == 1 else [part_of(usage, part) for usage in usages]
        for job_id in jobs:
            self._book.add(job_id, shares)


class _LogListener(logging.Handler):
    """Measures what functions log; the local system's own lines are none that AWS would write."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(logging.INFO)
        self._meter = meter

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("wainwright.", "functions.")) and not record.name.startswith("wainwright.local."):
            self._meter.logged(len(record.getMessage()))


def _chunks(size: int, chunk: int = CHUNK_BYTES) -> float:
    return float(max(1, math.ceil(size / chunk)))
