"""Removes secrets from the events of a suite, all of which pass through here; files are redacted before their upload.

Parameters may put secrets into names of tests: outside, tests go by their redacted names, which are translated back here.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from wainwright.domain.redaction import Redactor
from wainwright.domain.secret_spellings import MIN_SECRET
from wainwright.worker.runners.suite import (
    Attachment,
    CaseFeed,
    Collected,
    Event,
    SuiteEnd,
    SuiteRequest,
    Take,
)

_WORDS = frozenset({"outcome", "kind", "category", "level", "reason"})
"""Fields whose values are from closed lists, checked when they were read."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z\Z")

_IDS = frozenset({"id", "test_id", "deselected", "unfinished"})

_NUMBERED = re.compile(r"[0-9a-f]{6}-\d{5}-\d{3}")
"""Stem of a file that Playwright Test's process kept without the attachment's own name (`evidence.cjs`)."""

MAX_NAME = 50
"""Characters of an attachment's own name; `artifact_name` would cut longer ones from the front."""

Reported = TypeVar("Reported", bound=Event | SuiteEnd)

log = logging.getLogger(__name__)


def make_redactor(secrets: Mapping[str, str]) -> Redactor:
    """Return the redactor of these values, without those that are too short to be found: only Parameter Store lets them in."""
    usable = {name: value for name, value in secrets.items() if len(value) >= MIN_SECRET}
    for name in secrets.keys() - usable.keys():
        log.warning("a secret is too short to be redacted", extra={"secret": name})
    return Redactor(usable)


def evidence_name(attachment: Attachment, redactor: Redactor) -> str:
    """Return the name of an attachment's file. Secrets are removed first: in a name that is cut they would not be found."""
    if attachment.path is None:
        return redactor.text(attachment.name)
    name = redactor.text(attachment.path.name)
    if not _NUMBERED.fullmatch(attachment.path.stem):
        return name
    stem, dot, ending = name.partition(".")
    return f"{stem}-{redactor.text(attachment.name)[:MAX_NAME]}{dot}{ending}"


class SuiteRedaction:
    """Redacts events of one run of a suite, by the types of their fields, so that a field that is added is not forgotten."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._outside: dict[str, str] = {}
        self._inside: dict[str, str] = {}

    def request(self, request: SuiteRequest) -> SuiteRequest:
        """Return the same request in the suite's own names of tests."""
        if not self._redactor:
            return request
        return replace(
            request,
            deselect=self.originals(request.deselect),
            select=None if request.select is None else self.originals(request.select),
            feed=None if request.feed is None else _Feed(request.feed, self),
        )

    def __call__(self, reported: Reported) -> Reported:
        """Return the same event or end without secrets."""
        if not self._redactor:
            return reported
        if isinstance(reported, Collected):
            for test in reported.tests:
                self.id(test.id)
        redacted: Reported = self._of(reported)
        return redacted

    def id(self, test_id: str) -> str:
        """Return the redacted name of a test, unique among the tests."""
        if test_id not in self._outside:
            plain = name = self._redactor.text(test_id)
            number = 1
            while name in self._inside:
                number += 1
                name = f"{plain}#{number}"
            self._outside[test_id], self._inside[name] = name, test_id
        return self._outside[test_id]

    def original(self, name: str) -> str:
        """Return the id of the test with this redacted name."""
        return self._inside.get(name, name)

    def originals(self, names: frozenset[str]) -> frozenset[str]:
        """Return all ids that these names may stand for, before the tests are known."""
        return names.union(*(self._redactor.originals(name) for name in names))

    def _of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redactor.text(value)
        if isinstance(value, tuple):
            return tuple(self._of(each) for each in value)
        if isinstance(value, Mapping | list):
            return self._redactor.json(value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{each.name: self._field(value, each.name) for each in fields(value) if each.init})
        return value

    def _field(self, owner: Any, name: str) -> Any:
        value = getattr(owner, name)
        if name in _WORDS or value is None or (name == "started_at" and _INSTANT.match(value)):
            return value
        if name in _IDS and isinstance(value, str):
            return self.id(value)
        if name in _IDS and isinstance(value, tuple):
            return tuple(self.id(each) for each in value)
        return self._of(value)


class _Feed:
    """A feed whose tests have redacted names."""

    def __init__(self, feed: CaseFeed, redacting: SuiteRedaction) -> None:
        self._feed = feed
        self._redacting = redacting

    def take(self) -> Take:
        taken = self._feed.take()
        return taken if isinstance(taken, str) else tuple(self._redacting.original(name) for name in taken)
