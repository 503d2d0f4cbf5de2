"""Faults between a client and AWS, injected where botocore calls out: answers lost, conflicts, throttling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core.models import botocore_stubber


class Faults:
    """Faults of one client's calls, those in ``on``. Each fault is used up by one call."""

    def __init__(self, client: Any, on: Sequence[str] = ("PutItem", "TransactWriteItems")) -> None:
        self._client = client
        self._on = frozenset(on)
        self._errors: list[dict[str, Any]] = []
        self.lose_answers = 0
        self.calls: list[str] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []

    @contextmanager
    def installed(self) -> Iterator[Faults]:
        """Stand between the client and AWS."""
        events = self._client.meta.events
        service = self._client.meta.service_model.service_name
        hooks: list[tuple[str, Callable[..., Any]]] = [
            (f"provide-client-params.{service}", self._note),
            (f"before-call.{service}", self._refuse),
            (f"before-send.{service}", self._lose),
        ]
        for name, hook in hooks:
            events.register_first(name, hook)
        try:
            yield self
        finally:
            for name, hook in hooks:
                events.unregister(name, hook)

    def refuse(self, code: str, *, times: int = 1, reasons: Sequence[str] = (), status: int = 400) -> None:
        """Answer the next calls with an error, without their taking effect."""
        response: dict[str, Any] = {
            "Error": {"Code": code, "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        if reasons:
            response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
        self._errors += [response] * times

    @property
    def left(self) -> int:
        """Faults that no call has met yet."""
        return len(self._errors) + self.lose_answers

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        self.requests.append((model.name, dict(params)))

    def _refuse(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if not self._errors or model.name not in self._on:
            return None
        response = self._errors.pop(0)
        return _Refused(response["ResponseMetadata"]["HTTPStatusCode"]), response

    def _lose(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        if not self.lose_answers or event_name.rpartition(".")[2] not in self._on:
            return None
        self.lose_answers -= 1
        botocore_stubber(event_name, request)  # takes effect ...
        raise ConnectionClosedError(endpoint_url=request.url)  # ... and nobody hears of it


class _Refused:
    """The part of an HTTP answer that botocore looks at."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
