"""Everything Wainwright raises on purpose; `contracts.problems` maps each class to the answer of the API."""

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
    """There is no such object, or it belongs to another project: the two look alike on purpose."""


class NotStored(NotFound):
    """A file of a report could not be uploaded, or not yet."""


class Refused(WainwrightError):
    """The request does not fit the state of its object."""


class TransitionRefused(Refused):
    """The state table has no step from ``before`` to ``after``."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a job that is {before} cannot become {after}")


class IdempotencyConflict(Refused):
    """An ``Idempotency-Key`` came a second time with a different request."""


class TooLarge(WainwrightError):
    """Over a size bound; the message names both sizes."""


class CapacityExceeded(WainwrightError):
    """The project has as many jobs running or queued as its limits allow. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class Unavailable(WainwrightError):
    """A service that we depend on did not answer in time; the same request may be sent again."""


class Lost(WainwrightError):
    """Another process owns the row now: stop, and write nothing."""


class Conflict(Lost):
    """The row changed between reading and writing it. Read again and decide again."""


class FenceLost(Lost):
    """A newer claim on the job exists."""
