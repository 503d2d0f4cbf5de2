"""The pattern of every function: its role, its log group, its code."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.logs import make_log_group
from infra.environment import Variable
from infra.nag import acknowledge
from infra.sources import Sources
from infra.stages import Stage

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """What makes one function different from the next."""

    name: str
    """Folder below ``functions``; its handler is ``functions.<name>.handler.handler``."""
    description: str
    variables: frozenset[Variable]
    timeout_seconds: int = 30
    memory_mib: int = 256
    reserved_concurrency: int | None = None

    @property
    def construct_id(self) -> str:
        """The name in the construct tree: ``dispatch_jobs`` is ``DispatchJobs``."""
        return self.name.title().replace("_", "")


class FunctionCode(Construct):
    """What all functions share: one asset of handlers, and the layers below it."""

    def __init__(self, scope: Construct, construct_id: str, sources: Sources) -> None:
        super().__init__(scope, construct_id)
        self.handlers = sources.functions()
        self.layers = [
            self._layer("Core", sources.core_layer(), "The package wainwright."),
            self._layer("Deps", sources.deps_layer(), "Third-party packages."),
        ]

    def _layer(self, name: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            description=description,
            compatible_architectures=[ARCHITECTURE],
            compatible_runtimes=[RUNTIME],
        )


def make_function(scope: Construct, stage: Stage, code: FunctionCode, spec: FunctionSpec) -> lambda_.Function:
    """A function below ``scope``, with a role that may write its own log and nothing more."""
    box = Construct(scope, spec.construct_id)
    log_group = make_log_group(box, stage)
    role = iam.Role(box, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    function = lambda_.Function(
        box,
        "Handler",
        description=spec.description,
        code=code.handlers,
        handler=f"functions.{spec.name}.handler.handler",
        layers=code.layers,
        runtime=RUNTIME,
        architecture=ARCHITECTURE,
        memory_size=spec.memory_mib,
        timeout=Duration.seconds(spec.timeout_seconds),
        reserved_concurrent_executions=spec.reserved_concurrency,
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
    return function
