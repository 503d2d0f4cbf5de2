"""EventBridge's deliveries: what a rule matches goes to functions, queues and buses, as moto alone does not do.

Also the events that AWS itself puts on the default bus and that the product listens for: executions that ended, and
tasks that stopped.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventsBackend, Rule, events_backends

from wainwright.local.errors import LocalError
from wainwright.local.functions import Functions
from wainwright.local.patches import Patches
from wainwright.local.sqs import SafeSQS
from wainwright.local.template import ACCOUNT_ID, REGION
from wainwright.local.timers import Timers

logger = logging.getLogger(__name__)

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


class EventRouter:
    """Delivers events of moto's buses to their targets."""

    def __init__(self, functions: Functions, sqs: SafeSQS, timers: Timers) -> None:
        self._functions = functions
        self._sqs = sqs
        self._timers = timers
        self._backend: EventsBackend = events_backends[ACCOUNT_ID][REGION]

    def install(self, patches: Patches) -> None:
        """Put this in moto's place until the patches are undone."""
        patches.wrap(Rule, "send_to_targets", self._send_to_targets)

    def start_schedules(self) -> None:
        """Begin to fire the rules that have a schedule."""
        for rule in self._backend.event_buses["default"].rules.values():
            if rule.scheduled_expression and rule.state == "ENABLED":
                self._timers.every(rate_seconds(rule.scheduled_expression), lambda rule=rule: self.fire(rule.name))  # type: ignore[misc]

    def fire(self, rule_name: str) -> None:
        """Fire a scheduled rule now."""
        rule = self._backend.event_buses["default"].rules[rule_name]
        event = self._event("Scheduled Event", "aws.events", {}, [rule.arn])
        self._deliver_all(rule, event)

    def publish(self, detail_type: str, source: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Put an event of AWS's own on the default bus."""
        event = self._event(detail_type, source, detail, resources)
        for rule in list(self._backend.event_buses["default"].rules.values()):
            if not rule.scheduled_expression and rule.state == "ENABLED" and rule.event_pattern.matches_event(event):  # type: ignore[arg-type]
                self._deliver_all(rule, event)

    def _event(self, detail_type: str, source: str, detail: dict[str, Any], resources: list[str]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT_ID,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": REGION,
            "resources": resources,
            "detail": detail,
        }

    def _send_to_targets(
        self, _original: Callable[..., None], rule: Rule, original_event: Any, transform_input: bool = True
    ) -> None:
        if rule.scheduled_expression or rule.state != "ENABLED" or not rule.event_pattern.matches_event(original_event):
            return
        event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
        if not isinstance(event["time"], str):
            event["time"] = f"{datetime.fromtimestamp(float(event['time']), UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._deliver_all(rule, event)

    def _deliver_all(self, rule: Rule, event: dict[str, Any]) -> None:
        for target in rule.targets:
            try:
                self._deliver(target, event)
            except Exception:
                logger.exception("the rule %s could not deliver to %s", rule.name, target["Arn"])

    def _deliver(self, target: dict[str, Any], event: dict[str, Any]) -> None:
        payload = json.loads(target["Input"]) if "Input" in target else event
        service, resource = target["Arn"].split(":", 5)[2::3]
        if service == "lambda":
            self._functions.invoke_async(target["Arn"], payload)
        elif service == "sqs":
            self._sqs.send(resource, json.dumps(payload))
        elif service == "events" and resource.startswith("event-bus/"):
            entry = {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
            }
            self._backend.put_events([entry | {"EventBusName": resource.removeprefix("event-bus/")}])
        else:
            raise LocalError(f"events to {target['Arn']} are not delivered by the local system")


def rate_seconds(expression: str) -> float:
    """The period of a `rate(...)` expression in seconds. Raises LocalError if it is another kind of expression."""
    match = _RATE.fullmatch(expression.strip())
    if match is None:
        raise LocalError(f"the schedule {expression!r} is not supported by the local system: use rate(...)")
    return float(int(match[1]) * _UNITS[match[2].removesuffix("s")])
