"""Answers of functions to errors."""

import logging

from wainwright.adapters.aws.outages import as_unavailable
from wainwright.contracts.problems import problem_of, retry_after, to_json
from wainwright.domain.errors import InvalidInput, WainwrightError

log = logging.getLogger(__name__)


def problem_answer(error: Exception, request_id: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of the problem document for an error; the log has those that no caller can mend."""
    if not isinstance(error, WainwrightError):
        outage = as_unavailable(error)
        if outage is None:
            log.error("unexpected error", exc_info=error, extra={"requestId": request_id})
        else:
            log.warning(outage.message, exc_info=error, extra={"requestId": request_id})
            error = outage
    seconds = retry_after(error)
    problem = problem_of(error, request_id)
    text = to_json(problem, error.extra if isinstance(error, InvalidInput) else {})
    return problem.status, {} if seconds is None else {"Retry-After": str(seconds)}, text
