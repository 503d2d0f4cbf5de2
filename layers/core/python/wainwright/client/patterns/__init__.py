"""Ways to run several jobs, for both clients: each takes a ``Client``, or an ``AsyncClient`` and is awaited.

::

    chain = JobChain(client).add(login).add(checkout)
    outcomes = chain.execute("https://shop.example")        # await chain.execute(…) with an AsyncClient
"""

from wainwright.client.patterns.analysis import analyze
from wainwright.client.patterns.chain import JobChain
from wainwright.client.patterns.dashboard import Dashboard, Summary
from wainwright.client.patterns.parallel import ParallelOutcome, run_parallel
from wainwright.client.patterns.queue import JobQueue, QueueStats
from wainwright.client.patterns.retrying import run_with_retry
from wainwright.client.patterns.work import Invoke, Work

__all__ = [
    "Dashboard",
    "Invoke",
    "JobChain",
    "JobQueue",
    "ParallelOutcome",
    "QueueStats",
    "Summary",
    "Work",
    "analyze",
    "run_parallel",
    "run_with_retry",
]
