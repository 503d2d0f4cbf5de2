"""``wainwright jobs logs``: what a job logged."""

import sys

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode
from wainwright.cli.terminal import clean
from wainwright.client.filters import LogFilters
from wainwright.domain.instants import to_text
from wainwright.domain.logs import LogEntry


def show_logs(job_id: str, filters: LogFilters, *, follow: bool, as_json: bool) -> int:
    """Print the log's lines, oldest first; with ``follow`` as they come, until the job rests or Ctrl-C."""
    with connect(start=not follow, looking_back=True) as system, system.client() as client:
        try:
            for entry in client.jobs.logs(job_id, follow=follow, **filters):
                _print(entry, as_json=as_json)
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
    return ExitCode.PASSED


def _print(entry: LogEntry, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(entry.model_dump_json(by_alias=True) + "\n")
    else:
        sys.stdout.write(f"{to_text(entry.timestamp)} {entry.level:5} {clean(entry.message)}\n")
    sys.stdout.flush()
