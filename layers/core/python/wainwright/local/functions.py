"""Lambda without Lambda: our handlers, called in this process as AWS calls them.

Events and answers make a round trip through JSON; an exception becomes Lambda's error document with the class's name,
which is what a state machine's Catch and Retry match; a late answer is `Sandbox.Timedout`. A thread cannot be killed:
a handler past its timeout goes on in the background, and its answer is dropped.
"""

import importlib
import json
import logging
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wainwright.local.errors import LocalError
from wainwright.local.timers import Timers

logger = logging.getLogger(__name__)

PACKAGE = "functions"
"""The package that every handler is in."""
PAYLOAD_BYTES = 6 * 1024 * 1024
"""Lambda's bound on a synchronous event and on its answer."""
ASYNC_RETRY_DELAYS = (60.0, 120.0)
"""Lambda's waits before the second and third try of an asynchronous invocation, in seconds."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function, as the template declares it."""

    name: str
    arn: str
    handler: str
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]
    reserved_concurrency: int | None = None


@dataclass(slots=True)
class LambdaContext:
    """The context object that Lambda hands to a handler."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    deadline: float
    function_version: str = "$LATEST"
    client_context: None = None
    identity: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of an invocation: its payload, which is Lambda's error document if it failed."""

    payload: bytes
    failed: bool = False

    def json(self) -> Any:
        """The payload as a value."""
        return json.loads(self.payload)


class TooManyRequests(Exception):
    """The function's reserved concurrency is in use."""


@dataclass(slots=True)
class _Loaded:
    spec: FunctionSpec
    handler: Callable[[Any, Any], Any]
    slots: threading.BoundedSemaphore | None
    stream: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}")


class Functions:
    """The functions of the template, by name."""

    def __init__(self, timers: Timers) -> None:
        self._functions: dict[str, _Loaded] = {}
        self._timers = timers
        self._changed = threading.Condition()
        self._active: list[str] = []
        self._closed = False
        self.watch: Callable[[FunctionSpec, Any, int], AbstractContextManager[object]] = lambda *_: nullcontext()
        """Is around every call of a handler, in its thread: the function, the event, and the event's bytes."""

    def load(self, specs: list[FunctionSpec], root: Path) -> None:
        """Import every handler from the repository at `root`, a fresh module for each function.

        Raises:
            LocalError: a handler cannot be imported.
        """
        package = sys.modules.get(PACKAGE)
        if package is not None and str(root / PACKAGE) not in list(package.__path__):
            for loaded in [name for name in sys.modules if name.split(".", 1)[0] == PACKAGE]:
                del sys.modules[loaded]
        importlib.invalidate_caches()
        for spec in specs:
            slots = threading.BoundedSemaphore(spec.reserved_concurrency) if spec.reserved_concurrency else None
            self._functions[spec.name] = _Loaded(spec, _import_handler(spec), slots)

    def drain(self, timeout_seconds: float) -> None:
        """Refuse new invocations, and wait for those that run.

        A handler that went on after its system has stopped would find the user's own AWS settings in the environment.
        """
        with self._changed:
            self._closed = True
            if not self._changed.wait_for(lambda: not self._active, timeout_seconds):
                logger.error("still running after the stop: %s", ", ".join(sorted(self._active)))

    def spec(self, name: str) -> FunctionSpec:
        """A function by name or ARN. Raises KeyError if there is none."""
        return self._functions[function_name(name)].spec

    def invoke(self, name: str, event: Any, *, wait_for_slot: bool = False) -> Answer:
        """Call a function and wait for its answer.

        Raises:
            KeyError: there is no such function.
            TooManyRequests: its concurrency is in use, and `wait_for_slot` is false; or the system is stopping.
        """
        function = self._functions[function_name(name)]
        try:
            body = json.dumps(event).encode()
        except (TypeError, ValueError) as error:
            return _failure("InvalidRequestContentException", f"the event is not JSON: {error}")
        if len(body) > PAYLOAD_BYTES:
            return _failure(
                "RequestEntityTooLargeException", f"{len(body)} byte payload is too large for the Event invocation type"
            )
        if function.slots is not None and not function.slots.acquire(blocking=wait_for_slot):
            raise TooManyRequests(
                f"Rate Exceeded: {function.spec.name} runs {function.spec.reserved_concurrency} at once"
            )
        try:
            return self._run(function, body)
        finally:
            if function.slots is not None:
                function.slots.release()

    def invoke_async(self, name: str, event: Any) -> None:
        """Call a function as an event: at once, in the background, and again after failures."""
        threading.Thread(
            target=self._try_async, args=(function_name(name), event, 0), name=f"async-{name}", daemon=True
        ).start()

    def _try_async(self, name: str, event: Any, tries: int) -> None:
        try:
            answer = self.invoke(name, event, wait_for_slot=True)
        except TooManyRequests as error:
            logger.info("an event of %s is dropped: %s", name, error)
            return
        if answer.failed and tries < len(ASYNC_RETRY_DELAYS):
            self._timers.after(ASYNC_RETRY_DELAYS[tries], lambda: self._try_async(name, event, tries + 1))
        elif answer.failed:
            logger.error("%s failed %d times and its event is dropped", name, tries + 1)

    def _run(self, function: _Loaded, body: bytes) -> Answer:
        spec = function.spec
        context = LambdaContext(
            function_name=spec.name,
            invoked_function_arn=spec.arn,
            memory_limit_in_mb=str(spec.memory_mb),
            aws_request_id=str(uuid.uuid4()),
            log_group_name=f"/aws/lambda/{spec.name}",
            log_stream_name=function.stream,
            deadline=time.monotonic() + spec.timeout_seconds,
        )
        answers: list[Answer] = []
        done = threading.Event()

        def call() -> None:
            try:
                with self.watch(spec, json.loads(body), len(body)):
                    answers.append(_answer(spec.name, function.handler, body, context))
            finally:
                done.set()
                with self._changed:
                    self._active.remove(spec.name)
                    self._changed.notify_all()

        with self._changed:
            if self._closed:
                raise TooManyRequests("the local system is stopping")
            self._active.append(spec.name)
        threading.Thread(target=call, name=f"lambda-{spec.name}", daemon=True).start()
        if not done.wait(spec.timeout_seconds):
            message = (
                f"RequestId: {context.aws_request_id} Error: Task timed out after {spec.timeout_seconds:.2f} seconds"
            )
            logger.error("%s: %s", spec.name, message)
            return _failure("Sandbox.Timedout", message)
        return answers[0]


def function_name(name_or_arn: str) -> str:
    """The plain name out of a name, an ARN, or a partial ARN with or without a qualifier."""
    if ":function:" in name_or_arn:
        name_or_arn = name_or_arn.split(":function:", 1)[1]
    return name_or_arn.split(":", 1)[0]


def _answer(name: str, handler: Callable[[Any, Any], Any], body: bytes, context: LambdaContext) -> Answer:
    try:
        result = handler(json.loads(body), context)
    except Exception as error:
        logger.exception("%s failed (request %s)", name, context.aws_request_id)
        return _failure(type(error).__name__, str(error), traceback.format_tb(error.__traceback__)[1:])
    except BaseException as error:
        logger.exception("%s exited (request %s)", name, context.aws_request_id)
        return _failure("Runtime.ExitError", f"RequestId: {context.aws_request_id} Error: Runtime exited: {error!r}")
    try:
        payload = json.dumps(result).encode()
    except (TypeError, ValueError) as error:
        logger.error("%s answered what is not JSON: %s", name, error)
        return _failure("Runtime.MarshalError", f"Unable to marshal response: {error}")
    if len(payload) > PAYLOAD_BYTES:
        logger.error("%s answered %d bytes, over the bound of %d", name, len(payload), PAYLOAD_BYTES)
        return _failure(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes).",
        )
    return Answer(payload)


def _failure(kind: str, message: str, trace: list[str] | None = None) -> Answer:
    document: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    if trace is not None:
        document["stackTrace"] = trace
    return Answer(json.dumps(document).encode(), failed=True)


def _import_handler(spec: FunctionSpec) -> Callable[[Any, Any], Any]:
    module_name, _, attribute = spec.handler.rpartition(".")
    folder = module_name.rpartition(".")[0]
    # Imported anew, so that nothing that an earlier function or system cached at module level is shared.
    for loaded in [name for name in sys.modules if name == module_name or name.startswith(f"{folder}.")]:
        del sys.modules[loaded]
    try:
        handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:
        logger.exception("cannot import %s", spec.handler)
        raise LocalError(
            f"the handler {spec.handler} of {spec.name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return handler
