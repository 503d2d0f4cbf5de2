"""The browser workers: network, cluster, task definition. Dispatch launches them; they exit by themselves."""

from collections.abc import Mapping

from aws_cdk import Duration, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.logs import make_log_group
from infra.environment import Variable, select_variables
from infra.nag import acknowledge
from infra.sources import IMAGE, Sources
from infra.stages import Stage

VARIABLES = frozenset(
    {Variable.TABLE, Variable.BUCKET, Variable.WORK_QUEUE_URL, Variable.IDLE_SECONDS, Variable.MIN_WARM_WORKERS}
)

CONTAINER = "worker"
"""Name of the container, as RunTask's overrides need it."""

DROPPED_CAPABILITIES = (
    ecs.Capability.AUDIT_WRITE,
    ecs.Capability.CHOWN,
    ecs.Capability.DAC_OVERRIDE,
    ecs.Capability.FOWNER,
    ecs.Capability.FSETID,
    ecs.Capability.MKNOD,
    ecs.Capability.NET_BIND_SERVICE,
    ecs.Capability.NET_RAW,
    ecs.Capability.SETFCAP,
    ecs.Capability.SETPCAP,
    ecs.Capability.SYS_CHROOT,
)
"""The default set less KILL, SETGID and SETUID, which the agent needs to start and end test processes as another user.
One by one, because Fargate lets nothing be added back after ``ALL`` (it adds SYS_PTRACE only)."""


class Workers(Construct):
    """The network, cluster and task definition of the workers."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, sources: Sources) -> None:
        super().__init__(scope, construct_id)
        self.vpc = self._network()
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=self.vpc, description="Workers: nothing comes in.", allow_all_outbound=True
        )
        self.cluster = self._cluster(stage)
        self.task_definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=stage.worker_cpu_units,
            memory_limit_mib=stage.worker_memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        self._container = self._add_container(stage, sources)
        acknowledge(
            self.task_definition,
            "ECS2",
            "The variables name resources and limits; none is a secret, and a test reads them.",
        )
        acknowledge(
            self.task_definition.obtain_execution_role(),
            "IAM5[Resource::*]",
            "ecr:GetAuthorizationToken knows no resource.",
        )

    @property
    def subnets(self) -> str:
        """The subnets' ids, joined by commas."""
        return Fn.join(",", [subnet.subnet_id for subnet in self.vpc.public_subnets])

    def configure(self, values: Mapping[Variable, str]) -> None:
        """Give the worker the variables that it needs."""
        for name, value in select_variables(values, VARIABLES).items():
            self._container.add_environment(name, value)

    def grant_run(self, grantee: iam.IGrantable) -> None:
        """Allow starting workers, in this cluster alone."""
        grant = self.task_definition.grant_run(grantee)
        for statement in grant.principal_statements:
            statement.add_condition("ArnEquals", {"ecs:cluster": self.cluster.cluster_arn})

    def _network(self) -> ec2.Vpc:
        """Public subnets: a NAT gateway costs more than the workers, and workers have to reach the sites under test."""
        vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            # Emptying the default group takes a function of the CDK's own; nothing is ever put into that group.
            restrict_default_security_group=False,
        )
        acknowledge(
            vpc,
            "VPC7",
            "The network holds workers alone, which accept no connection; flow logs would record the sites under test "
            "at a price for each gigabyte.",
        )
        return vpc

    def _cluster(self, stage: Stage) -> ecs.Cluster:
        insights = ecs.ContainerInsights.ENABLED if stage.container_insights else ecs.ContainerInsights.DISABLED
        cluster = ecs.Cluster(self, "Cluster", vpc=self.vpc, container_insights_v2=insights)
        # FARGATE and FARGATE_SPOT. Dispatch names the one that it wants: providers do not fall back by themselves.
        cluster.enable_fargate_capacity_providers()
        if not stage.container_insights:
            acknowledge(cluster, "ECS4", "Metrics of each task cost more than the tasks of a stage for development.")
        return cluster

    def _add_container(self, stage: Stage, sources: Sources) -> ecs.ContainerDefinition:
        linux = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        linux.drop_capabilities(*DROPPED_CAPABILITIES)
        return self.task_definition.add_container(
            CONTAINER,
            container_name=CONTAINER,
            image=ecs.ContainerImage.from_asset(
                str(sources.root),
                file=IMAGE,
                platform=ecr_assets.Platform.LINUX_ARM64,
                exclude=sources.image_excludes(),
            ),
            linux_parameters=linux,
            # The most that Fargate grants: checkpoint, flush, give the message back.
            stop_timeout=Duration.seconds(120),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=CONTAINER, log_group=make_log_group(self, stage)),
        )
