"""The calls about a project as a whole, as flows of steps."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from wainwright.client.filters import Moment, query_of
from wainwright.client.steps import Flow
from wainwright.client.wire import Wire, segment
from wainwright.contracts.http.analytics import TestAnalytics
from wainwright.contracts.http.jobs import QueueAnswer
from wainwright.contracts.http.keys import CreateKey, KeyCreated, KeyList, KeyRecord
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.contracts.http.secrets import PutSecret, SecretAnswer, SecretList, SecretRecord
from wainwright.contracts.scopes import Scope
from wainwright.domain.analytics import Analytics
from wainwright.domain.capacity import Limits
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.secrets import check_secret_value


class ProjectCalls(Wire):
    """Analytics, queue, limits, keys, secrets and quarantine."""

    def analytics(
        self,
        *,
        template_id: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        job_ids: Iterable[str] | None = None,
    ) -> Flow[Analytics]:
        """Success rate, durations, errors and flaky tests: of a template and time, or of at most 100 jobs by id."""
        ids = list(job_ids) if job_ids is not None else None
        query = query_of({"template_id": template_id, "from_": from_, "to": to, "job_ids": ids})
        return self.ask(Analytics, "GET", "/analytics", query)

    def queue(self, *, long_running_minutes: int | None = None) -> Flow[QueueAnswer]:
        """Who runs, who waits, what failed lately, and what runs long (10 minutes, if not given)."""
        return self.ask(QueueAnswer, "GET", "/queue", query_of({"long_running_minutes": long_running_minutes}))

    def get_limits(self) -> Flow[Limits]:
        """Capacity and retention of the project."""
        return self.ask(Limits, "GET", "/limits")

    def put_limits(self, limits: Limits) -> Flow[Limits]:
        """Set capacity and retention of the project, all of them: what is not given gets its default."""
        return self.ask(Limits, "PUT", "/limits", body=limits)

    def list_keys(self) -> Flow[list[KeyRecord]]:
        """API keys of the project, without secrets."""
        answer = yield from self.ask(KeyList, "GET", "/keys")
        return answer.keys

    def create_key(self, name: str, scope: Scope = Scope.RUN) -> Flow[KeyCreated]:
        """Create an API key; its secret is in this answer alone."""
        return self.ask(KeyCreated, "POST", "/keys", body=CreateKey(name=name, scope=scope), again=False)

    def revoke_key(self, key_id: str) -> Flow[None]:
        """Revoke an API key; noticed everywhere within 30 s."""
        yield from self.tell("DELETE", f"/keys/{segment(key_id)}")

    def list_secrets(self) -> Flow[list[SecretRecord]]:
        """Secrets of the project: names and times, never values. Needs a key of scope admin, as all of these."""
        answer = yield from self.ask(SecretList, "GET", "/secrets")
        return answer.secrets

    def put_secret(self, name: str, value: str) -> Flow[SecretRecord]:
        """Set a secret, which jobs that start from now on have as an environment variable of this name.

        Raises:
            InvalidInput: the value cannot be a secret's; the error says nothing of it.
        """
        body = PutSecret(value=check_secret_value(value))
        answer = yield from self.ask(SecretAnswer, "PUT", f"/secrets/{segment(name)}", body=body)
        return answer.secret

    def delete_secret(self, name: str) -> Flow[None]:
        """Delete a secret."""
        yield from self.tell("DELETE", f"/secrets/{segment(name)}")

    def analyze_tests(
        self,
        *,
        flaky: bool | None = None,
        file: str | None = None,
        sort_by: Literal["flakeRate", "failureRate", "duration"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Flow[TestAnalytics]:
        """One page of the project's tests, the flakiest first, or those that fail most or take longest."""
        query = query_of({"flaky": flaky, "file": file, "sort_by": sort_by, "limit": limit, "cursor": cursor})
        return self.ask(TestAnalytics, "GET", "/analytics/tests", query)

    def list_quarantine(self) -> Flow[list[Quarantine]]:
        """Tests in quarantine, by id; those whose last day is over for a week more."""
        answer = yield from self.ask(QuarantineList, "GET", "/quarantine")
        return answer.quarantine

    def put_quarantine(self, test_id: str, *, until: date, reason: str) -> Flow[Quarantine]:
        """Put a test into quarantine until the end of a day in UTC, at most 90 ahead: it runs, and fails no job."""
        body = PutQuarantine(test_id=test_id, until=until, reason=reason)
        answer = yield from self.ask(QuarantineAnswer, "PUT", "/quarantine", body=body)
        return answer.quarantine

    def delete_quarantine(self, test_id: str) -> Flow[None]:
        """Take a test out of quarantine."""
        yield from self.tell("DELETE", "/quarantine", {"testId": test_id})
