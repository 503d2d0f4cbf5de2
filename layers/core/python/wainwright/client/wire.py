"""How any call is sent: address, key, repetition, redirects, and reading the answer. No input or output here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from wainwright import __version__
from wainwright.client.endpoint import Endpoint
from wainwright.client.errors import ClientError, UnexpectedAnswer, Unreachable, error_of
from wainwright.client.retries import REPEATED_STATUSES, UNDONE_STATUSES, RetryRules
from wainwright.client.steps import Flow, Pause, Request, send
from wainwright.domain.model import Record

MAX_REDIRECTS = 3

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Wire:
    """The way to one endpoint with one key. ``timeout`` is what one ordinary request may take, in seconds."""

    endpoint: Endpoint
    key: str = field(repr=False)
    timeout: float = 30.0
    rules: RetryRules = field(default_factory=RetryRules)
    clock: Callable[[], float] = time.monotonic

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        content: bytes | None = None,
    ) -> Request:
        """A request to the API. ``timeout`` in seconds, in place of the ordinary one."""
        url = f"{self.endpoint.api}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        sent["User-Agent"] = f"wainwright/{__version__}"
        if content is not None:
            sent["Content-Type"] = "application/json"
        longest = self.timeout if timeout is None else timeout
        return Request(method, url, sent | dict(headers or {}), content=content, timeout=longest)

    def ask(
        self,
        answer_type: type[RecordT],
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Record | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        job_id: str | None = None,
        timeout: float | None = None,
        again: bool = True,
    ) -> Flow[RecordT]:
        """Call, and read the answer; ``job_id`` goes into the error, ``again`` says that repeating does no harm."""
        answer = yield from self.tell(
            method, path, query, body=body, headers=headers, job_id=job_id, timeout=timeout, again=again
        )
        try:
            return answer_type.model_validate_json(answer.content, extra="ignore")
        except ValidationError as error:
            raise UnexpectedAnswer(
                f"{self.endpoint.url} gave an answer that is not Wainwright's ({answer_type.__name__})",
                advice="Check the endpoint, and that both sides have the same version.",
                job_id=job_id,
            ) from error

    def tell(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Record | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        job_id: str | None = None,
        timeout: float | None = None,
        again: bool = True,
    ) -> Flow[httpx.Response]:
        """Call, and see that it was done."""
        content = body.model_dump_json(by_alias=True, exclude_none=True).encode() if isinstance(body, Record) else body
        request = self.request(method, path, query, headers=headers, timeout=timeout, content=content)
        answer = yield from self.exchange(replace(request, again=again), job_id=job_id)
        if not answer.is_success:
            raise error_of(answer, job_id)
        return answer

    def exchange(
        self, request: Request, deadline: float | None = None, job_id: str | None = None
    ) -> Flow[httpx.Response]:
        """Send until there is an answer that stands; nothing is sent again after ``deadline`` on the clock."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = yield from _follow(request)
            except Unreachable as error:
                pause = self.rules.pause(attempt) if request.again or not error.sent else None
                if pause is None or (deadline is not None and self.clock() + pause >= deadline):
                    error.job_id = job_id
                    raise
            except ClientError as error:
                error.job_id = job_id
                raise
            else:
                if answer.status_code not in (REPEATED_STATUSES if request.again else UNDONE_STATUSES):
                    return answer
                pause = self.rules.pause(attempt, answer.headers.get("Retry-After"))
                if pause is None:
                    return answer
            yield Pause(pause)


def segment(text: str) -> str:
    """An id as a part of a path."""
    return quote(text, safe="")


def _follow(request: Request) -> Flow[httpx.Response]:
    """Send, and go where the answer points. The key goes to no other origin than the first one's."""
    for _ in range(MAX_REDIRECTS):
        answer = yield from send(request)
        if not answer.has_redirect_location or request.method != "GET":
            return answer
        here = httpx.URL(request.url)
        there = here.join(answer.headers["Location"])
        headers = dict(request.headers)
        if _origin(there) != _origin(here):
            headers.pop("Authorization", None)
        request = replace(request, url=str(there), headers=headers)
    raise UnexpectedAnswer(f"{httpx.URL(request.url).host} redirects in a circle")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    ports = {"http": 80, "https": 443}
    return url.scheme, url.host, url.port or ports.get(url.scheme)
