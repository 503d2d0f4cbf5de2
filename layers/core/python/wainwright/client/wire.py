"""One call: address and key, repetition, and reading the answer."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from wainwright.client.endpoint import API_VERSION, is_loopback
from wainwright.client.errors import ApiError, UnexpectedAnswer, Unreachable, error_of
from wainwright.client.retries import REPEATED_STATUSES, UNDONE_STATUSES, RetryRules
from wainwright.client.transport import Request, Transport
from wainwright.domain.record import Record
from wainwright.version import __version__

RecordT = TypeVar("RecordT", bound=Record)


class Options(TypedDict, total=False):
    """Parts of a request besides method and path, as :class:`Request` has them; ``again`` is the default."""

    query: Mapping[str, str]
    body: Record | bytes
    headers: Mapping[str, str]
    timeout: float
    save: Path | None
    again: bool
    patient: bool
    deadline: float


class Wire:
    """The way to one endpoint with one key. ``timeout`` is what one ordinary request may take, in seconds."""

    def __init__(
        self, endpoint: str, key: str, transport: Transport, *, timeout: float, retries: RetryRules | None
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self.transport = transport
        self._timeout = timeout
        self._retries = retries or RetryRules()

    @property
    def endpoint(self) -> str:
        """The API's address, without version."""
        return self._endpoint

    async def aclose(self) -> None:
        """Close the connections."""
        await self.transport.close()

    def _request(self, method: str, *path: str, **options: Unpack[Options]) -> Request:
        """Return a request to the API; its path is quoted and joined, its job is the one that the path begins with."""
        query, body = options.get("query"), options.get("body")
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": "application/json",
            "User-Agent": f"wainwright/{__version__}",
        }
        if isinstance(body, Record):
            body = body.model_dump_json(by_alias=True, exclude_none=True).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        quoted = "/".join(quote(part, safe="") for part in path)
        return Request(
            method,
            f"{self.endpoint}/{API_VERSION}/{quoted}" + (f"?{urlencode(query)}" if query else ""),
            headers | dict(options.get("headers", {})),
            content=body,
            save=options.get("save"),
            timeout=options.get("timeout", self._timeout),
            again=options.get("again", True),
            patient=options.get("patient", False),
            deadline=options.get("deadline", math.inf),
            job_id=path[1] if path[0] == "jobs" and len(path) > 1 else None,
        )

    async def _call(self, answer_type: type[RecordT], method: str, *path: str, **options: Unpack[Options]) -> RecordT:
        """Send a request, and return what its answer holds."""
        request = self._request(method, *path, **options)
        answer = await self._exchange(request)
        try:
            return answer_type.model_validate_json(answer.content, extra="ignore")
        except ValidationError as error:
            raise UnexpectedAnswer(
                f"{self.endpoint} gave an answer that did not come from Wainwright ({answer_type.__name__})",
                advice="Check the endpoint, and that both sides have the same version.",
                job_id=request.job_id,
            ) from error

    async def _send(self, method: str, *path: str, **options: Unpack[Options]) -> httpx.Response:
        """Send a request, and return its answer, a success."""
        return await self._exchange(self._request(method, *path, **options))

    async def _exchange(self, request: Request) -> httpx.Response:
        """Send until there is an answer that stands.

        Raises:
            ApiError, Unreachable: the answer is no success, or there is none.
        """
        attempt = 0
        while True:
            attempt += 1
            error: ApiError | Unreachable
            retry_after: str | None = None
            try:
                answer = await self.transport.send(request)
            except Unreachable as unreachable:
                error = unreachable
                is_temporary = request.again or not unreachable.sent
            else:
                if answer.is_success:
                    return answer
                error = error_of(answer, request.job_id)
                retry_after = answer.headers.get("Retry-After")
                is_temporary = answer.status_code in (REPEATED_STATUSES if request.again else UNDONE_STATUSES)
            tries = self._retries.look_tries if request.patient and not _is_gone(error, request) else None
            pause = self._retries.pause(attempt, retry_after, tries=tries) if is_temporary else None
            if pause is None or time.monotonic() + pause >= request.deadline:
                raise error
            await self.transport.sleep(pause)


def _is_gone(error: Exception, request: Request) -> bool:
    """Tell if nothing listens any more on this machine, where no network lies between."""
    return isinstance(error, Unreachable) and not error.sent and is_loopback(httpx.URL(request.url).host)
