"""Fargate without Fargate: a task is a worker process on this machine."""

import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wainwright.local.template import arn as arn_of
from wainwright.settings import SuiteSettings
from wainwright.worker.dependencies.installer import INDEX_VARIABLES
from wainwright.worker.loop.parent_watch import PARENT_FD

logger = logging.getLogger(__name__)

_INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "DISPLAY", "XDG_CACHE_HOME"}
    | {"WAINWRIGHT_CACHE_DIR", "WAINWRIGHT_CACHE_BYTES", "WAINWRIGHT_CACHE_DAYS", "WAINWRIGHT_INSTALLER_VARIABLES"}
    | {field.alias for field in SuiteSettings.model_fields.values() if field.alias}
    | INDEX_VARIABLES
    # Of the worker's own settings, those that the template leaves to the machine.
    | {"WAINWRIGHT_UPLOAD_RETRY_SECONDS", "WAINWRIGHT_SPOOL_MAX_MB"}
)
_INHERITED_PREFIXES = ("LC_", "PLAYWRIGHT_")
_LOGS_KEPT = 20
_LOG_BYTES = 20 * 1024 * 1024
_KILLED_AFTER_SECONDS = 5.0
_WORKER_UMASK = 0o022
"""Until the worker sets its own: tests, which may run as another user, pass through the folders that it makes."""
_APP_ID = "AWS_SDK_UA_APP_ID"
TaskStopped = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """The task definition of the workers, as the template declares it."""

    arn: str
    family: str
    container: str
    environment: Mapping[str, str]
    stop_timeout_seconds: float = 30
    cpu_units: int = 1_024
    memory_mib: int = 2_048


@dataclass(slots=True)
class _Task:
    arn: str
    cluster: str
    definition: TaskDefinition
    process: subprocess.Popen[bytes]
    request: Mapping[str, Any]
    created: datetime
    log: Path
    stopped: threading.Event = field(default_factory=threading.Event)
    exit_code: int | None = None
    reason: str = "Essential container in task exited"
    code: str = "EssentialContainerExited"

    def describe(self) -> dict[str, Any]:
        """The task as ECS describes it."""
        status = "STOPPED" if self.stopped.is_set() else "RUNNING"
        description: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": self.cluster,
            "taskDefinitionArn": self.definition.arn,
            "lastStatus": status,
            "desiredStatus": status,
            "launchType": "FARGATE",
            "capacityProviderName": "FARGATE",
            "createdAt": self.created.timestamp(),
            "startedBy": self.request.get("startedBy"),
            "group": self.request.get("group", f"family:{self.definition.family}"),
            "overrides": self.request.get("overrides", {}),
            "containers": [{"name": self.definition.container, "lastStatus": status}],
        }
        if self.stopped.is_set():
            description |= {"stoppedReason": self.reason, "stopCode": self.code}
            description["containers"][0]["exitCode"] = self.exit_code
        return description


class Workers:
    """Answers ECS's calls about tasks, and looks after their processes."""

    def __init__(
        self,
        definitions: Sequence[TaskDefinition],
        environment: Mapping[str, str],
        host_environment: Mapping[str, str],
        logs: Path,
        *,
        stopped: TaskStopped,
        max_workers: int,
        command: Sequence[str] | None = None,
    ) -> None:
        """Prepare to run workers.

        Each gets `environment` beside its container's own, and little of `host_environment`, which is this machine's before
        the functions' was added. `stopped` is called with the description of each task that ended.
        """
        self._definitions = {name: each for each in definitions for name in (each.arn, each.family)}
        self._environment = {
            name: value
            for name, value in host_environment.items()
            if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
        }
        package = str(Path(__file__).parents[2])
        self._environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, host_environment.get("PYTHONPATH")]))
        further = host_environment.get("WAINWRIGHT_INSTALLER_VARIABLES", "").split(",")
        self._environment |= {name: host_environment[name] for name in further if name in host_environment}
        self._environment.setdefault("WAINWRIGHT_CACHE_DIR", str(logs.parent / "cache"))
        self._granted = dict(environment)
        self._stopped = stopped
        self._max_workers = max_workers
        self._command = tuple(command or (sys.executable, "-m", "wainwright.worker"))
        self._lock = threading.Lock()
        self._tasks: dict[str, _Task] = {}
        self._by_client_token: dict[str, list[str]] = {}
        self._closed = False
        self._watched, self._held = os.pipe()
        self._logs = logs / "workers"
        self._logs.mkdir(parents=True, exist_ok=True)
        _remove_old(self._logs)

    def call(self, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON answer of one ECS operation."""
        operations = {"RunTask": self._run_task, "StopTask": self._stop_task, "DescribeTasks": self._describe_tasks}
        if operation not in operations:
            return 501, {"__type": "NotImplemented", "message": f"the local system has no ecs:{operation}"}
        return operations[operation](parameters)

    def log_bytes(self, identity: str) -> int:
        """Bytes that a task, by the last part of its ARN, has logged."""
        task = self._find(identity)
        return task.log.stat().st_size if task is not None and task.log.exists() else 0

    def stop(self, timeout_seconds: float) -> None:
        """Tell every worker to go, wait, then end what is left."""
        with self._lock:
            self._closed = True
            tasks = [task for task in self._tasks.values() if not task.stopped.is_set()]
        for task in tasks:
            _signal(task, signal.SIGTERM)
        deadline = datetime.now(UTC).timestamp() + timeout_seconds
        for task in tasks:
            task.stopped.wait(max(0.0, deadline - datetime.now(UTC).timestamp()))
        os.close(self._held)
        for task in tasks:
            if not task.stopped.is_set():
                _signal(task, signal.SIGKILL)
                task.stopped.wait(_KILLED_AFTER_SECONDS)
        os.close(self._watched)

    def _run_task(self, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        definition = self._definitions.get(parameters.get("taskDefinition", ""))
        if definition is None:
            return 400, {"__type": "ClientException", "message": "TaskDefinition not found."}
        count = parameters.get("count", 1)
        if not 1 <= count <= 10:
            return 400, {"__type": "InvalidParameterException", "message": "count must be from 1 to 10"}
        token = parameters.get("clientToken")
        with self._lock:
            if token is not None and token in self._by_client_token:
                tasks = [self._tasks[arn].describe() for arn in self._by_client_token[token]]
                return 200, {"tasks": tasks, "failures": []}
            free = self._max_workers - sum(not task.stopped.is_set() for task in self._tasks.values())
            if self._closed or free < count:
                return 200, {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time."}]}
            started = [self._start(definition, parameters) for _ in range(count)]
            if token is not None:
                self._by_client_token[token] = [task.arn for task in started]
        for task in started:
            threading.Thread(target=self._wait, args=(task,), name=f"worker-{task.process.pid}", daemon=True).start()
        return 200, {"tasks": [task.describe() for task in started], "failures": []}

    def _stop_task(self, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        task = self._find(parameters.get("task", ""))
        if task is None:
            return 400, {"__type": "InvalidParameterException", "message": "The referenced task was not found."}
        task.reason, task.code = parameters.get("reason") or "Task stopped by user", "UserInitiated"
        _signal(task, signal.SIGTERM)

        def kill() -> None:
            if not task.stopped.wait(task.definition.stop_timeout_seconds):
                _signal(task, signal.SIGKILL)

        threading.Thread(target=kill, name=f"stop-{task.process.pid}", daemon=True).start()
        return 200, {"task": task.describe()}

    def _describe_tasks(self, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = {name: self._find(name) for name in parameters.get("tasks", [])}
        return 200, {
            "tasks": [task.describe() for task in found.values() if task is not None],
            "failures": [{"arn": name, "reason": "MISSING"} for name, task in found.items() if task is None],
        }

    def _find(self, name: str) -> _Task | None:
        with self._lock:
            return next((task for arn, task in self._tasks.items() if name in (arn, arn.rpartition("/")[2])), None)

    def _start(self, definition: TaskDefinition, parameters: Mapping[str, Any]) -> _Task:
        cluster = parameters.get("cluster") or "default"
        if not cluster.startswith("arn:"):
            cluster = arn_of("ecs", f"cluster/{cluster}")
        identity = uuid.uuid4().hex
        arn = arn_of("ecs", f"task/{cluster.rpartition('/')[2]}/{identity}")
        log = self._logs / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{identity}.log"
        environment = {**self._environment, **definition.environment}
        for override in parameters.get("overrides", {}).get("containerOverrides", []):
            environment |= {each["name"]: each["value"] for each in override.get("environment", [])}
        environment |= {**self._granted, PARENT_FD: str(self._watched), "WAINWRIGHT_TASK_ARN": arn}
        environment[_APP_ID] = identity  # every request of boto3 names it, so that the meter knows whose it is
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command,
                env=environment,
                cwd=self._logs,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=_WORKER_UMASK,
                pass_fds=(self._watched,),
            )
        task = _Task(arn, cluster, definition, process, parameters, datetime.now(UTC), log)
        self._tasks[arn] = task
        return task

    def _wait(self, task: _Task) -> None:
        # Not reaped yet, so that the group's number cannot be another's when its rest is ended.
        os.waitid(os.P_PID, task.process.pid, os.WEXITED | os.WNOWAIT)
        _signal(task, signal.SIGKILL)
        task.exit_code = task.process.wait()
        if task.exit_code not in (0, -signal.SIGTERM):
            logger.warning("worker %d ended with %d; its log is %s", task.process.pid, task.exit_code, task.log)
        _shorten(task.log)
        task.stopped.set()
        try:
            self._stopped(task.describe())
        except Exception:
            logger.exception("the end of %s could not be told", task.arn)


def _signal(task: _Task, number: signal.Signals) -> None:
    """Signal the worker to go, or kill its whole group."""
    try:
        if number == signal.SIGKILL:
            os.killpg(task.process.pid, number)
        else:
            os.kill(task.process.pid, number)
    except ProcessLookupError:
        return


def _remove_old(logs: Path) -> None:
    for old in sorted(logs.glob("*.log"))[:-_LOGS_KEPT]:
        old.unlink()


def _shorten(log: Path) -> None:
    """Keep the end of a log that has grown beyond its bound."""
    if log.stat().st_size > _LOG_BYTES:
        with log.open("rb+") as file:
            file.seek(-_LOG_BYTES, os.SEEK_END)
            end = file.read()
            file.seek(0)
            file.write(end)
            file.truncate()
