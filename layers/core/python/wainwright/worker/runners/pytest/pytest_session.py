"""What pytest's exit codes and words mean."""

from __future__ import annotations

from wainwright.worker.runners.suite import EndReason
from wainwright.worker.runners.suite_session import Session

OK, TESTS_FAILED, INTERRUPTED, INTERNAL, USAGE, NO_TESTS = range(6)
ORDERLY = (OK, TESTS_FAILED, INTERRUPTED, NO_TESTS)


class PytestSession(Session):
    """A suite that pytest runs."""

    def reason_by_exit_code(self, code: int | None) -> EndReason | None:
        if code == USAGE:
            return "usage_error"
        if not self.finished or code not in ORDERLY:
            return "crashed"
        return "interrupted" if code == INTERRUPTED else None

    def explanation(self, reason: EndReason) -> str | None:
        if reason == "usage_error":
            # argparse prints its usage first, then "…: error: what was wrong".
            said = next((line for line in self.printed if line.strip()), "")
            said = next((line for line in self.printed if ": error: " in line), said)
            return said or "pytest refused its options or the suite's configuration"
        if reason == "no_tests":
            return "No test was found: pytest collects test_* functions from test_*.py and *_test.py files"
        return None
