"""What of CloudFormation the local system acts on, and what it may leave alone, each with the reason.

Whatever is in neither list is an error at start, so that nothing in the infrastructure is silently dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_IAM = "no account, so no permissions: the endpoint checks this run's signature instead"
_NETWORK = "workers are processes on this machine and use its network"
_LOGS = "logs are files in the data directory"
_ENCRYPTION = "the data directory is as protected as the user's other files"

INERT_TYPES: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Stage": "one stage, $default, deployed at start",
    "AWS::CDK::Metadata": "only tells AWS which constructs are in use",
    "AWS::CloudWatch::Alarm": "nobody is on call for one machine",
    "AWS::CloudWatch::CompositeAlarm": "nobody is on call for one machine",
    "AWS::CloudWatch::Dashboard": "there are no metrics to draw",
    "AWS::EC2::FlowLog": _NETWORK,
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::Route": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::VPCEndpoint": _NETWORK,
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::ECS::Cluster": "workers are processes on this machine",
    "AWS::ECS::ClusterCapacityProviderAssociations": "there is no Spot capacity here, and no other",
    "AWS::IAM::ManagedPolicy": _IAM,
    "AWS::IAM::Policy": _IAM,
    "AWS::IAM::Role": _IAM,
    "AWS::Lambda::LayerVersion": "the package and its dependencies are those of this Python",
    "AWS::Lambda::Permission": _IAM,
    "AWS::Logs::LogGroup": _LOGS,
    "AWS::Logs::ResourcePolicy": _IAM,
    "AWS::S3::BucketPolicy": _IAM,
    "AWS::SQS::QueuePolicy": _IAM,
    "Custom::LogRetention": _LOGS,
    "Custom::S3AutoDeleteObjects": "acts when a stack is deleted",
    "Custom::VpcRestrictDefaultSG": _NETWORK,
}
"""Resources that have names and attributes for others to refer to, and nothing to run."""


@dataclass(frozen=True, slots=True)
class Supported:
    """Properties of a type that are acted on, and those that are left alone for a reason."""

    used: frozenset[str]
    inert: Mapping[str, str] = field(default_factory=dict)


def _supported(used: str, **inert: str) -> Supported:
    return Supported(frozenset(used.split()), inert)


_TAGS = "tags sort a bill"
_DESCRIPTION = "for people"

SUPPORTED: Mapping[str, Supported] = {
    "AWS::ApiGatewayV2::Api": _supported(
        "ProtocolType CorsConfiguration", Name=_DESCRIPTION, Description=_DESCRIPTION, Tags=_TAGS
    ),
    "AWS::ApiGatewayV2::Integration": _supported(
        "ApiId IntegrationType IntegrationUri PayloadFormatVersion TimeoutInMillis", Description=_DESCRIPTION
    ),
    "AWS::ApiGatewayV2::Route": _supported("ApiId RouteKey Target AuthorizationType"),
    "AWS::DynamoDB::Table": _supported(
        "TableName KeySchema AttributeDefinitions GlobalSecondaryIndexes LocalSecondaryIndexes BillingMode "
        "StreamSpecification TimeToLiveSpecification",
        ContributorInsightsSpecification="there are no metrics to look at",
        DeletionProtectionEnabled="the data directory is the user's to delete",
        PointInTimeRecoverySpecification="the journal keeps the newest state alone",
        SSESpecification=_ENCRYPTION,
        OnDemandThroughput="one machine has its own bounds",
        Tags=_TAGS,
    ),
    "AWS::ECS::TaskDefinition": _supported(
        "Family ContainerDefinitions",
        Cpu="a process gets what the machine has",
        Memory="a process gets what the machine has",
        EphemeralStorage="a process gets what the machine has",
        ExecutionRoleArn=_IAM,
        TaskRoleArn=_IAM,
        NetworkMode=_NETWORK,
        RequiresCompatibilities="workers are processes on this machine",
        RuntimePlatform="this machine's own",
        Volumes="a process uses the machine's temporary folder",
        Tags=_TAGS,
    ),
    "AWS::Events::EventBus": _supported("Name", Description=_DESCRIPTION, Tags=_TAGS),
    "AWS::Events::Rule": _supported(
        "Name EventBusName EventPattern ScheduleExpression State Targets", Description=_DESCRIPTION, Tags=_TAGS
    ),
    "AWS::Lambda::EventInvokeConfig": _supported(
        "FunctionName Qualifier MaximumRetryAttempts DestinationConfig",
        MaximumEventAgeInSeconds="tries end after three minutes here",
    ),
    "AWS::Lambda::EventSourceMapping": _supported(
        "EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds FunctionResponseTypes ScalingConfig "
        "FilterCriteria BisectBatchOnFunctionError MaximumRetryAttempts MaximumRecordAgeInSeconds DestinationConfig "
        "StartingPosition Enabled",
        ParallelizationFactor="one reader keeps the order of all records, not only of each key's",
        Tags=_TAGS,
    ),
    "AWS::Lambda::Function": _supported(
        "FunctionName Handler Timeout MemorySize Environment ReservedConcurrentExecutions Runtime",
        Architectures="this machine's own",
        Code="handlers are imported from the repository",
        Description=_DESCRIPTION,
        EphemeralStorage="a handler uses the machine's temporary folder",
        Layers="the package and its dependencies are those of this Python",
        LoggingConfig=_LOGS,
        Role=_IAM,
        Tags=_TAGS,
        TracingConfig="traces are not collected on one machine",
    ),
    "AWS::S3::Bucket": _supported(
        "BucketName CorsConfiguration LifecycleConfiguration",
        BucketEncryption=_ENCRYPTION,
        LoggingConfiguration=_LOGS,
        OwnershipControls=_IAM,
        PublicAccessBlockConfiguration="nothing is public: the endpoint wants this run's signature",
        VersioningConfiguration="the journal keeps the newest state alone",
        Tags=_TAGS,
    ),
    "AWS::SQS::Queue": _supported(
        "QueueName VisibilityTimeout MessageRetentionPeriod DelaySeconds ReceiveMessageWaitTimeSeconds RedrivePolicy "
        "MaximumMessageSize",
        RedriveAllowPolicy=_IAM,
        KmsMasterKeyId=_ENCRYPTION,
        SqsManagedSseEnabled=_ENCRYPTION,
        Tags=_TAGS,
    ),
    "AWS::Scheduler::ScheduleGroup": _supported("Name", Tags=_TAGS),
    "AWS::StepFunctions::StateMachine": _supported(
        "StateMachineName StateMachineType DefinitionString DefinitionSubstitutions",
        EncryptionConfiguration=_ENCRYPTION,
        LoggingConfiguration=_LOGS,
        RoleArn=_IAM,
        Tags=_TAGS,
        TracingConfiguration="traces are not collected on one machine",
    ),
}
"""Resources that run here."""

RESOURCE_KEYS = frozenset(
    {"Type", "Properties", "Metadata", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"}
)
"""What a resource may have beside its properties; none of it changes how it runs."""
