"""Wherever the test process and the worker cut what a suite says, no part of a secret is left at the cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.worker.suites import Run, SuiteFolder
from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.redact_events import SuiteRedaction
from wainwright.worker.evidence.redact_files import redact_file
from wainwright.worker.runners.suite import TestEnded

SECRET = "correct-horse-Battery9-staple_Zx7kQw2uV5yB"
PARTS = {SECRET[at : at + 5] for at in range(len(SECRET) - 4)}
SHIFTS = (0, 11, 23, 37)
"""Different parts of the secret are left at a cut, and different ones at its other edge."""

LONG = """
import os, sys

def long(shift):
    return "-" * int(shift) + "".join(os.environ["SECRET"] + "." * (number % 7 + 1) for number in range(1200))

LONG = long(os.environ["SHIFT"])
WHOLE = "-" * int(os.environ["SHIFT"]) + (os.environ["SECRET"] + ".") * 200
"""

SAYS = """
import contextlib, logging, sys
import pytest
from long import LONG, WHOLE

def test_prints(capfd):
    with capfd.disabled():
        print(LONG)
        print(LONG, file=sys.stderr)

def test_prints_for_itself():
    print(LONG)
    sys.stderr.write(LONG)
    logging.getLogger("shop").warning(LONG)

def test_raises():
    raise ValueError(LONG)

@pytest.mark.issue(LONG)
def test_is_skipped():
    pytest.skip(LONG)

def test_in_a_browser(page):
    page.evaluate("text => console.log(text)", LONG)
    with contextlib.suppress(Exception):
        page.goto("http://127.0.0.1:1/" + WHOLE)
    page.get_by_text(WHOLE).click(timeout=100)
"""

OTHERS = {
    "a file that cannot be loaded": {"test_it.py": "from long import LONG\nraise ValueError(LONG)\n"},
    "an end by the suite": {"test_it.py": "import pytest\nfrom long import LONG\ndef test(): pytest.exit(LONG)\n"},
    "an error in a hook": {
        "conftest.py": "from long import LONG\ndef pytest_runtestloop(): raise ValueError(LONG)\n",
        "test_it.py": "def test(): pass\n",
    },
}

SPEC = """
import { expect, test } from '@playwright/test';

const shift = Number(process.env.SHIFT);
const LONG = '-'.repeat(shift) + Array.from({ length: 1200 }, (_, n) => process.env.SECRET + '.'.repeat(n % 7 + 1)).join('');
console.log(LONG);

test('prints', async () => {
  console.log(LONG);
  console.error(LONG);
  await test.step(LONG, async () => { throw new Error(LONG); });
});
test('is skipped', async () => {
  test.info().annotations.push({ type: LONG, description: LONG });
  test.skip(true, LONG);
});
test('in a browser', async ({ page }) => {
  await page.evaluate(text => console.log(text), LONG);
  throw new Error(LONG);
});
"""

pytestmark = pytest.mark.browser


def leaks(run: Run) -> list[str]:
    """Parts of the secret in what would leave, with what is before and after them."""
    redactor = Redactor({"SECRET": SECRET})
    redaction = SuiteRedaction(redactor)
    told = [repr(redaction(event)) for event in run.events] + [repr(redaction(run.end))]
    for ended in run.of(TestEnded):
        told += [_read(item.path, item.content_type, redactor) for item in ended.result.attachments if item.path]
    found = [(each, each.find(part)) for each in told for part in PARTS]
    return [each[max(0, at - 60) : at + 60] for each, at in found if at >= 0]


def _read(path: Path, content_type: str, redactor: Redactor) -> str:
    if redact_file(path, content_type, redactor) is not None:
        return ""
    return path.read_bytes().decode("utf-8", "replace")


def run_with_secret(suite: SuiteFolder, shift: int) -> Run:
    return suite.run(secrets={"SECRET": SECRET}, env={"SHIFT": str(shift)})


@pytest.mark.parametrize("shift", SHIFTS)
def test_no_part_of_a_secret_is_left_where_pytest_or_the_worker_cuts(suite: SuiteFolder, shift: int) -> None:
    suite.write("long.py", LONG)
    suite.write("test_says.py", SAYS)

    run = run_with_secret(suite, shift)

    assert [result.outcome for result in run.results] == ["passed", "passed", "failed", "skipped", "failed"], run.end
    assert repr(run.events).count("… cut …") > 10
    assert leaks(run) == []


@pytest.mark.parametrize("ending", sorted(OTHERS))
def test_no_part_of_a_secret_is_left_in_the_error_of_a_suite(suite: SuiteFolder, ending: str) -> None:
    suite.write("long.py", LONG)
    for name, content in OTHERS[ending].items():
        suite.write(name, content)

    run = run_with_secret(suite, SHIFTS[1])

    assert any("… cut …" in error.message for error in run.end.errors), run.end
    assert leaks(run) == []


@pytest.mark.parametrize("shift", SHIFTS)
def test_no_part_of_a_secret_is_left_where_playwright_test_or_the_worker_cuts(
    ts_suite: SuiteFolder, shift: int
) -> None:
    ts_suite.write("playwright.config.ts", "export default {};")
    ts_suite.write("says.spec.ts", SPEC)

    run = run_with_secret(ts_suite, shift)

    assert sorted(result.outcome for result in run.results) == ["failed", "failed", "skipped"], run.end
    assert repr(run.events).count("… cut …") > 10
    assert leaks(run) == []
