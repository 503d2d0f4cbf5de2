"""How a worker runs suites: as whom, within which bounds, and from which spare."""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from wainwright.settings import SuiteSettings
from wainwright.worker.sandbox.bounds import default_memory_bytes
from wainwright.worker.sandbox.choose_user import choose_user
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, UMASK, Isolation, SuiteBounds
from wainwright.worker.sandbox.spares import Spares

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hosting:
    """What suites on this worker have around them."""

    isolation: Isolation = field(default=NOT_ISOLATED)
    spares: Spares | None = None

    def tend(self) -> None:
        """See to the spare. To be called while nothing runs."""
        if self.spares is not None:
            self.spares.tend()

    def close(self) -> None:
        """End what waits for a job."""
        if self.spares is not None:
            self.spares.close()

    def make_folder(self, folder: Path) -> None:
        """A job's own folder. Test code gets through it to what it is given, and sees nothing else of it."""
        folder.mkdir(parents=True)
        self.isolation.let_through(folder)

    def clear(self, folder: Path) -> None:
        """Remove a job's own folder, and what its test code left elsewhere. To be called when the job has ended."""
        self.isolation.remove(folder)
        self.isolation.clear_shared()


def host(settings: SuiteSettings, work_dir: Path) -> Hosting:
    """As the settings say; the first spare is on its way. Raises as :func:`isolate`."""
    isolation = isolate(settings, work_dir)
    if not settings.spares:
        return Hosting(isolation)
    folder = work_dir / "spares"
    folder.mkdir()
    isolation.let_through(folder)
    spares = Spares(folder, isolation, settings.spare_seconds)
    spares.start()
    return Hosting(isolation, spares)


def isolate(settings: SuiteSettings, work_dir: Path) -> Isolation:
    """Set suites of this worker apart as far as the platform allows, and say in the log how far that is.

    Raises:
        UserUnusable: a user is named in the settings as whom they cannot be run.
    """
    os.umask(UMASK)
    chosen = choose_user(settings.test_user, work_dir)
    # As a warning where root runs what others wrote; what anybody else may do here, the suites may as well.
    level = logging.WARNING if chosen.user is None and os.geteuid() == 0 else logging.INFO
    log.log(level, "test code runs %s", chosen.why)
    return Isolation(chosen.user, bounds_of(settings))


def bounds_of(settings: SuiteSettings) -> SuiteBounds:
    """The bounds that the settings name, and the default of the one that depends on the machine."""
    memory = settings.memory_bytes if settings.memory_bytes is not None else default_memory_bytes()
    return SuiteBounds(
        memory_bytes=memory,
        cpu_seconds=settings.cpu_seconds,
        processes=settings.processes,
        open_files=settings.open_files,
        file_bytes=settings.file_bytes,
        disk_bytes=settings.disk_bytes,
    )
