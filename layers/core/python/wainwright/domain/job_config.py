"""Settings of a job's browsers and times."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from wainwright.domain.record import Record

MIN_TIMEOUT_MS = 1_000
MAX_TIMEOUT_MS = 11 * 3_600_000
"""A job's timeout ends below SQS's twelve-hour visibility."""


class Viewport(Record):
    """Size of the page in CSS pixels."""

    width: int = Field(ge=100, le=7_680)
    height: int = Field(ge=100, le=4_320)


Keep = Literal["on", "off", "retain-on-failure"]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=200)]
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e\x80-\xff]*$", max_length=4_096)]


BROWSERS = ("chromium", "firefox", "webkit")


def _one_or_several_browsers(given: object) -> object:
    """Check the value as a whole, so that a fault names the field and not one of its forms."""
    names = given if isinstance(given, (list, tuple)) else [given]
    if not names or len(set(map(str, names))) < len(names) or any(name not in BROWSERS for name in names):
        raise ValueError(f"should be one of {', '.join(BROWSERS)}, or a list of them, each once")
    return given


_NAME = {"type": "string", "enum": list(BROWSERS)}
Browsers = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_one_or_several_browsers),
    WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}]}),
]


class JobConfig(Record):
    """Settings of browsers, and bounds of time, in milliseconds as in Playwright.

    ``timeout`` bounds the whole job's running time. ``wait_for`` is waited after each navigation. ``browser`` is one name or
    several; the tests run in each. ``test_retries`` is how often a test that failed is run again at once.
    """

    timeout: int | None = Field(default=None, ge=MIN_TIMEOUT_MS, le=MAX_TIMEOUT_MS)
    viewport: Viewport | None = None
    wait_for: int | None = Field(default=None, ge=0, le=60_000)
    block_ads: bool | None = None
    disable_images: bool | None = None
    reduced_motion: bool | None = None
    browser: Browsers | None = None
    locale: str | None = Field(default=None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)
    timezone: str | None = Field(default=None, min_length=1, max_length=64)
    user_agent: str | None = Field(default=None, min_length=1, max_length=500)
    extra_headers: dict[HeaderName, HeaderValue] | None = Field(default=None, max_length=50)
    trace: Keep | None = None
    screenshot: Keep | None = None
    video: Keep | None = None
    test_retries: int | None = Field(default=None, ge=0, le=5)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; write it as Europe/Paris")
        return name
