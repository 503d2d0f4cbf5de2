"""moto's Step Functions interpreter made fit for use: faster, without its races, and telling when an execution ends."""

import copy
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import boto3
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client, json_path
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from wainwright.local.patches import Patches

logger = logging.getLogger(__name__)

ExecutionEnded = Callable[[dict[str, Any]], None]
HistoryKnown = Callable[[str, list[Any]], None]

_PARSED_PATHS = 1_024
_PARSED_DEFINITIONS = 64


class Interpreter:
    """Patches the interpreter of one process."""

    def __init__(self, ended: ExecutionEnded, history: HistoryKnown) -> None:
        self._ended = ended
        self._history = history
        self._start_lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._client_lock = threading.Lock()
        self._stopped = False

    def install(self, patches: Patches) -> None:
        """Put this in moto's place until the patches are undone."""
        patches.replace(boto_client, "boto3", SimpleNamespace(client=self._client))
        patches.wrap(StepFunctionsParserBackend, "start_execution", self._start_execution)
        patches.wrap(StepFunctionsParserBackend, "_get_executions", self._get_executions)
        patches.wrap(ExecutionWorker, "_execution_logic", self._execution_logic)
        patches.wrap(ExecutionWorker, "_get_evaluation_entrypoint", _program)
        # Parsed paths hold nothing of what they are applied to, so that executions may share them.
        for module in (json_path, result_path):
            patches.replace(module, "parse", lru_cache(_PARSED_PATHS)(module.parse))
        patches.wrap(BaseExecutionWorkerCommunication, "terminated", self._terminated)

    def stop(self) -> None:
        """Let executions that still wait do nothing more when their time is up."""
        self._stopped = True

    def _refuse_after_stop(self, **_: Any) -> None:
        if self._stopped:
            raise ConnectionError("the local system has stopped")

    def _client(self, service_name: str, region_name: str, **settings: Any) -> Any:
        """One client for each service: making one takes longer than the rest of an execution."""
        with self._client_lock:
            key = (service_name, region_name)
            if key not in self._clients:
                client = boto3.client(service_name, region_name=region_name, **settings)  # type: ignore[call-overload]
                client.meta.events.register_first("before-send", self._refuse_after_stop)
                self._clients[key] = client
            return self._clients[key]

    def _start_execution(self, original: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """One at a time, so that two starts of one name cannot both be the first."""
        with self._start_lock:
            return original(*args, **kw)

    def _get_executions(
        self, original: Callable[..., list[Execution]], backend: Any, execution_status: ExecutionStatus | None = None
    ) -> list[Execution]:
        """Leave out executions whose thread has not begun: they hold no token yet, and moto trips over them."""
        begun = []
        for machine in backend.state_machines:
            for execution in list(machine.executions):
                worker = execution.exec_worker
                if worker is None or worker.env is None:
                    continue
                if execution_status is None or execution.exec_status == execution_status:
                    begun.append(execution)
        return begun

    def _execution_logic(self, original: Callable[..., None], worker: ExecutionWorker) -> None:
        """An interpreter that falls over must not leave its execution running for ever."""
        try:
            original(worker)
        except Exception as error:
            logger.exception("the interpreter failed")
            execution = worker._execution_communication.execution  # type: ignore[attr-defined]  # noqa: SLF001
            execution.exec_status = ExecutionStatus.FAILED
            execution.stop_date = datetime.now(UTC)
            execution.error = "States.Runtime"
            execution.cause = f"{type(error).__name__}: {error}"
            self._tell(execution)

    def _terminated(self, original: Callable[..., None], communication: BaseExecutionWorkerCommunication) -> None:
        original(communication)
        self._tell(communication.execution)

    def _tell(self, execution: Execution) -> None:
        self._history(execution.exec_arn, list(execution.to_history_output()["events"]))
        detail = {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": _milliseconds(execution.start_date),
            "stopDate": _milliseconds(execution.stop_date),
            "input": to_json_str(execution.input_data, separators=(",", ":")),
            "output": to_json_str(execution.output, separators=(",", ":")) if execution.status == "SUCCEEDED" else None,
            "error": execution.error,
            "cause": execution.cause,
        }
        try:
            self._ended(detail)
        except Exception:
            logger.exception("the end of %s could not be told", execution.exec_arn)


def _milliseconds(moment: Any) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


@lru_cache(_PARSED_DEFINITIONS)
def _parsed(definition: str) -> EvalComponent:
    return AmazonStateLanguageParser.parse(definition)[0]


def _program(_original: Callable[..., EvalComponent], worker: ExecutionWorker) -> EvalComponent:
    """The definition parsed once, which takes some ms, and copied for each execution: what runs may leave its marks in it."""
    return copy.deepcopy(_parsed(worker._evaluation_details.state_machine_details.definition))  # noqa: SLF001
