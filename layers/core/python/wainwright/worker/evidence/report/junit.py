"""JUnit XML, in the form that CI systems read: a testsuite for each file, `flakyFailure` for failures before a pass,
`skipped` for failures in quarantine.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # only writes: nothing is parsed
from collections import defaultdict
from collections.abc import Iterable

from wainwright.worker.evidence.report.report_model import Ending, ReportedTest, ReportMeta, group_by_test
from wainwright.worker.runners.suite import Attachment, SuiteError, TestCase, TestError, TestResult

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything that XML 1.0 does not allow, lone surrogates included."""

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""Attributes of a suite, and the elements that they count test cases with."""


def build_junit(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> bytes:
    """Return the document in UTF-8. Tests that did not run are errors, so that no reader takes them for passed."""
    suites: defaultdict[str, list[ET.Element]] = defaultdict(list)
    for test in group_by_test(results):
        suites[test.last.file].append(_case_of(test))
    for case in ending.not_run:
        suites[case.file].append(_case_without_outcome(case, ending.reason, ending.find_evidence(case)))
    if ending.lost:
        absent = TestCase("suite", "suite", 0, f"{ending.lost} tests")
        suites["suite"].append(_case_without_outcome(absent, ending.reason))
    for error in ending.errors:
        name = error.file or "suite"
        element = _element("testcase", classname=name, name="suite", time="0.000")
        element.append(_problem("error", error))
        suites[name].append(element)
    root = _element("testsuites", name=meta.title, time=_seconds(meta.duration_ms))
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", name=_clean(name))
        suite.extend(cases)
        suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
        _count(suite, cases)
    _count(root, [case for cases in suites.values() for case in cases])
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _case_of(test: ReportedTest) -> ET.Element:
    last = test.last
    element = _element(
        "testcase",
        classname=".".join([last.file.removesuffix(".py").replace("/", "."), *last.path]),
        name=last.title,
        file=last.file,
        line=str(last.line),
        time=_seconds(last.duration_ms),
    )
    match test.outcome:
        case "skipped":
            reason = next((a.description for a in last.annotations if a.description), "")
            element.append(_element("skipped", message=_line(reason)))
        case "quarantined":
            stacks = "\n".join(error.stack or error.message for error in last.errors)
            element.append(_element("skipped", stacks, message=_line(test.quarantine or "")))
        case "failed":
            element.extend(_problem("failure", error, type=error.kind) for error in last.errors)
        case "flaky":
            earlier = [error for attempt in test.attempts[:-1] for error in attempt.errors]
            element.extend(_problem("flakyFailure", error, type=error.kind) for error in earlier)
    _add_text(element, "system-out", "\n".join(filter(None, [last.stdout, *_links(last.attachments)])))
    _add_text(element, "system-err", last.stderr)
    return element


def _case_without_outcome(case: TestCase, reason: str, left: TestResult | None = None) -> ET.Element:
    element = _element("testcase", classname=case.file, name=case.title, file=case.file, time="0.000")
    text, kind = ("was interrupted", "interrupted") if left else ("did not run", "not_run")
    element.append(_element("error", message=f"{text}: {_line(reason)}", type=kind))
    _add_text(element, "system-out", "\n".join(_links(left.attachments if left else ())))
    return element


def _problem(tag: str, error: TestError | SuiteError, **attributes: str) -> ET.Element:
    return _element(tag, error.stack or error.message, message=_line(error.message), **attributes)


def _links(attachments: Iterable[Attachment]) -> list[str]:
    return [f"[[ATTACHMENT|{item.href}]]" for item in attachments if item.href]


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, tag in _COUNTED.items():
        element.set(name, str(sum(1 for case in cases if case.find(tag) is not None)))


def _add_text(case: ET.Element, tag: str, text: str) -> None:
    if text:
        case.append(_element(tag, text))


def _element(tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    element = ET.Element(tag, {name: _clean(value) for name, value in attributes.items()})
    element.text = text and _clean(text)
    return element


def _clean(content: str) -> str:
    return _NOT_XML.sub("\ufffd", content)


def _line(content: str) -> str:
    lines = _clean(content).strip().splitlines()
    return lines[0][:500] if lines else ""


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
