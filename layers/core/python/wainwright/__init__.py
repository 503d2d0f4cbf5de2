"""Wainwright: browser tests as jobs on AWS, in your own account or whole on one machine."""

__version__ = "0.1.0"
