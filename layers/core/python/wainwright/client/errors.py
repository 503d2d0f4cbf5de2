"""Errors of the client.

::

    WainwrightError
    ├── ClientError
    │   ├── InvalidEndpoint    this is no address, or one that would send the key in clear text
    │   ├── ApiError           the API answered with a problem document
    │   ├── Unreachable        no answer came
    │   ├── UnexpectedAnswer   an answer came that is not Wainwright's
    │   ├── WaitTimeout        the job did not get there in the time given
    │   └── JobFailed          the jobs that a pattern ran did not complete
    └── BundleError            the tests cannot be packed
"""

from http import HTTPStatus

import httpx
from pydantic import ValidationError

from wainwright.contracts.http.service import Problem
from wainwright.domain.errors import WainwrightError

_EXCERPT = 200
"""Characters of a foreign answer that an error message quotes."""


class ClientError(WainwrightError):
    """Base of the errors between this process and the API. ``job_id`` is the job that was asked about, if one was."""

    def __init__(self, message: str, *, advice: str = "", job_id: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.job_id = job_id


class InvalidEndpoint(ClientError):
    """The endpoint is not an address that a key may be sent to."""


class Unreachable(ClientError):
    """The API did not answer: connection refused or lost, name not found, or no answer in time.

    ``sent``: the request may have arrived.
    """

    def __init__(
        self, message: str, *, advice: str = "", timed_out: bool = False, sent: bool = True, job_id: str | None = None
    ) -> None:
        super().__init__(message, advice=advice, job_id=job_id)
        self.timed_out = timed_out
        self.sent = sent


class UnexpectedAnswer(ClientError):
    """The answer is not one of the API's: is there something else at this address?"""


class WaitTimeout(ClientError):
    """The job did not reach the state in the time given. It goes on."""

    code = "timeout"

    def __init__(self, job_id: str, seconds: float, what: str = "ended") -> None:
        super().__init__(
            f"job {job_id} has not {what} within {seconds:g} s", advice="The job continues.", job_id=job_id
        )


class ApiError(ClientError):
    """The API refused or failed: the HTTP status, what it said, and the job that was asked about, if one was."""

    def __init__(self, status: int, problem: Problem, job_id: str | None = None) -> None:
        super().__init__(problem.detail or problem.title, advice=problem.advice or "", job_id=job_id)
        self.status = status
        self.problem = problem


class JobFailed(ClientError):
    """A job that a pattern ran did not complete; ``step`` (from 1) is its place in a chain, or the number of the try."""

    def __init__(self, message: str, *, step: int, job_id: str | None = None) -> None:
        super().__init__(message, job_id=job_id)
        self.step = step


class BundleError(WainwrightError):
    """The given files cannot become a bundle: none are there, too many, too big, or a link leaves the directory."""


def error_of(answer: httpx.Response, job_id: str | None = None) -> ApiError:
    """Return the error that an answer of status 300 or more stands for, whoever on the way gave it."""
    return ApiError(answer.status_code, _problem(answer), job_id)


def is_outage(error: ClientError) -> bool:
    """Tell if the API failed, was too busy or was not reached: another try may succeed."""
    if isinstance(error, ApiError):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, Unreachable)


def _problem(answer: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(answer.content, extra="ignore")
    except ValidationError:
        # A gateway, a proxy or the object store answered instead of the API.
        title = HTTPStatus(answer.status_code).phrase if answer.status_code in set(HTTPStatus) else "Unknown status"
        excerpt = " ".join(answer.text.split())[:_EXCERPT]
        detail = f"{answer.url.host} answered {answer.status_code} {title}" + (f": {excerpt}" if excerpt else "")
        return Problem(type="about:blank", title=title, status=answer.status_code, detail=detail)
