"""Uploads that fail: tried again for a while, then kept on the worker's disk. No test here waits."""

from pathlib import Path

import pytest

from tests.support.builders import job_id
from tests.support.memory.spool import MemorySpool
from tests.support.outages import REASON, FakePace, OutageArtifacts
from wainwright.adapters.clock import system_clock
from wainwright.contracts.names import report_key, report_prefix
from wainwright.usecases.upload_artifacts import SLICE_SECONDS, TRIES, Pace, UploadArtifacts, UploadPolicy, UploadResult

POLICY = UploadPolicy(first_seconds=1, max_seconds=8, total_seconds=30, probe_seconds=15)


class Bench:
    """Uploads of one run, with the bucket, the disk and the time in the test's hands."""

    def __init__(self, policy: UploadPolicy = POLICY) -> None:
        self.artifacts = OutageArtifacts(system_clock)
        self.spool = MemorySpool()
        self.time = FakePace()
        self.hurried = False
        self.uploads = UploadArtifacts(self.artifacts, self.spool, policy, lambda: self.hurried, self.time.pace)

    def put(self, name: str = "a") -> UploadResult:
        """Upload something."""
        return self.uploads.put(key(name), b"x", "text/plain")

    @property
    def tried(self) -> list[str]:
        """Names of what was tried since the last look."""
        tried = [each.rpartition("-")[2] for each in self.artifacts.tried]
        self.artifacts.tried.clear()
        return tried


@pytest.fixture
def bench() -> Bench:
    return Bench()


def key(name: str) -> str:
    return report_key("shop", job_id(1), fence=1, path=f"data/1-1-{name}")


def test_an_upload_that_works_is_made_once(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"y")

    assert bench.put() is UploadResult.UPLOADED
    assert bench.uploads.put_file(key("b"), tmp_path / "b", "image/png") is UploadResult.UPLOADED

    assert bench.tried == ["a", "b"]
    assert bench.artifacts.get(key("b")) == (b"y", "image/png")
    assert (bench.time.slept, bench.spool.objects, bench.uploads.reason) == ([], {}, None)


def test_an_upload_that_fails_is_tried_again_with_growing_pauses(bench: Bench) -> None:
    bench.artifacts.refuse_all()
    bench.time.on_sleep = lambda: bench.artifacts.recover() if bench.time.now >= 1_007.0 else None

    assert bench.put() is UploadResult.UPLOADED

    assert len(bench.tried) == 4
    assert sum(bench.time.slept) == 1 + 2 + 4
    assert bench.uploads.reason == REASON


def test_pauses_are_cut_at_random_by_up_to_a_half() -> None:
    least = [POLICY.pause(number, lambda least, _most: least) for number in range(1, 7)]
    most = [POLICY.pause(number, lambda _least, most: most) for number in range(1, 7)]

    assert most == [1, 2, 4, 8, 8, 8]
    assert least == [0.5, 1, 2, 4, 4, 4]


def test_after_so_many_seconds_it_goes_to_the_disk(bench: Bench, tmp_path: Path) -> None:
    bench.artifacts.refuse_all()
    (tmp_path / "b").write_bytes(b"y")

    assert bench.put() is UploadResult.SPOOLED
    assert sum(bench.time.slept) <= POLICY.total_seconds
    assert len(bench.tried) > 3

    assert bench.uploads.put_file(key("b"), tmp_path / "b", "image/png") is UploadResult.SPOOLED
    assert bench.spool.objects == {key("a"): (b"x", "text/plain"), key("b"): (b"y", "image/png")}


def test_all_uploads_of_a_run_share_the_time_of_one_outage(bench: Bench) -> None:
    bench.artifacts.refuse_all()

    for number in range(200):
        assert bench.put(f"{number}") is UploadResult.SPOOLED

    assert sum(bench.time.slept) <= POLICY.total_seconds
    assert len(bench.tried) < 2 * TRIES


def test_a_long_outage_is_looked_at_now_and_then_and_its_end_is_noticed(bench: Bench) -> None:
    bench.artifacts.refuse_all()
    bench.put("before")
    bench.time.now += POLICY.total_seconds
    bench.tried  # noqa: B018 - forgets them

    assert [bench.put(name) for name in "abcde"] == [UploadResult.SPOOLED] * 5
    assert bench.tried == ["a", "b"]  # with the one before, three in a row
    bench.time.now += POLICY.probe_seconds
    bench.artifacts.recover()
    assert [bench.put(name) for name in "fgh"] == [UploadResult.UPLOADED] * 3
    assert bench.tried == ["f", "g", "h"]


def test_many_outages_together_have_the_time_of_one(bench: Bench) -> None:
    for number in range(50):
        bench.artifacts.refuse_all()
        bench.put(f"bad{number}")
        bench.artifacts.recover()
        assert bench.put(f"good{number}") is UploadResult.UPLOADED

    assert POLICY.total_seconds / 2 < sum(bench.time.slept) <= POLICY.total_seconds


def test_what_is_refused_for_its_own_sake_keeps_nothing_else_from_going_up(bench: Bench) -> None:
    bench.artifacts.refuses = lambda each: each.endswith("-bad")

    assert bench.put("bad") is UploadResult.SPOOLED
    assert [bench.put(name) for name in "ab"] == [UploadResult.UPLOADED] * 2
    assert bench.put("bad") is UploadResult.SPOOLED
    assert bench.put("c") is UploadResult.UPLOADED


def test_one_object_that_is_refused_for_ever_among_others_that_are_not_is_given_up() -> None:
    bench = Bench(UploadPolicy(first_seconds=0, total_seconds=10**9))
    bench.artifacts.refuses = lambda each: each.endswith("-bad")

    assert bench.put("bad") is UploadResult.SPOOLED
    assert bench.tried == ["bad"] * TRIES
    assert bench.put("good") is UploadResult.UPLOADED


def test_time_in_which_nothing_fails_is_not_spent(bench: Bench) -> None:
    for _ in range(2):
        bench.artifacts.refuse_all()
        bench.time.on_sleep = bench.artifacts.recover
        assert bench.put() is UploadResult.UPLOADED
        bench.time.now += 10 * POLICY.total_seconds
    bench.artifacts.refuse_all()
    bench.time.on_sleep = lambda: None

    bench.put()

    assert sum(bench.time.slept) > POLICY.total_seconds / 2


def test_who_has_no_time_waits_for_nothing(bench: Bench) -> None:
    bench.hurried = True
    assert bench.put("fine") is UploadResult.UPLOADED
    bench.artifacts.refuse_all()
    bench.tried  # noqa: B018

    assert [bench.put(name) for name in "abc"] == [UploadResult.SPOOLED] * 3

    assert bench.tried == ["a"]  # one try tells that it is of no use
    assert bench.time.slept == []


def test_a_pause_ends_soon_after_there_is_no_time_any_more(bench: Bench) -> None:
    bench.artifacts.refuse_all()

    def hurry() -> None:
        bench.hurried = bench.time.now >= 1_004

    bench.time.on_sleep = hurry

    assert bench.put() is UploadResult.SPOOLED
    assert bench.time.now <= 1_004 + SLICE_SECONDS


def test_no_retries_at_all_can_be_asked_for() -> None:
    bench = Bench(UploadPolicy(total_seconds=0))
    bench.artifacts.refuse_all()

    assert bench.put() is UploadResult.SPOOLED
    assert (bench.tried, bench.time.slept) == (["a"], [])


def test_what_neither_the_bucket_nor_the_disk_takes_is_lost(bench: Bench) -> None:
    bench.artifacts.refuse_all()

    assert bench.uploads.put(key("a"), b"x" * 1_000_001, "video/webm") is UploadResult.LOST


class TestAgain:
    def test_what_lies_there_goes_up_when_it_can(self, bench: Bench) -> None:
        for name in "ab":
            bench.uploads.set_aside(key(name), name.encode(), "text/plain")
        other = report_key("shop", job_id(2), fence=1, path="data/1-1-a")
        bench.uploads.set_aside(other, b"", "text/plain")

        bench.uploads.upload_spooled(report_prefix("shop", job_id(1)))

        assert bench.artifacts.get(key("b"))[0] == b"b"
        assert list(bench.spool.objects) == [other]

    def test_the_first_failure_ends_it(self, bench: Bench) -> None:
        for name in "abc":
            bench.uploads.set_aside(key(name), b"", "text/plain")
        bench.artifacts.refuses = lambda each: each.endswith("-b")

        bench.uploads.upload_spooled("")

        assert bench.tried == ["a", "b"]
        assert list(bench.spool.objects) == [key("b"), key("c")]

    def test_without_time_it_is_left(self, bench: Bench) -> None:
        bench.uploads.set_aside(key("a"), b"", "text/plain")
        bench.hurried = True

        bench.uploads.upload_spooled("")

        assert bench.tried == []


class TestHolds:
    def test_tells_what_the_bucket_has(self, bench: Bench) -> None:
        bench.put("a")

        assert bench.uploads.is_stored(key("a"))
        assert not bench.uploads.is_stored(key("b"))

    def test_what_is_on_the_disk_is_not_in_the_bucket(self, bench: Bench) -> None:
        bench.put("a")
        bench.uploads.set_aside(key("a"), b"newer", "text/plain")

        assert not bench.uploads.is_stored(key("a"))

    def test_what_cannot_be_told_is_not_there(self, bench: Bench) -> None:
        bench.put("a")
        bench.artifacts.deaf = True

        assert not bench.uploads.is_stored(key("a"))
        assert bench.uploads.reason == REASON


def test_pauses_are_real_where_nothing_else_is_said() -> None:
    import random
    import time

    assert (Pace().monotonic, Pace().sleep, Pace().uniform) == (time.monotonic, time.sleep, random.uniform)
