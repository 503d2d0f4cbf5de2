"""Every twelve hours."""

import logging
import os
from datetime import timedelta
from functools import cache
from typing import Any

from wainwright.settings import CleanUpSettings
from wainwright.usecases.clean_up import CleanUp
from wainwright.wiring.retention import clean_up as put_together

MARGIN_MS = 30_000
"""What is left of the function's time when it stops taking further jobs."""

log = logging.getLogger(__name__)


@cache
def clean_up() -> CleanUp:
    """The use case, put together at the first event."""
    return put_together(CleanUpSettings.read(os.environ))


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Delete what has outlived its project's retention."""
    budget = timedelta(milliseconds=max(context.get_remaining_time_in_millis() - MARGIN_MS, 0))
    removed = clean_up()(budget=budget)
    log.info("cleaned", extra={"removed": removed})
    return {"removed": removed}
