"""A suite whose reports have no secrets in them: the one place through which everything passes that a suite says.

Texts are redacted here, as they are reported; files when they are about to leave (``redacted_files``). Names of tests may have
secrets in them, as parameters say: outside they go by their redacted names, and come back here as those.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

from wainwright.domain.redaction import MIN_SECRET, Redactor
from wainwright.worker.runners.suite import (
    Attachment,
    CaseFeed,
    Collected,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteRequest,
    Take,
)

_WORDS = frozenset({"outcome", "kind", "category", "level", "reason"})
"""Fields whose values are words of ours, checked when they were read."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z\Z")

_IDS = frozenset({"id", "test_id", "deselected", "unfinished"})

_NUMBERED = re.compile(r"[0-9a-f]{6}-\d{5}-\d{3}")
"""Stem of a file that the runner's process has kept without the attachment's own name (`evidence.cjs`)."""

MAX_NAME = 50
"""Characters of an attachment's own name; what makes it an artifact's name would cut longer ones from the front."""

log = logging.getLogger(__name__)


def redactor_of(secrets: Mapping[str, str]) -> Redactor:
    """What takes these out. A value that is too short to be found, which only Parameter Store itself lets in, is left out."""
    usable = {name: value for name, value in secrets.items() if len(value) >= MIN_SECRET}
    for name in secrets.keys() - usable.keys():
        log.warning("a secret is too short to be redacted", extra={"secret": name})
    return Redactor(usable)


def evidence_name(attachment: Attachment, redactor: Redactor) -> str:
    """What to call an attachment's file, without secrets: taken out before anything is cut or made fit for a file, since of
    what is left of a secret after that nobody would find it.
    """
    if attachment.path is None:
        return redactor.text(attachment.name)
    name = redactor.text(attachment.path.name)
    if not _NUMBERED.fullmatch(attachment.path.stem):
        return name
    stem, dot, ending = name.partition(".")
    return f"{stem}-{redactor.text(attachment.name)[:MAX_NAME]}{dot}{ending}"


class RunSuite(Protocol):
    """What runs a suite: ``runners.run_suite.run_suite`` or one of the runners."""

    def __call__(
        self, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest, /
    ) -> SuiteEnd:  # fmt: skip
        """Run it to its end."""
        ...


def run_redacted(
    run_suite: RunSuite, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest, redactor: Redactor
) -> SuiteEnd:
    """Run a suite; no text that it reports, and none of its end, has a secret in it. Raises as ``run_suite``."""
    if not redactor:
        return run_suite(request, on_event, stop)
    redacting = _Redacting(redactor)

    def pass_on(event: Event) -> None:
        on_event(redacting(event))

    asked = replace(
        request,
        deselect=redacting.originals(request.deselect),
        select=None if request.select is None else redacting.originals(request.select),
        feed=None if request.feed is None else _Feed(request.feed, redacting),
    )
    end: SuiteEnd = redacting(run_suite(asked, pass_on, stop))
    return end


class _Redacting:
    """Redacts whatever a suite reports, by the types of its fields, so that a field that is added is not forgotten."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._outside: dict[str, str] = {}
        self._inside: dict[str, str] = {}

    def __call__(self, reported: Any) -> Any:
        """The same without secrets."""
        if isinstance(reported, Collected):
            for test in reported.tests:
                self.id(test.id)
        return self._of(reported)

    def id(self, test_id: str) -> str:
        """The name by which a test goes outside: redacted, and another for each test."""
        if test_id not in self._outside:
            plain = name = self._redactor.text(test_id)
            number = 1
            while name in self._inside:
                number += 1
                name = f"{plain}#{number}"
            self._outside[test_id], self._inside[name] = name, test_id
        return self._outside[test_id]

    def original(self, name: str) -> str:
        """The test that goes by this name."""
        return self._inside.get(name, name)

    def originals(self, names: frozenset[str]) -> frozenset[str]:
        """All that these names may stand for, before the tests are known."""
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
    """A feed that knows tests by their names outside."""

    def __init__(self, feed: CaseFeed, redacting: _Redacting) -> None:
        self._feed = feed
        self._redacting = redacting

    def take(self) -> Take:
        """See :meth:`CaseFeed.take`."""
        taken = self._feed.take()
        return taken if isinstance(taken, str) else tuple(self._redacting.original(name) for name in taken)
