"""``python -m wainwright.worker``: one worker, on Fargate as on this machine, until it is idle or shut down."""

import json
import logging
import os
import shutil
import signal
import sys

from wainwright.settings import SettingsInvalid, WorkerSettings
from wainwright.wiring import workers
from wainwright.worker.loop.agent import Agent
from wainwright.worker.loop.parent_watch import watch_parent
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.sandbox.hosting import host
from wainwright.worker.sandbox.process_user import UserUnusable

log = logging.getLogger("wainwright.worker")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line, with the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def main() -> int:
    """Run one worker, and return its exit code: 0 when it left in good order."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        settings = WorkerSettings.read(os.environ)
    except SettingsInvalid as error:
        log.error(str(error))
        return 2
    logging.getLogger("wainwright").setLevel(settings.log_level)
    watch_parent(os.environ)
    shutdown = ShutdownSignal()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shutdown.request())
    work_dir = settings.home
    work_dir.mkdir(parents=True, mode=0o700)
    try:
        hosting = host(settings, work_dir)
    except UserUnusable as error:
        log.error(str(error))
        shutil.rmtree(work_dir)
        return 2
    Agent(workers.worker(settings), settings, shutdown, work_dir, hosting).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
