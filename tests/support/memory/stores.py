"""Keys, tickets, worker rows, logs and templates in dictionaries."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tests.support.memory.job_store import MemoryJobStore
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.domain.errors import Conflict
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.logs import LOG_FULL, MAX_LOG_LINES, LogEntry
from wainwright.domain.templates import Template
from wainwright.domain.workers import WorkerRecord
from wainwright.ports.access import ApiKey, Ticket
from wainwright.ports.log_store import LogPage, LogQuery


class MemoryAccessStore:
    """A :class:`~wainwright.ports.access.AccessStore` that forgets."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._tickets: dict[str, Ticket] = {}

    def put_key(self, key: ApiKey) -> None:
        self._keys[key.digest] = key

    def find_key(self, digest: str) -> ApiKey | None:
        return self._keys.get(digest)

    def list_keys(self, project: str) -> Sequence[ApiKey]:
        return [key for key in self._keys.values() if key.project == project]

    def put_ticket(self, ticket: Ticket) -> None:
        self._tickets[ticket.digest] = ticket

    def find_ticket(self, digest: str) -> Ticket | None:
        return self._tickets.get(digest)


class MemoryWorkerStore:
    """A :class:`~wainwright.ports.workers.WorkerStore` that forgets."""

    def __init__(self) -> None:
        self._rows: dict[str, WorkerRecord] = {}

    def put(self, worker: WorkerRecord) -> None:
        self._rows[worker.id] = worker

    def add(self, worker: WorkerRecord) -> bool:
        if worker.id in self._rows:
            return False
        self._rows[worker.id] = worker
        return True

    def list(self) -> Sequence[WorkerRecord]:
        return [*self._rows.values()]

    def remove(self, worker_id: str) -> None:
        self._rows.pop(worker_id, None)


class MemoryLogStore:
    """A :class:`~wainwright.ports.log_store.LogStore` that forgets."""

    def __init__(self, jobs: MemoryJobStore) -> None:
        self._jobs = jobs
        self._logs: dict[tuple[str, str], list[LogEntry]] = {}

    def append(
        self, project: str, job_id: str, entries: Sequence[LogEntry], *, held: Job | None = None,
        lane: LaneRecord | None = None,
    ) -> int:  # fmt: skip
        if len(entries) > 25:
            raise ValueError(f"{len(entries)} lines at once, more than 25")
        with self._jobs.lock:
            if held is not None:
                self._jobs.check_held(held, lane)
            return self._append(self._logs.setdefault((project, job_id), []), entries)

    def _append(self, log: list[LogEntry], entries: Sequence[LogEntry]) -> int:
        room = max(0, MAX_LOG_LINES - 1 - len(log))
        log += entries[:room]
        if room < len(entries) and len(log) == MAX_LOG_LINES - 1:
            at = max(entry.timestamp for entry in (*log, entries[room]))
            log.append(LOG_FULL.model_copy(update={"timestamp": at}))
        return min(room, len(entries))

    def read(self, project: str, job_id: str, query: LogQuery) -> LogPage:
        scope = query.scope(project, job_id)
        passed = read_cursor(query.cursor, scope)
        found = {
            f"{to_text(entry.timestamp)}#{number:06d}": entry
            for number, entry in enumerate(self._logs.get((project, job_id), []))
            if query.matches(entry)
        }
        beyond = [place for place in sorted(found) if passed is None or place > passed]
        shown = beyond[: query.limit]
        cursor = write_cursor(scope, shown[-1]) if len(beyond) > len(shown) else None
        return LogPage(logs=[found[place] for place in shown], cursor=cursor)


class MemoryTemplateStore:
    """A :class:`~wainwright.ports.template_store.TemplateStore` that forgets."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], list[Template]] = {}
        self._ran: dict[tuple[str, str], datetime] = {}

    def put(self, template: Template) -> None:
        versions = self._versions.get((template.project, template.id), [])
        if template.version != len(versions) + 1 or any(each.created_at != template.created_at for each in versions):
            raise Conflict(f"template {template.id} changed since it was read")
        self._versions[template.project, template.id] = [*versions, template]

    def get(self, project: str, template_id: str, version: int | None = None) -> Template | None:
        versions = self._versions.get((project, template_id), [])
        wanted = len(versions) if version is None else version
        return versions[wanted - 1] if 1 <= wanted <= len(versions) else None

    def list(self, project: str, limit: int, cursor: str | None) -> tuple[Sequence[Template], str | None]:
        scope = ["templates", project]
        passed = read_cursor(cursor, scope)
        newest = [versions[-1] for (of, _), versions in self._versions.items() if of == project]
        places = {f"{to_text(template.created_at)}#{template.id}": template for template in newest}
        beyond = [place for place in sorted(places) if passed is None or place > passed]
        shown = beyond[:limit]
        more = write_cursor(scope, shown[-1]) if len(beyond) > len(shown) else None
        return [places[place] for place in shown], more

    def delete(self, project: str, template_id: str) -> bool:
        self._ran.pop((project, template_id), None)
        return self._versions.pop((project, template_id), None) is not None

    def mark_run(self, project: str, template_id: str, at: datetime) -> None:
        self._ran[project, template_id] = max(at, self._ran.get((project, template_id), at))

    def last_run(self, project: str, template_ids: Sequence[str]) -> Mapping[str, datetime]:
        return {each: self._ran[project, each] for each in template_ids if (project, each) in self._ran}
