"""The error that a user of the local system sees."""


class LocalError(Exception):
    """The local system cannot start or go on. The message is one line: what happened, and the next step to take."""
