"""What the supervisor counts of the processes below it."""

import os
import subprocess
import sys

import pytest

from wainwright.worker.child.wainwright_child.watching import measure_below

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts by /proc")


def test_its_own_process_is_not_counted_as_one_of_the_suite() -> None:
    with subprocess.Popen(["sleep", "60"]) as one, subprocess.Popen(["sleep", "60"]) as other:
        try:
            _, all_of_them = measure_below(os.getpid())
            _, without_one = measure_below(os.getpid(), one.pid)
        finally:
            one.kill()
            other.kill()

    assert without_one == all_of_them - 1
