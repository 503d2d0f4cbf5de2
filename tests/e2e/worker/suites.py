"""Helpers for running small suites through the runner that they are for."""

from __future__ import annotations

import http.server
import textwrap
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from tests.support.stop import Stop
from wainwright.worker.run.run_session import run_suite
from wainwright.worker.runners.suite import Event, StopRequest, SuiteEnd, SuiteRequest, TestEnded, TestResult

BROKEN_SITE = "http://127.0.0.1:1/"
"""Nothing listens on port 1; Chromium itself blocks it as unsafe, elsewhere the connection is refused."""
PAGES = {
    "index.html": "<!doctype html><title>A shop</title><h1>Shop</h1>",
    "console.html": """<!doctype html><title>Console</title><body><script>
        console.error("the cart is on fire");
        const finish = () => setTimeout(() => { document.body.textContent = "ready" });
        setTimeout(() => { fetch("http://127.0.0.1:1/").catch(finish); throw new Error("broken on purpose") });
    </script>""",
}
Kind = TypeVar("Kind")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of the loopback interface; the base URL without a slash at its end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def processes_of(mark: str) -> list[str]:
    """The command lines of all processes that have this text in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # ended meanwhile
    return found


def await_end_of(mark: str) -> list[str]:
    """Wait until no process has this text in its environment; the command lines of those that remain after a minute."""
    deadline = time.monotonic() + 60
    while (remaining := processes_of(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return remaining


def descendants(pid: int) -> dict[int, str]:
    """The processes below this one, with the times at which they started, which tell reused ids apart."""
    table: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                table[int(entry.name)] = (int(fields[1]), fields[19])
        except OSError:
            continue  # ended meanwhile
    found: dict[int, str] = {}
    level = {pid}
    while level:
        level = {child for child, (parent, _) in table.items() if parent in level}
        found.update({child: table[child][1] for child in level})
    return found


def outliving(processes: dict[int, str]) -> list[int]:
    """Those of `descendants` that have not ended after a minute; as soon as all have, none."""
    deadline = time.monotonic() + 60
    while (remaining := still_running(processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return remaining


def still_running(processes: dict[int, str]) -> list[int]:
    """Those of `descendants` that have not ended."""
    running = []
    for pid, started in processes.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[19] == started and fields[0] != "Z":
            running.append(pid)
    return running


class Run:
    """What a run reported."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.incomplete: list[Path] = []
        self.end: SuiteEnd

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of this type, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def results(self) -> list[TestResult]:
        """All results, in order."""
        return [event.result for event in self.of(TestEnded)]

    def result(self, title: str) -> TestResult:
        """The one result with this title."""
        [result] = [result for result in self.results if result.title == title]
        return result

    def log(self, title: str) -> str:
        """The text of a test's log."""
        [path] = [item.path for item in self.result(title).attachments if item.name == "log"]
        assert path is not None
        return path.read_text()

    def take(self, event: Event) -> None:
        """Keep an event, noting attachments that are not complete when it comes."""
        self.events.append(event)
        if isinstance(event, TestEnded):
            for item in event.result.attachments:
                if item.path is None:
                    assert item.lack, f"{item.name} is neither there nor said to be missing"
                    continue
                whole = item.path.stat().st_size == item.size_bytes > 0
                if not whole or (item.name == "trace" and not zipfile.is_zipfile(item.path)):
                    self.incomplete.append(item.path)


class SuiteFolder:
    """A bundle being written, and an output folder. `mark` is in the environment of every process of a run."""

    def __init__(self, root: Path) -> None:
        self.folder, self.output = root / "bundle", root / "output"
        self.folder.mkdir()
        self.output.mkdir()
        self.mark = f"mark-{uuid.uuid4()}"

    def write(self, name: str, content: str) -> None:
        """Add a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))

    def run(
        self,
        *,
        also: Callable[[Event], None] | None = None,
        stop: StopRequest | None = None,
        env: dict[str, str] | None = None,
        expiry_grace_seconds: float = 30,
        **options: Any,
    ) -> Run:
        """Run the suite; `also` is called with each event after it has been kept."""
        run = Run()

        def on_event(event: Event) -> None:
            run.take(event)
            if also:
                also(event)

        request = SuiteRequest(self.folder, self.output, env={"TEST_MARK": self.mark, **(env or {})}, **options)
        run.end = run_suite(request, on_event, stop or Stop(), expiry_grace_seconds=expiry_grace_seconds)
        assert [path.name for path in self.output.parent.glob("run-*")] == []
        return run


class Reached:
    """A request that comes, and what is done, when a test has written the file `reached`."""

    def __init__(self, suite: SuiteFolder, act: Callable[[], object], mode: Literal["run", "cancel"]) -> None:
        self._file = suite.folder / "reached"
        self._act = act
        self._mode: Literal["run", "cancel"] = mode

    @property
    def mode(self) -> Literal["run", "stop", "cancel"]:
        """See `StopRequest`."""
        if not self._file.exists():
            return "run"
        self._act()
        return self._mode


def site_folder(root: Path) -> Path:
    """The pages of a small site, written out."""
    for name, content in PAGES.items():
        (root / name).write_text(content)
    return root
