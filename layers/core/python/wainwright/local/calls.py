"""Every AWS call that is made while a system runs, and who made it: for seeing what a job costs and does."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import handlers

from wainwright.local.patches import Patches

WORKFLOW = "workflow"
"""The caller where the state machine's interpreter called."""

WORKER = "worker"

_FUNCTION_THREAD = re.compile(r"lambda-(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `at` is in seconds since the epoch; `caller` a function's name, WORKFLOW or WORKER."""

    at: float
    caller: str
    service: str
    operation: str


class CallLog:
    """Tells an observer of every call, before it is answered."""

    def __init__(self, observer: Callable[[Call], None]) -> None:
        self._observer = observer

    def install(self, patches: Patches) -> None:
        """Notice the calls of boto3 clients that are made from now on in this process."""
        entry = ("before-call", self._in_process)
        handlers.BUILTIN_HANDLERS.append(entry)
        patches.callback(handlers.BUILTIN_HANDLERS.remove, entry)

    def _in_process(self, model: Any, **_: Any) -> None:
        thread = _FUNCTION_THREAD.fullmatch(threading.current_thread().name)
        caller = thread["name"] if thread else WORKFLOW
        self._observer(Call(time.time(), caller, model.service_model.service_name, model.name))

    def from_worker(self, service: str, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Notice a request of another process, header names in lower case."""
        named = headers.get("x-amz-target", "").rpartition(".")[2]
        operation = named or f"{method} {'object' if target.strip('/').count('/') else 'bucket'}"
        self._observer(Call(time.time(), WORKER, service, operation))
