"""JUnit XML, in the form that CI systems read: a testsuite for each file, `flakyFailure` for failures before a pass,
`skipped` for failures in quarantine.

Written with the standard library: the format is small, and what goes wrong in practice, characters that XML cannot
hold, is handled here.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET  # only writes: nothing is parsed
from collections.abc import Iterable

from wainwright.worker.evidence.report.report_model import Ending, ReportedTest, ReportMeta, group
from wainwright.worker.runners.suite import TestCase, TestResult

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything that XML 1.0 does not allow, lone surrogates included."""


def build_junit(results: Iterable[TestResult], ending: Ending, meta: ReportMeta) -> bytes:
    """The whole document, UTF-8 with declaration. Tests that did not run are errors, so that no reader takes them for
    passed.
    """
    root = ET.Element("testsuites", name=_clean(meta.title), time=_seconds(meta.duration_ms))
    suites: dict[str, ET.Element] = {}
    for test in group(results):
        suite = _suite(root, suites, test.last.file)
        _test(suite, test)
    for case in ending.not_run:
        left = next((each for each in ending.interrupted if each.id == case.id), None)
        _without_outcome(_suite(root, suites, case.file), case, ending.reason, left)
    if ending.lost:
        absent = TestCase("suite", "suite", 0, f"{ending.lost} tests")
        _without_outcome(_suite(root, suites, "suite"), absent, ending.reason)
    for error in ending.errors:
        suite = _suite(root, suites, error.file or "suite")
        element = ET.SubElement(suite, "testcase", classname=_clean(error.file or "suite"), name="suite", time="0.000")
        ET.SubElement(element, "error", message=_line(error.message)).text = _clean(error.stack or error.message)
    _count(root, suites.values())
    document = io.BytesIO()
    ET.ElementTree(root).write(document, encoding="utf-8", xml_declaration=True)
    return document.getvalue()


def _suite(root: ET.Element, suites: dict[str, ET.Element], file: str) -> ET.Element:
    if file not in suites:
        suites[file] = ET.SubElement(root, "testsuite", name=_clean(file))
    return suites[file]


def _test(suite: ET.Element, test: ReportedTest) -> None:
    last = test.last
    classname = ".".join([last.file.removesuffix(".py").replace("/", "."), *last.path])
    element = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(classname),
        name=_clean(last.title),
        file=_clean(last.file),
        line=str(last.line),
        time=_seconds(last.duration_ms),
    )
    if test.outcome == "skipped":
        reason = next((a.description for a in last.annotations if a.description), "")
        ET.SubElement(element, "skipped", message=_line(reason))
    if test.quarantine is not None:
        ET.SubElement(element, "skipped", message=_line(test.quarantine)).text = _clean(
            "\n".join(error.stack or error.message for error in last.errors)
        )
    for error in last.errors if test.outcome == "failed" else ():
        failure = ET.SubElement(element, "failure", message=_line(error.message), type=error.kind)
        failure.text = _clean(error.stack or error.message)
    for error in [e for attempt in test.attempts[:-1] for e in attempt.errors] if test.outcome == "flaky" else ():
        failure = ET.SubElement(element, "flakyFailure", message=_line(error.message), type=error.kind)
        failure.text = _clean(error.stack or error.message)
    hrefs = [f"[[ATTACHMENT|{item.href}]]" for item in last.attachments if item.href]
    for tag, content in (("system-out", "\n".join(filter(None, [last.stdout, *hrefs]))), ("system-err", last.stderr)):
        if content:
            ET.SubElement(element, tag).text = _clean(content)


def _without_outcome(suite: ET.Element, case: TestCase, reason: str, left: TestResult | None = None) -> None:
    element = ET.SubElement(
        suite, "testcase", classname=_clean(case.file), name=_clean(case.title), file=_clean(case.file), time="0.000"
    )
    said, kind = ("was interrupted", "interrupted") if left else ("did not run", "not_run")
    ET.SubElement(element, "error", message=f"{said}: {_line(reason)}", type=kind)
    if left and (hrefs := [f"[[ATTACHMENT|{item.href}]]" for item in left.attachments if item.href]):
        ET.SubElement(element, "system-out").text = _clean("\n".join(hrefs))


def _count(root: ET.Element, suites: Iterable[ET.Element]) -> None:
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": sum(1 for case in cases if case.find("failure") is not None),
            "errors": sum(1 for case in cases if case.find("error") is not None),
            "skipped": sum(1 for case in cases if case.find("skipped") is not None),
        }
        suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
    for name, count in totals.items():
        root.set(name, str(count))


def _clean(content: str) -> str:
    return _NOT_XML.sub("\ufffd", content)


def _line(content: str) -> str:
    lines = _clean(content).strip().splitlines()
    return lines[0][:500] if lines else ""


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
