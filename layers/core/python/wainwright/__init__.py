"""Wainwright: browser tests as jobs on AWS, in your own account or whole on one machine."""

from wainwright.in_job import CurrentJob, current_job, log_error, log_info

__all__ = ["CurrentJob", "__version__", "current_job", "log_error", "log_info"]

__version__ = "0.1.0"
