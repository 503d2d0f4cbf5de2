"""Every minute."""

import logging
import os
from functools import cache
from typing import Any

from wainwright.settings import WorkflowSettings
from wainwright.usecases.sweep_jobs import SweepJobs
from wainwright.wiring.sweeping import sweep_jobs

log = logging.getLogger(__name__)


@cache
def sweep() -> SweepJobs:
    """The use case, put together at the first event."""
    return sweep_jobs(WorkflowSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Mend what is overdue; with ``{"recover": true}``, after a loss of all executions and messages, whatever is not at rest."""
    looked = sweep()(everything=event.get("recover") is True)
    log.info("swept", extra={"jobs": looked})
    return {"jobs": looked}
