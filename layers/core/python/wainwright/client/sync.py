"""The client for programs that wait for each call: it does the steps of :mod:`wainwright.client.calls` in turn."""

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from wainwright.client.bundles import Bundle, pack
from wainwright.client.calls import Calls
from wainwright.client.endpoint import endpoint_of
from wainwright.client.errors import Unreachable
from wainwright.client.report import MANIFEST, Manifest, read_manifest
from wainwright.client.retries import RetryRules
from wainwright.client.steps import Emit, Flow, Pause, Request, Send
from wainwright.client.updates import Update
from wainwright.contracts.http import CreateJob, Health, JobCreated, JobList, JobRecord, TicketAnswer
from wainwright.domain.states import AT_REST, JobStatus

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a host at all, whatever the answer may take."""


class Client:
    """Talks to one Wainwright with one key. Usable from several threads; close it, or use it in a ``with``.

    Every call is repeated, with growing pauses, when the API cannot be reached, is overloaded or asks to come back.

    Args:
        endpoint: the API's address, ``https://…``; plain ``http`` only to this machine.
        key: the API key.
        timeout: seconds that one ordinary request may take.
        transport: what moves the bytes, in place of the network.
        retries: how often and how soon a call is repeated.

    Raises (all calls):
        ApiError: the API refused or failed.
        Unreachable: no answer came.
        UnexpectedAnswer: an answer came that is not Wainwright's.
    """

    def __init__(
        self,
        endpoint: str,
        key: str,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        retries: RetryRules | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Calls(endpoint_of(endpoint), key, timeout=timeout, rules=retries or RetryRules())
        # Proxies and the like that the environment names are for the network, not for a server on this machine.
        self._http = httpx.Client(transport=transport, trust_env=not self._calls.endpoint.loopback)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def endpoint(self) -> str:
        """The API's address, without version."""
        return self._calls.endpoint.url

    def health(self) -> Health:
        """Whether the system answers, and whose key this is."""
        return self._run(self._calls.health())

    def create_job(self, job: CreateJob, *, idempotency_key: str | None = None) -> JobCreated:
        """Create a job, once: repetitions carry the same ``idempotency_key``, a random one if none is given."""
        return self._run(self._calls.create_job(job, idempotency_key=idempotency_key))

    def get_job(self, job_id: str, *, wait: int = 0, states: frozenset[JobStatus] = AT_REST) -> JobRecord:
        """One job; with ``wait`` (seconds, at most 20) as soon as it is in one of ``states``, else as it is then."""
        return self._run(self._calls.get_job(job_id, wait=wait, states=states))

    def wait_for(
        self, job_id: str, *, states: frozenset[JobStatus] = AT_REST, wait_timeout: float | None = None
    ) -> JobRecord:
        """The job once it is in one of ``states``.

        Raises:
            WaitTimeout: it was not within ``wait_timeout`` seconds.
        """
        return self._run(self._calls.wait_for(job_id, states=states, wait_timeout=wait_timeout))

    def list_jobs(
        self, *, status: JobStatus | None = None, limit: int | None = None, cursor: str | None = None
    ) -> JobList:
        """A page of jobs, newest first; ``cursor`` is the one of the page before."""
        return self._run(self._calls.list_jobs(status=status, limit=limit, cursor=cursor))

    def cancel_job(self, job_id: str) -> JobRecord:
        """Cancel a job; what it left is kept. One that is canceled already is no error."""
        return self._run(self._calls.cancel_job(job_id))

    def upload_bundle(self, source: Path | Bundle) -> str:
        """Have a test directory, a test file, or a packed bundle at the system, and return its bundle id.

        Raises:
            BundleError: it cannot be packed.
        """
        if isinstance(source, Bundle):
            return self._run(self._calls.upload_archive(source.file, source.sha256, source.size))
        with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
            return self.upload_bundle(pack([source], Path(directory, "bundle.tar.gz")))

    def events(self, job_id: str, *, wait_timeout: float | None = None) -> Iterator[Update]:
        """The job's updates from its beginning to its end, across lost connections.

        A test case may be told twice, when the place in the stream has expired: take the last.

        Raises:
            WaitTimeout: the job has not ended within ``wait_timeout`` seconds.
        """
        yield from self._steps(self._calls.events(job_id, wait_timeout=wait_timeout))

    def ticket(self, job_id: str) -> TicketAnswer:
        """A short-lived address of the job's report, for a browser."""
        return self._run(self._calls.ticket(job_id))

    def report_file(self, job_id: str, path: str, target: Path) -> Path:
        """Write one file of the job's report to ``target``: whole, or not at all."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as part:
            partial = Path(part.name)
        try:
            self._run(self._calls.report_file(job_id, path, partial))
            partial.chmod(0o666 & ~_umask())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def manifest(self, job_id: str) -> Manifest:
        """What files the job's report has."""
        return read_manifest(self._run(self._calls.report_file(job_id, MANIFEST)))

    def _run(self, flow: Flow[T]) -> T:
        steps = self._steps(flow)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: T = end.value
                return result

    def _steps(self, flow: Flow[T]) -> Generator[Any, None, T]:
        """Do the flow's steps, and pass on what it emits."""
        answer: httpx.Response | None = None
        failure: Unreachable | None = None
        while True:
            try:
                step = flow.throw(failure) if failure is not None else flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer, failure = None, None
            match step:
                case Send(request):
                    try:
                        answer = self._send(request)
                    except httpx.TransportError as error:
                        failure = _unreachable(request, error)
                case Pause(seconds):
                    self._sleep(seconds)
                case Emit(value):
                    yield value

    def _send(self, request: Request) -> httpx.Response:
        if request.upload is not None:
            with request.upload.open("rb") as file:
                return self._send_content(request, file)
        return self._send_content(request, request.content)

    def _send_content(self, request: Request, content: Any) -> httpx.Response:
        timeout = httpx.Timeout(request.timeout, connect=min(CONNECT_TIMEOUT, request.timeout))
        with self._http.stream(
            request.method, request.url, headers=dict(request.headers), content=content, timeout=timeout
        ) as answer:
            if request.save is None or not answer.is_success:
                answer.read()
                return answer
            with request.save.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            return answer


def _unreachable(request: Request, error: httpx.TransportError) -> Unreachable:
    url = httpx.URL(request.url)
    where = f"{url.scheme}://{url.netloc.decode()}"
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{where} did not answer within {request.timeout:g} s", timed_out=True)
    reason = str(error) or type(error).__name__
    return Unreachable(f"{where} cannot be reached: {reason}", advice="Check the endpoint, and that the system is up.")


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
