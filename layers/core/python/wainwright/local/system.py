"""The one-machine AWS as a whole: started, running, stopped."""

import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self
from unittest import mock

from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto import mock_aws

from wainwright.domain.costs import WorkerSize
from wainwright.local import compute, resources
from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.endpoint import Endpoint
from wainwright.local.errors import LocalError
from wainwright.local.event_sources import QueuePoller, StreamPoller
from wainwright.local.events import EventRouter
from wainwright.local.functions import PACKAGE, Functions, FunctionSpec
from wainwright.local.http_api import HttpApi
from wainwright.local.inprocess import InProcessAws
from wainwright.local.journal import Journal
from wainwright.local.meter import Call, Meter
from wainwright.local.parameters import ParameterStore
from wainwright.local.patches import Patches, bare_package
from wainwright.local.s3 import StoredS3
from wainwright.local.sqs import SafeSQS
from wainwright.local.template import REGION, Template
from wainwright.local.timers import Timers
from wainwright.local.usage import UsageBook
from wainwright.local.web import LoopbackServer
from wainwright.local.workers import Workers

logger = logging.getLogger(__name__)

DEFAULT_PORT = 8787
_MAX_WORKERS = "MAX_CONCURRENT_TESTS"
_SPOOL = "WAINWRIGHT_SPOOL_DIR"
_COSTS = "WAINWRIGHT_COSTS_DIR"
_KEPT_SECONDS = 30 * 86_400.0
"""Lifetime assumed, for its price, of an object that no lifecycle rule ends."""
_HOUSEKEEPING_SECONDS = 60.0
_WORKERS_STOP_SECONDS = 10.0
_FUNCTIONS_STOP_SECONDS = 3.0
_LOG_BYTES = 10 * 1024 * 1024
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class LocalSystem:
    """The whole system of a synthesized template on this machine. One at a time in a process.

    `repo_root` has the folder `functions`; `data_dir` outlives a restart, and is created if missing. `api_port` is the port
    of the template's first HTTP API, 0 any free one; a second API takes the next port if that is free. `worker_command`
    runs in place of the worker, for tests. `on_call` is told of every AWS call, by whichever thread makes it.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        template: Mapping[str, Any],
        repo_root: Path,
        data_dir: Path,
        *,
        api_port: int = DEFAULT_PORT,
        max_workers: int = 4,
        worker_command: Sequence[str] | None = None,
        on_call: Callable[[Call], None] = lambda _: None,
    ) -> None:
        self._document = template
        self._repo_root = repo_root.resolve()
        self.data_dir = data_dir.resolve()
        self._api_port = api_port
        self._max_workers = max_workers
        self._worker_command = worker_command
        self._on_call = on_call
        self._stack = ExitStack()
        self._started = False
        self._api_servers: dict[str, LoopbackServer] = {}
        self._cors: dict[str, list[Mapping[str, Any]]] = {}
        self._expiry_rules: list[tuple[str, float]] = []
        self.credentials = Credentials(
            "".join(secrets.choice(_ALPHABET) for _ in range(20)), secrets.token_urlsafe(30), method="local"
        )

    @property
    def api_url(self) -> str:
        """The URL of the template's first HTTP API."""
        return next(iter(self._api_servers.values())).url

    @property
    def api_urls(self) -> dict[str, str]:
        """The URL of every HTTP API, by logical id and, where it has one, by name."""
        urls = {logical_id: server.url for logical_id, server in self._api_servers.items()}
        for api in self.template.of_type("AWS::ApiGatewayV2::Api"):
            urls[api.properties.get("Name", api.logical_id)] = urls[api.logical_id]
        return urls

    @property
    def endpoint_url(self) -> str:
        """The URL of this run's AWS, for whoever has `credentials`."""
        return self._endpoint_server.url

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let boto3 in another process use this run's AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; on failure nothing is left running.

        Raises:
            LocalError: with one line that says what is wrong and what to do.
        """
        if not self._running.acquire(blocking=False):
            raise LocalError("a local system runs in this process already: stop it first")
        self._stack.callback(self._running.release)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop cleanly: no new work, workers told to go, state written, ports and data directory given back."""
        self._started = False
        self._stack.close()

    def _start(self) -> None:
        self._stack.callback(os.umask, os.umask(0o077))  # whatever is written is the user's alone
        journal = Journal(self.data_dir)
        self._stack.callback(journal.close)
        self._log_to(journal.logs)
        self._take_ports()
        urls = {logical_id: server.url for logical_id, server in self._api_servers.items()}
        self.template = Template(self._document, urls)
        specs = compute.functions(self.template)
        host_environment = dict(os.environ)
        # The stage says how many workers AWS may run; here this machine does.
        here = {_MAX_WORKERS: str(self._max_workers), _SPOOL: str(journal.spool), _COSTS: str(journal.costs)}
        self._set_environment(compute.shared_environment(specs) | here)
        self._build(journal, specs, host_environment)
        restored = self._fill(journal)
        self._load(specs)
        self._run(restored)

    def _log_to(self, logs: Path) -> None:
        handler = RotatingFileHandler(logs / "local.log", maxBytes=_LOG_BYTES, backupCount=2)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
        root = logging.getLogger()
        root.addHandler(handler)
        self._stack.callback(handler.close)
        self._stack.callback(root.removeHandler, handler)
        for name in ("wainwright", "functions"):
            ours = logging.getLogger(name)
            self._stack.callback(ours.setLevel, ours.level)
            ours.setLevel(logging.INFO)

    def _take_ports(self) -> None:
        self._api_servers.clear()
        self._endpoint_server = LoopbackServer(0)
        self._stack.callback(self._endpoint_server.stop)
        port = self._api_port
        for logical_id in Template.api_ids(self._document):
            server = LoopbackServer(port) if not self._api_servers else _next_or_any(port)
            self._stack.callback(server.stop)
            self._api_servers[logical_id] = server
            port = server.port + 1
        if not self._api_servers:
            raise LocalError("the infrastructure has no HTTP API: synthesize it again")

    def _set_environment(self, shared: Mapping[str, str]) -> None:
        self._stack.enter_context(mock.patch.dict(os.environ))
        # The user's own settings would send what is ours to the real AWS.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.environment)
        del os.environ["AWS_ENDPOINT_URL"]
        # Only S3 clients in this process need the endpoint: for the URLs that they presign.
        os.environ["AWS_ENDPOINT_URL_S3"] = self.endpoint_url
        os.environ.update(shared)

    def _build(self, journal: Journal, specs: list[FunctionSpec], host_environment: Mapping[str, str]) -> None:
        aws = mock_aws(config={"core": {"mock_credentials": False}, "stepfunctions": {"execute_state_machine": True}})
        self._stack.enter_context(aws)
        self._timers = Timers()
        self._stack.callback(self._timers.stop)
        self._functions = Functions(self._timers)
        self._dynamodb = SafeDynamoDB(journal)
        self._sqs = SafeSQS()
        self._s3 = StoredS3(journal)
        self._router = EventRouter(self._functions, self._sqs, self._timers)
        self._workers = Workers(
            compute.task_definitions(self.template),
            self.environment | {_SPOOL: str(journal.spool)},
            host_environment,
            journal.logs,
            stopped=self._task_stopped,
            max_workers=self._max_workers,
            command=self._worker_command,
        )
        apis = {"ecs": self._workers.call, "ssm": ParameterStore(self.data_dir).call}
        self._aws = InProcessAws(self.endpoint_url, self._functions, apis)
        self._meter = self._make_meter(journal)
        patches = Patches()
        self._stack.push(patches)
        self._meter.install(patches)
        for part in (self._dynamodb, self._sqs, self._s3, self._router, self._aws):
            part.install(patches)
        self._install_interpreter(patches)

    def _make_meter(self, journal: Journal) -> Meter:
        tasks = compute.task_definitions(self.template)
        size = WorkerSize.of_task(tasks[0].cpu_units, tasks[0].memory_mib) if tasks else WorkerSize()
        book = UsageBook(journal.costs, size)
        meter = Meter(book, self._kept_seconds, self._workers.log_bytes, on_call=self._on_call)
        self._functions.watch = meter.watch
        self._dynamodb.observer = meter.queried
        self._stack.callback(meter.stop)
        return meter

    def _kept_seconds(self, key: str) -> float:
        return min((kept for prefix, kept in self._expiry_rules if key.startswith(prefix)), default=_KEPT_SECONDS)

    def _install_interpreter(self, patches: Patches) -> None:
        # Its support for AWS Batch loads a simulation of EC2, which takes longer than all the rest of the start.
        with bare_package("moto.batch"):
            from wainwright.local.stepfunctions import Interpreter

        interpreter = Interpreter(self._execution_ended, self._meter.ended)
        interpreter.install(patches)
        patches.callback(interpreter.stop)

    def _fill(self, journal: Journal) -> int:
        try:
            resources.create_resources(self.template)
        except ClientError as error:
            raise LocalError(f"the infrastructure is refused: {' '.join(str(error).split())[:500]}") from error
        streams = {each.source_arn for each in compute.event_source_mappings(self.template, "dynamodb")}
        for table in self.template.of_type("AWS::DynamoDB::Table"):
            read = self.template.attribute(table.logical_id, "StreamArn") in streams
            self._dynamodb.adopt(table.name, journal_stream=read)
        for bucket in self.template.of_type("AWS::S3::Bucket"):
            expiry = resources.bucket_expiry(bucket)
            self._expiry_rules += expiry
            self._s3.adopt(bucket.name, expiry)
            self._cors[bucket.name] = resources.bucket_cors(bucket)
        self._s3.restore()
        return self._dynamodb.restore()

    def _load(self, specs: list[FunctionSpec]) -> None:
        root = str(self._repo_root)
        # Functions that were imported before, from this repository or another, are put back afterwards.
        self._stack.callback(_bring_back, _function_modules())
        sys.path.insert(0, root)
        self._stack.callback(sys.path.remove, root)
        self._functions.load(specs, self._repo_root)

    def _run(self, restored: int) -> None:
        self._endpoint_server.start(Endpoint(self._aws, self.credentials, self._cors, self._meter))
        # Undone in reverse: pollers end first, then workers, then queues stop answering and handlers end.
        self._stack.callback(self._functions.drain, _FUNCTIONS_STOP_SECONDS)
        self._stack.callback(self._sqs.stop)
        self._stack.callback(self._workers.stop, _WORKERS_STOP_SECONDS)
        self._meter.start()
        self._started = True
        queues, streams = (compute.event_source_mappings(self.template, each) for each in ("sqs", "dynamodb"))
        pollers: list[QueuePoller | StreamPoller] = [
            *(QueuePoller(each, self._sqs, self._functions) for each in queues),
            *(StreamPoller(each, self._dynamodb, self._sqs, self._functions) for each in streams),
        ]
        for poller in pollers:
            poller.start()
            self._stack.callback(poller.stop)
        for logical_id, server in self._api_servers.items():
            routes = compute.routes(self.template, logical_id)
            domain = server.url.removeprefix("http://")
            server.start(HttpApi(self.template.ref(logical_id), domain, routes, self._functions))
        self._router.start_schedules()
        self._timers.every(_HOUSEKEEPING_SECONDS, self._housekeep)
        if restored:
            self._recover()

    def _recover(self) -> None:
        """Tell the scheduled functions that executions, tokens and queued messages of an earlier run are gone."""
        for rule in self.template.of_type("AWS::Events::Rule"):
            if "ScheduleExpression" in rule.properties:
                for target in rule.properties["Targets"]:
                    if ":lambda:" in target["Arn"]:
                        self._functions.invoke_async(target["Arn"], {"recover": True})

    def _execution_ended(self, detail: dict[str, Any]) -> None:
        self._router.publish("Step Functions Execution Status Change", "aws.states", detail, [detail["executionArn"]])

    def _task_stopped(self, task: dict[str, Any]) -> None:
        if self._started:
            self._router.publish("ECS Task State Change", "aws.ecs", task, [task["taskArn"]])

    def _housekeep(self) -> None:
        now = time.time()
        rows, objects = self._dynamodb.expire(now), self._s3.expire(now)
        if rows or objects:
            logger.info("expired: %d rows, %d objects", rows, objects)


def _function_modules() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.split(".", 1)[0] == PACKAGE}


def _bring_back(modules: dict[str, ModuleType]) -> None:
    for name in _function_modules():
        del sys.modules[name]
    sys.modules.update(modules)


def _next_or_any(port: int) -> LoopbackServer:
    """The next port, so that addresses stay the same from run to run; another if that is taken."""
    try:
        return LoopbackServer(port)
    except LocalError:
        return LoopbackServer(0)
