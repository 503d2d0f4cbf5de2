"""Everything Wainwright raises on purpose.

::

    WainwrightError
    ├── InvalidInput            400  a field is wrong: names it and says what to do
    ├── Unauthenticated         401  no key, or one that is unknown, revoked or expired
    ├── Forbidden               403  the key lacks the scope
    ├── NotFound                404  no such thing in this project
    │   └── NotStored                a file of a report could not be stored, or not yet
    ├── Refused                 409  the state it is in does not allow it
    │   ├── TransitionRefused        the state table has no such step
    │   └── IdempotencyConflict      the same Idempotency-Key came with another body
    ├── TooLarge                413  over a size bound
    ├── CapacityExceeded        429  running or queued limit of the project
    ├── Unavailable             503  try again: conflicts or throttling did not end in time
    └── Lost                         (inside) another process owns the row now: stop, write nothing
        ├── Conflict                 the row changed since it was read
        └── FenceLost                a newer claim exists
"""

from collections.abc import Mapping


class WainwrightError(Exception):
    """Base of all errors raised on purpose. ``advice`` is the next step to take."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class InvalidInput(WainwrightError):
    """A field is wrong. ``field`` is its path in the request, such as ``config.timeout``."""

    def __init__(
        self, field: str, message: str, *, advice: str = "", extra: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.field = field
        self.extra = dict(extra or {})


class Unauthenticated(WainwrightError):
    """No usable API key came with the request."""


class Forbidden(WainwrightError):
    """The key is good but lacks the scope that the call needs."""


class NotFound(WainwrightError):
    """There is no such thing, or it belongs to another project: the two look alike on purpose."""


class NotStored(NotFound):
    """A file of a report that was written, but is not where it can be read: the upload failed."""


class Refused(WainwrightError):
    """The request does not fit the state of its object."""


class TransitionRefused(Refused):
    """The state table has no step from ``before`` to ``after``."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a job that is {before} cannot become {after}")
        self.before = before
        self.after = after


class IdempotencyConflict(Refused):
    """An ``Idempotency-Key`` came a second time with a different request."""


class TooLarge(WainwrightError):
    """Over a size bound; the message names both sizes."""


class CapacityExceeded(WainwrightError):
    """The project has as many jobs running or queued as it may. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class Unavailable(WainwrightError):
    """Something we depend on did not answer in time; the same request may be sent again."""


class Lost(WainwrightError):
    """This process may no longer write what it wanted to write."""


class Conflict(Lost):
    """The row changed between reading and writing it. Read again and decide again."""


class FenceLost(Lost):
    """A newer claim on the job exists: whoever sees this stops working and writes nothing more."""
