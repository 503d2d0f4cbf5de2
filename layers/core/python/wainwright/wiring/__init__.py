"""Puts use cases together with AWS adapters, for each entry point.

What an entry point needs is imported when it is first asked for: a function has the adapters and the use cases of its own work
to import at its cold start, and no others.
"""

from typing import TYPE_CHECKING

from wainwright.on_demand import on_demand

if TYPE_CHECKING:
    from wainwright.wiring.administration import manage_keys, manage_keys_of_stage, manage_secrets
    from wainwright.wiring.dead_letters import give_up_work
    from wainwright.wiring.dispatching import Dispatch, dispatch_jobs
    from wainwright.wiring.http import Api, api, costs
    from wainwright.wiring.publishing import publish_changes
    from wainwright.wiring.retention import clean_up
    from wainwright.wiring.runs import finish_job
    from wainwright.wiring.streaming import EventStream, event_stream
    from wainwright.wiring.sweeping import sweep_jobs
    from wainwright.wiring.workers import Worker, worker
else:
    __getattr__ = on_demand(
        __name__,
        {
            "administration": (
                "manage_keys",
                "manage_keys_of_stage",
                "manage_secrets",
            ),
            "dead_letters": ("give_up_work",),
            "dispatching": (
                "Dispatch",
                "dispatch_jobs",
            ),
            "http": (
                "Api",
                "api",
                "costs",
            ),
            "publishing": ("publish_changes",),
            "retention": ("clean_up",),
            "runs": ("finish_job",),
            "streaming": (
                "EventStream",
                "event_stream",
            ),
            "sweeping": ("sweep_jobs",),
            "workers": (
                "Worker",
                "worker",
            ),
        },
    )

__all__ = [
    "Api",
    "Dispatch",
    "EventStream",
    "Worker",
    "api",
    "clean_up",
    "costs",
    "dispatch_jobs",
    "event_stream",
    "finish_job",
    "give_up_work",
    "manage_keys",
    "manage_keys_of_stage",
    "manage_secrets",
    "publish_changes",
    "sweep_jobs",
    "worker",
]
