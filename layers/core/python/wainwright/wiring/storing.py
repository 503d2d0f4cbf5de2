"""Where files of reports wait."""

from pathlib import Path

from wainwright.adapters.no_spool import NoSpool
from wainwright.ports.spool import Spool
from wainwright.settings import SpoolSettings


def spool_of(settings: SpoolSettings, default: Path | None = None) -> Spool:
    """The directory that is named, or ``default``. Functions on AWS have neither: they see no worker's disk."""
    directory = Path(settings.spool_dir) if settings.spool_dir else default
    if directory is None:
        return NoSpool()
    # Here, for those that have none start sooner without it.
    from wainwright.adapters.disk_spool import DiskSpool

    return DiskSpool(directory, settings.spool_max_mb * 1_048_576)
