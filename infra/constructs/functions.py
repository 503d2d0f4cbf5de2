"""All functions: what each is for and what it gets to know; and the pattern that they share."""

from collections.abc import Mapping, Set

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.logs import make_log_group
from infra.deployed_files import CORE, DEPS, FUNCTIONS
from infra.environment import CAPACITY, JOBS, Variable, select_variables
from infra.nag import acknowledge
from infra.sources import Sources
from infra.stages import Stage

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
TIMEOUT_SECONDS = 30
"""Of a function that needs no other; dispatch and the draining of dead letters are among them."""
HTTP_TIMEOUT_SECONDS = 29
"""A long poll answers after 20 s, and an HTTP API gives up after 30."""


class Functions(Construct):
    """The functions: one asset of handlers, and the layers below it.

    They get their environment when everything that it names is there.
    """

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, sources: Sources) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._handlers = sources.code(".", FUNCTIONS)
        code = Construct(self, "Code")
        self._layers = [
            _layer(code, "Core", sources.code("layers/core", CORE), "The package wainwright."),
            # Empty until it is built, which is enough to synthesize and to run locally.
            _layer(code, "Deps", sources.code("layers/deps", DEPS), "Third-party packages."),
        ]
        self._made: list[tuple[lambda_.Function, Set[Variable]]] = []
        self.api = self._make(
            "api",
            "HTTP API and reports: one request, one use case.",
            JOBS
            | {Variable.BUCKET, Variable.REPORTS_URL, Variable.TEST_EXECUTION_TIMEOUT_MS}
            # What a job costs follows from the size of its workers.
            | {Variable.WORKER_CPU_UNITS, Variable.WORKER_MEMORY_MIB},
            timeout_seconds=HTTP_TIMEOUT_SECONDS,
            # CPU comes with memory: the first call of a fresh instance is mostly imports, and a user waits for it.
            memory_mib=512,
        )
        # Server-sent events hold an instance for up to 20 s each: a function of its own, so that they starve no one.
        self.stream_events = self._make(
            "stream_events",
            "Server-sent events of a job, in short segments.",
            {Variable.TABLE},
            timeout_seconds=HTTP_TIMEOUT_SECONDS,
            reserved_concurrency=stage.event_streams,
        )
        self.dispatch_jobs = self._make(
            "dispatch_jobs",
            "Admits waiting jobs within capacity, starts their executions, launches workers.",
            JOBS
            | {Variable.STATE_MACHINE_ARN, Variable.CLUSTER, Variable.TASK_DEFINITION, Variable.SUBNETS}
            | {Variable.SECURITY_GROUP, Variable.MAX_CONCURRENT_TESTS, Variable.MIN_WARM_WORKERS},
        )
        self.finish_job = self._make("finish_job", "Ends a run: final state or retry, freed capacity, a wake-up.", JOBS)
        self.publish_events = self._make(
            "publish_events", "Turns changes of job rows into events on the bus.", {Variable.EVENT_BUS}
        )
        self.sweep = self._make(
            "sweep",
            "Every minute: what is overdue, and whatever fell between two steps, goes on.",
            JOBS | {Variable.STATE_MACHINE_ARN},
            # No longer than the time until the next one.
            timeout_seconds=55,
        )
        self.clean_up = self._make(
            "clean_up",
            "Every twelve hours: deletes what has outlived its project's retention, in small batches.",
            CAPACITY | {Variable.TABLE, Variable.BUCKET},
            # As long as a function may run: what is left is for the next time.
            timeout_seconds=900,
        )
        # A message has all that it needs: the token of the run.
        self.drain_dead_letters = self._make(
            "drain_dead_letters",
            "The net below the queues: ends runs whose work could not be delivered, tells of the rest.",
            frozenset(),
        )

    def configure(self, values: Mapping[Variable, str]) -> None:
        """Give each function the variables that it needs."""
        for function, variables in self._made:
            for name, value in select_variables(values, variables).items():
                function.add_environment(name, value)

    def _make(
        self,
        name: str,
        description: str,
        variables: Set[Variable],
        *,
        timeout_seconds: int = TIMEOUT_SECONDS,
        memory_mib: int = 256,
        reserved_concurrency: int | None = None,
    ) -> lambda_.Function:
        """The function of a folder below ``functions``, with a role that may write its own log and nothing more."""
        box = Construct(self, name.title().replace("_", ""))
        log_group = make_log_group(box, self._stage)
        role = iam.Role(box, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        function = lambda_.Function(
            box,
            "Handler",
            description=description,
            code=self._handlers,
            handler=f"functions.{name}.handler.handler",
            layers=self._layers,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            memory_size=memory_mib,
            timeout=Duration.seconds(timeout_seconds),
            reserved_concurrent_executions=reserved_concurrency,
            role=role,
            log_group=log_group,
            # A job is followed by its id through logs, row and events; traces would cost more than the calls they show.
            tracing=lambda_.Tracing.DISABLED,
        )
        acknowledge(
            function,
            "L1",
            "Functions, the worker's image, pins and tests are of one Python; a newer one is a change to all of them.",
        )
        self._made.append((function, variables))
        return function


def _layer(scope: Construct, name: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
    return lambda_.LayerVersion(
        scope,
        name,
        code=code,
        description=description,
        compatible_architectures=[ARCHITECTURE],
        compatible_runtimes=[RUNTIME],
    )
