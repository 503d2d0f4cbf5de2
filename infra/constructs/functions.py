"""All functions: what each is for, what it gets to know, what it may do."""

from collections.abc import Mapping

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.function import FunctionCode, FunctionSpec, make_function
from infra.environment import Variable, chosen
from infra.sources import Sources
from infra.stages import Stage

API = FunctionSpec(
    name="api",
    description="HTTP API and reports: one request, one use case.",
    variables=frozenset(
        {
            Variable.TABLE,
            Variable.BUCKET,
            Variable.JOBS_QUEUE_URL,
            Variable.WORK_QUEUE_URL,
            Variable.REPORTS_URL,
            Variable.RUNNING_CAPACITY,
            Variable.QUEUED_CAPACITY,
            Variable.TEST_EXECUTION_TIMEOUT_MS,
            # What a job costs follows from the size of its workers.
            Variable.WORKER_CPU_UNITS,
            Variable.WORKER_MEMORY_MIB,
        }
    ),
    # A long poll answers after 20 s, and an HTTP API gives up after 30.
    timeout_seconds=29,
    # CPU comes with memory: the first call of a fresh instance is mostly imports, and a user waits for it.
    memory_mib=512,
)
DISPATCH_JOBS = FunctionSpec(
    name="dispatch_jobs",
    description="Admits waiting jobs within capacity, starts their executions, launches workers.",
    variables=frozenset(
        {
            Variable.TABLE,
            Variable.JOBS_QUEUE_URL,
            Variable.WORK_QUEUE_URL,
            Variable.STATE_MACHINE_ARN,
            Variable.CLUSTER,
            Variable.TASK_DEFINITION,
            Variable.SUBNETS,
            Variable.SECURITY_GROUP,
            Variable.MAX_CONCURRENT_TESTS,
            Variable.MIN_WARM_WORKERS,
            Variable.RUNNING_CAPACITY,
            Variable.QUEUED_CAPACITY,
        }
    ),
)
FINISH_JOB = FunctionSpec(
    name="finish_job",
    description="Ends a run: final state or retry, freed capacity, a wake-up.",
    variables=frozenset(
        {
            Variable.TABLE,
            Variable.JOBS_QUEUE_URL,
            Variable.WORK_QUEUE_URL,
            Variable.RUNNING_CAPACITY,
            Variable.QUEUED_CAPACITY,
        }
    ),
)
PUBLISH_EVENTS = FunctionSpec(
    name="publish_events",
    description="Turns changes of job rows into events on the bus.",
    variables=frozenset({Variable.EVENT_BUS}),
)
SWEEP = FunctionSpec(
    name="sweep",
    description="Every minute: what is overdue, and whatever fell between two steps, goes on.",
    variables=frozenset(
        {
            Variable.TABLE,
            Variable.JOBS_QUEUE_URL,
            Variable.WORK_QUEUE_URL,
            Variable.STATE_MACHINE_ARN,
            Variable.RUNNING_CAPACITY,
            Variable.QUEUED_CAPACITY,
        }
    ),
    # No longer than the time until the next one.
    timeout_seconds=55,
)
CLEAN_UP = FunctionSpec(
    name="clean_up",
    description="Every twelve hours: deletes what has outlived its project's retention, in small batches.",
    variables=frozenset({Variable.TABLE, Variable.BUCKET, Variable.RUNNING_CAPACITY, Variable.QUEUED_CAPACITY}),
    # As long as a function may run: what is left is for the next time.
    timeout_seconds=900,
)
DRAIN_DEAD_LETTERS = FunctionSpec(
    name="drain_dead_letters",
    description="The net below the queues: ends runs whose work could not be delivered, tells of the rest.",
    # A message has all that it needs: the token of the run.
    variables=frozenset(),
)


def stream_events_spec(stage: Stage) -> FunctionSpec:
    """Server-sent events hold an instance for up to 20 s each: a function of its own, so that they starve no one."""
    return FunctionSpec(
        name="stream_events",
        description="Server-sent events of a job, in short segments.",
        variables=frozenset({Variable.TABLE}),
        timeout_seconds=29,
        reserved_concurrency=stage.event_streams,
    )


class Functions(Construct):
    """The functions. They get their environment when everything that it names is there."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, sources: Sources) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._code = FunctionCode(self, "Code", sources)
        self._made: list[tuple[FunctionSpec, lambda_.Function]] = []
        self.api = self._make(API)
        self.stream_events = self._make(stream_events_spec(stage))
        self.dispatch_jobs = self._make(DISPATCH_JOBS)
        self.finish_job = self._make(FINISH_JOB)
        self.publish_events = self._make(PUBLISH_EVENTS)
        self.sweep = self._make(SWEEP)
        self.clean_up = self._make(CLEAN_UP)
        self.drain_dead_letters = self._make(DRAIN_DEAD_LETTERS)

    def configure(self, values: Mapping[Variable, str]) -> None:
        """Give each function the variables that it needs."""
        for spec, function in self._made:
            for name, value in chosen(values, spec.variables).items():
                function.add_environment(name, value)

    def _make(self, spec: FunctionSpec) -> lambda_.Function:
        function = make_function(self, self._stage, self._code, spec)
        self._made.append((spec, function))
        return function
