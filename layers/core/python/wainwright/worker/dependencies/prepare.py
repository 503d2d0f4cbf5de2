"""From an unpacked bundle to the environment that its suite runs in."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from wainwright.ports.artifacts import Artifacts
from wainwright.settings import DependencySettings
from wainwright.worker.dependencies.cache import EnvironmentCache
from wainwright.worker.dependencies.handover import make_view, take_over
from wainwright.worker.dependencies.installer import Bounds, Installer, asked_to_end, index_variables
from wainwright.worker.dependencies.node_packages import node_requirements
from wainwright.worker.dependencies.python_packages import python_requirements
from wainwright.worker.dependencies.requirements import NotPrepared, Requirements
from wainwright.worker.dependencies.shared_environments import SharedEnvironments
from wainwright.worker.runners.detect_runner import detect_runner
from wainwright.worker.runners.node import NodeMissing
from wainwright.worker.runners.suite import Event, JobLog, StopRequest, SuiteEnd, SuiteError, SuiteRequest
from wainwright.worker.sandbox.environment import private_folders

FORM = "1"
"""Of an environment's folder; another number makes all of them anew."""


@dataclass(frozen=True)
class Provision:
    """Source and cache of environments, on one worker and for one project."""

    project: str
    artifacts: Artifacts
    settings: DependencySettings
    bounds: Bounds = field(default_factory=Bounds)


@contextmanager
def prepare_request(
    provision: Provision, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest
) -> Iterator[SuiteRequest]:
    """Yield the request with the environment that its bundle asks for, and with what is left of its time.
    Raises NotPrepared if the environment cannot be had; its `end` is how the suite ended."""
    began = time.monotonic()
    try:
        with prepare_dependencies(provision, request, on_event, stop) as dependencies:
            if dependencies is not None and request.timeout_ms is not None:
                spent = int((time.monotonic() - began) * 1_000)
                request = replace(request, timeout_ms=max(request.timeout_ms - spent, 1))
            yield replace(request, dependencies=dependencies)
    except NodeMissing as error:
        raise NotPrepared(SuiteEnd("runner_missing", errors=(SuiteError(str(error)),))) from error


@contextmanager
def prepare_dependencies(
    provision: Provision, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest
) -> Iterator[Path | None]:
    """Yield the environment that a bundle asks for, or None where the worker has all of it. It stays until the block ends.
    It holds `python/` (for the import path), `node_modules/`, or both. Raises NotPrepared."""
    required = requirements_of(request.folder)
    if not required:
        yield None
        return
    if request.spares is not None:
        request.spares.make_way()

    def log(line: str) -> None:
        on_event(JobLog("INFO", line))

    def check_end() -> None:
        if end := asked_to_end(stop, until):
            raise end

    until = None if request.timeout_ms is None else time.monotonic() + request.timeout_ms / 1_000
    check_end()
    digests = [FORM, *(each.digest(request.folder) for each in required)]
    digest = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    settings = provision.settings
    shared = None
    root = request.output.parent.parent / "environments"  # beside the folders of jobs: as lasting as the worker
    if settings.cache_dir is not None:
        root = Path(settings.cache_dir)
    else:
        shared = SharedEnvironments(provision.artifacts, provision.project, provision.bounds)
    isolation = request.isolation
    with private_folders(request.output, isolation) as place:

        def make(folder: Path) -> None:
            target = place.root / "made"
            target.mkdir()
            isolation.lend(target)
            if shared is not None and shared.fetch(digest, target, place.root, isolation, check_end):
                log("dependencies from another worker's install")
                take_over(target, folder, isolation)
                return
            variables = index_variables(os.environ, settings.further_variables)
            installer = Installer(
                request.folder, target, place, stop, log, until, provision.bounds, variables, isolation
            )
            _install(required, installer, folder)
            if shared is not None:
                shared.keep(digest, folder, place.root)

        cache = EnvironmentCache(root, settings.cache_bytes, settings.cache_days)
        files = " and ".join(each.file for each in required)
        cached = f"dependencies of {files} from the cache"
        with cache.use(
            provision.project, digest, make, waiting=check_end, found=lambda: log(cached)
        ) as environment:  # fmt: skip
            yield make_view(environment, place.root / "environment", isolation)


def _install(required: list[Requirements], installer: Installer, folder: Path) -> None:
    for each in reversed(required):  # Node's first: npm fills a folder that nobody else has written to yet
        each.install(installer)
    take_over(installer.target, folder, installer.isolation)


def requirements_of(bundle: Path) -> list[Requirements]:
    """Return what a bundle asks for, Python's first.

    It follows from the suite's runner: a pytest suite in a web project does not need that project's packages, while a
    Playwright Test suite may well start a server that is written in Python.
    """
    node = node_requirements(bundle) if detect_runner(bundle) == "playwright-test" else None
    return [each for each in (python_requirements(bundle), node) if each is not None]
