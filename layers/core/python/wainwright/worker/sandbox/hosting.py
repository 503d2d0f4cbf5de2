"""Isolation and spares that all suites on one worker share."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from wainwright.settings import SuiteSettings
from wainwright.worker.sandbox.bounds import bounds_of
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, UMASK, Isolation
from wainwright.worker.sandbox.process_user import choose_user
from wainwright.worker.sandbox.spares import Spares

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hosting:
    """Isolation and spares of one worker."""

    isolation: Isolation = NOT_ISOLATED
    spares: Spares | None = None

    def tend(self) -> None:
        """Have a spare ready, if there are to be any. To be called while nothing runs."""
        if self.spares is not None:
            self.spares.tend()

    def close(self) -> None:
        """End what waits for a job."""
        if self.spares is not None:
            self.spares.close()

    def make_folder(self, folder: Path) -> None:
        """Make a job's own folder. Test code gets through it to what it is given, and sees nothing else of it."""
        folder.mkdir(parents=True)
        self.isolation.let_through(folder)

    def clear(self, folder: Path) -> None:
        """Remove a job's own folder, and what its test code left elsewhere. To be called when the job has ended."""
        self.isolation.remove(folder)
        self.isolation.clear_shared()


def host(settings: SuiteSettings, work_dir: Path) -> Hosting:
    """Set suites of this worker apart as far as the platform allows, log how far that is, and start the first spare.
    Raises UserUnusable if test code cannot run as the user that the settings name."""
    os.umask(UMASK)
    chosen = choose_user(settings.test_user, work_dir)
    # As a warning where root runs what others wrote; what anybody else may do here, the suites may as well.
    level = logging.WARNING if chosen.user is None and os.geteuid() == 0 else logging.INFO
    log.log(level, "test code runs %s", chosen.why)
    isolation = Isolation(chosen.user, bounds_of(settings))
    if not settings.spares:
        return Hosting(isolation)
    folder = work_dir / "spares"
    folder.mkdir()
    isolation.let_through(folder)
    spares = Spares(folder, isolation, settings.spare_seconds)
    spares.start()
    return Hosting(isolation, spares)
