"""A job of several lanes whose workers run it for real, each on a thread, with rows and objects in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.e2e.worker.one_worker import PROJECT, OneWorker
from wainwright.adapters.clock import system_clock
from wainwright.contracts.messages import WorkMessage
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import JobDetail, Outcome
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.worker.run.run_session import run_claim
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.sandbox.hosting import Hosting

_NO_WAIT = timedelta(0)


class LanesOfAJob(OneWorker):
    """A job of the given files, its owner, and helpers who take the messages that the owner sends."""

    def __init__(
        self, folder: Path, files: Mapping[str, str], lanes: int, *, helpers: int | None = None, **job: Any
    ) -> None:
        super().__init__(folder, files, job.pop("detail", JobDetail()), lanes=lanes, **job)
        self._helpers = lanes - 1 if helpers is None else helpers
        self._receiving = threading.Lock()
        self.errors: list[BaseException] = []

    def run(self, shutdown: ShutdownSignal | None = None, hosting: Hosting | None = None) -> Outcome | None:
        """Run the job in its lanes to its end, and return what the run came to."""
        over = threading.Event()
        if self.job.admitted_at is None:
            self.write(self.job.admit(system_clock()))
            run = self.job.run
            self.worker.queue.send(WorkMessage(project=PROJECT, job_id=self.id, run=run, task_token=f"token-{run}"))
        work = self._receive()
        assert work is not None
        claim = self.worker.claims.claim(work, "owner")
        assert claim is not None
        helpers = [threading.Thread(target=self._help, args=(number, over)) for number in range(self._helpers)]
        for helper in helpers:
            helper.start()
        try:
            run_claim(
                self.worker, claim, self._folder / f"fence-{claim.job.fence}", shutdown or ShutdownSignal(), hosting
            )
        finally:
            over.set()
            for helper in helpers:
                helper.join()
        for error in self.errors:
            raise error
        return self.job.outcome

    def _receive(self) -> ReceivedWork | None:
        with self._receiving:
            return self.worker.queue.receive(_NO_WAIT)

    def _help(self, number: int, over: threading.Event) -> None:
        name = f"helper-{number}"
        keep = KeepWorker(name, self.worker.keep.workers, self.jobs, self.worker.queue, system_clock)
        worker = replace(self.worker, keep=keep)
        while not over.wait(0.05):
            work = self._receive()
            if work is None or work.message.lane is None:
                continue
            claim = worker.claims.claim(work, name)
            if claim is not None:
                folder = self._folder / f"{name}-{claim.name}"
                try:
                    run_claim(worker, claim, folder, ShutdownSignal())
                except FenceLost:
                    continue  # its owner ended the run first
                except BaseException as error:  # noqa: BLE001 - the test looks at them
                    self.errors.append(error)
