"""Handlers, called as Lambda calls them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.conftest import eventually
from wainwright.local import functions as lambda_
from wainwright.local.errors import LocalError
from wainwright.local.functions import Functions, FunctionSpec, TooManyRequests, function_name
from wainwright.local.timers import Timers

SOURCE = """
import threading
RELEASE = threading.Event()
RUNNING = threading.Semaphore(0)
CALLS = []

class OutOfStock(Exception):
    pass

def handler(event, context):
    CALLS.append(event)
    if event == "fail":
        raise OutOfStock("none left")
    if event == "exit":
        raise SystemExit(2)
    if event == "unjson":
        return object()
    if event == "huge":
        return "x" * (6 * 1024 * 1024)
    if event == "hang":
        RUNNING.release()
        RELEASE.wait(10)
    if event == "tuple":
        return {"values": (1, 2)}
    if event == "context":
        return [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
                context.log_group_name, len(context.aws_request_id), context.get_remaining_time_in_millis()]
    return event
"""


def make(name: str, **settings: Any) -> FunctionSpec:
    values: dict[str, Any] = {"timeout_seconds": 5.0, "memory_mb": 256, "environment": {}, **settings}
    return FunctionSpec(
        name=name, arn=f"arn:aws:lambda:us-east-1:1:function:{name}", handler="functions.one.handler.handler", **values
    )


@pytest.fixture
def timers() -> Iterator[Timers]:
    timers = Timers()
    yield timers
    timers.stop()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timers: Timers) -> Callable[..., Functions]:
    folder = tmp_path / "functions" / "one"
    folder.mkdir(parents=True)
    (tmp_path / "functions" / "__init__.py").touch()
    (folder / "handler.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def loaded(*specs: FunctionSpec) -> Functions:
        functions = Functions(timers)
        functions.load(list(specs), tmp_path)
        return functions

    return loaded


def module() -> Any:
    return sys.modules["functions.one.handler"]


def test_answers_go_through_json(load: Callable[..., Functions]) -> None:
    functions = load(make("one"))
    assert functions.invoke("one", {"a": [1, None]}).json() == {"a": [1, None]}
    assert functions.invoke("arn:aws:lambda:us-east-1:1:function:one:$LATEST", "tuple").json() == {"values": [1, 2]}


def test_gives_handlers_a_context(load: Callable[..., Functions]) -> None:
    name, arn, memory, group, identity, left = load(make("one")).invoke("one", "context").json()
    assert (name, arn, memory, group) == ("one", "arn:aws:lambda:us-east-1:1:function:one", "256", "/aws/lambda/one")
    assert identity == 36
    assert 0 < left <= 5000


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ("fail", "OutOfStock", "none left"),
        ("exit", "Runtime.ExitError", "Runtime exited"),
        ("unjson", "Runtime.MarshalError", "Unable to marshal"),
        ("huge", "Function.ResponseSizeTooLarge", "exceeded"),
        ("x" * lambda_.PAYLOAD_BYTES, "RequestEntityTooLargeException", "too large"),
    ],
)
def test_reports_failures_as_lambda_does(load: Callable[..., Functions], event: str, kind: str, message: str) -> None:
    answer = load(make("one")).invoke("one", event)
    assert answer.failed
    assert answer.json()["errorType"] == kind
    assert message in answer.json()["errorMessage"]


def test_reports_a_timeout_by_lambdas_name(load: Callable[..., Functions]) -> None:
    answer = load(make("one", timeout_seconds=0.05)).invoke("one", "hang")
    module().RELEASE.set()
    assert answer.failed
    assert answer.json()["errorType"] == "Sandbox.Timedout"
    assert "timed out after 0.05 seconds" in answer.json()["errorMessage"]


def test_each_function_has_a_module_of_its_own(load: Callable[..., Functions]) -> None:
    functions = load(make("one"), make("two"))
    functions.invoke("one", "first")
    assert module().CALLS == [], "the module loaded last is the second function's"
    functions.invoke("two", "second")
    assert module().CALLS == ["second"]


def test_holds_to_the_reserved_concurrency(load: Callable[..., Functions]) -> None:
    functions = load(make("one", reserved_concurrency=1))
    waiting = threading.Thread(target=functions.invoke, args=("one", "hang"))
    waiting.start()
    module().RUNNING.acquire(timeout=5)
    with pytest.raises(TooManyRequests):
        functions.invoke("one", "refused")
    module().RELEASE.set()
    waiting.join()
    assert functions.invoke("one", "fine").json() == "fine"


def test_draining_waits_for_what_runs_and_refuses_what_comes(load: Callable[..., Functions]) -> None:
    functions = load(make("one"))
    waiting = threading.Thread(target=functions.invoke, args=("one", "hang"))
    waiting.start()
    module().RUNNING.acquire(timeout=5)
    draining = threading.Thread(target=functions.drain, args=(10.0,))
    draining.start()

    def refused() -> bool:
        try:
            functions.invoke("one", "late")
        except TooManyRequests:
            return True
        return False

    assert eventually(refused)
    assert draining.is_alive()
    module().RELEASE.set()
    draining.join(5)
    waiting.join(5)
    assert not draining.is_alive()


def test_an_unknown_function_is_a_key_error(load: Callable[..., Functions]) -> None:
    with pytest.raises(KeyError):
        load(make("one")).invoke("other", {})


def test_tries_an_event_again_and_then_drops_it_and_says_so(
    load: Callable[..., Functions], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lambda_, "ASYNC_RETRY_DELAYS", (0.01, 0.01))
    load(make("one")).invoke_async("one", "fail")
    assert eventually(lambda: "one failed 3 times and its event is dropped" in caplog.text)
    assert module().CALLS == ["fail"] * 3


@pytest.mark.parametrize("source", ["import nowhere_to_be_found", "def other(event, context): ...", "def handler(:"])
def test_a_handler_that_cannot_be_imported_is_named_at_start(
    load: Callable[..., Functions], tmp_path: Path, source: str
) -> None:
    (tmp_path / "functions" / "one" / "handler.py").write_text(source)
    with pytest.raises(LocalError, match=r"functions\.one\.handler\.handler of one cannot be imported"):
        load(make("one"))


@pytest.mark.parametrize("name", ["f", "f:prod", "1:function:f", "arn:aws:lambda:us-east-1:1:function:f:7"])
def test_function_names(name: str) -> None:
    assert function_name(name) == "f"
