"""Announcing bundles, publishing changes, giving up work."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START, a_job, completed, failed
from tests.support.memory.services import MemoryEventBus
from tests.support.system import System
from wainwright.contracts.events import StatusChanged
from wainwright.contracts.names import bundle_key
from wainwright.domain.failures import FailureCategory
from wainwright.domain.retry import RetryPolicy
from wainwright.usecases.give_up_work import GiveUpWork
from wainwright.usecases.keep_bundles import FRESH, UPLOAD_LASTS, KeepBundles
from wainwright.usecases.publish_changes import PublishChanges

DIGEST = "ab" * 32


class TestAnnounceBundle:
    @pytest.fixture
    def bundles(self, system: System) -> KeepBundles:
        return KeepBundles(system.artifacts, system.clock)

    def test_says_how_to_upload_a_new_one(self, bundles: KeepBundles) -> None:
        upload = bundles.announce(PROJECT, sha256=DIGEST, size=5)

        assert upload is not None
        put, expires_at = upload
        assert bundle_key(PROJECT, DIGEST) in put.url
        assert put.headers["content-length"] == "5"
        assert expires_at == START + UPLOAD_LASTS

    def test_asks_for_no_upload_of_what_is_there(self, system: System, bundles: KeepBundles) -> None:
        system.artifacts.put(bundle_key(PROJECT, DIGEST), b"12345", "application/gzip")

        assert bundles.announce(PROJECT, sha256=DIGEST, size=5) is None

    def test_asks_again_for_what_will_expire_soon(self, system: System, bundles: KeepBundles) -> None:
        system.artifacts.put(bundle_key(PROJECT, DIGEST), b"12345", "application/gzip")
        system.clock.advance(FRESH)

        assert bundles.announce(PROJECT, sha256=DIGEST, size=5) is not None

    def test_asks_again_for_what_is_of_another_size(self, system: System, bundles: KeepBundles) -> None:
        system.artifacts.put(bundle_key(PROJECT, DIGEST), b"1", "application/gzip")

        assert bundles.announce(PROJECT, sha256=DIGEST, size=5) is not None

    def test_does_not_look_into_other_projects(self, system: System, bundles: KeepBundles) -> None:
        system.artifacts.put(bundle_key("other", DIGEST), b"12345", "application/gzip")

        assert bundles.announce(PROJECT, sha256=DIGEST, size=5) is not None


class TestPublishChanges:
    def test_publishes_changes_of_status_and_nothing_else(self) -> None:
        bus = MemoryEventBus()
        new = a_job(label="l")
        admitted = new.admit(START)
        claimed = admitted.claim("w", START + timedelta(seconds=1))
        ended = claimed.renew(START, 5).finish(failed(), START + timedelta(seconds=2))

        count = PublishChanges(bus)([(None, new), (new, admitted), (admitted, claimed), (claimed, ended)])

        assert count == 3
        assert [(change.previous, change.status, change.status_sequence) for change in bus.published] == [
            (None, "pending", 1),
            ("pending", "running", 2),
            ("running", "failed", 3),
        ]
        assert bus.published[-1] == StatusChanged(
            project=PROJECT, job_id=new.id, status="failed", previous="running", status_sequence=3, label="l", attempt=1,
            failure_category=FailureCategory.ASSERTION, at=START + timedelta(seconds=2),
        )  # fmt: skip

    def test_publishes_a_retry_that_ends_in_the_state_it_came_from(self) -> None:
        bus = MemoryEventBus()
        job = a_job(retry=RetryPolicy(max_attempts=2))
        again = job.admit(START).claim("w", START).finish(failed(), START)

        assert PublishChanges(bus)([(job, again)]) == 1

    def test_says_nothing_where_nothing_changed(self) -> None:
        bus = MemoryEventBus()

        assert PublishChanges(bus)([(a_job(), a_job().touch(START))]) == 0
        assert bus.published == []


class TestGiveUpWork:
    def test_fails_the_run_for_finish_to_end(self, system: System) -> None:
        job = system.admitted()
        work = system.queue.receive(timedelta(0))
        assert work is not None

        GiveUpWork(system.workflows)(work.message)

        error, cause = system.workflows.ended[f"{job.id}-1"]
        assert error == "WorkUndeliverable"
        assert cause

    def test_leaves_alone_a_run_that_has_ended(self, system: System) -> None:
        claim = system.claimed()
        system.claims.end(claim, completed())
        end = dict(system.workflows.ended)

        GiveUpWork(system.workflows)(claim.work.message)

        assert system.workflows.ended == end
