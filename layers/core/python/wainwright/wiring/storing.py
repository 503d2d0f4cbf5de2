"""The spool of a process."""

from pathlib import Path

from wainwright.adapters.no_spool import NoSpool
from wainwright.ports.spool import Spool
from wainwright.settings import SpoolSettings


def spool_of(settings: SpoolSettings, default: Path | None = None) -> Spool:
    """Return the spool in the directory that is named, or in ``default``. Functions on AWS see no worker's disk."""
    directory = Path(settings.spool_dir) if settings.spool_dir else default
    if directory is None:
        return NoSpool()
    # Here, for those that have none start sooner without it.
    from wainwright.adapters.disk_spool import DiskSpool

    return DiskSpool(directory, settings.spool_max_mb * 1_048_576)
