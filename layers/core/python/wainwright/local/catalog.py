"""CloudFormation types and properties that the local system acts on, and those that it leaves alone, with the reason.

Whatever is in neither list is an error at start, so that nothing in the infrastructure is silently dropped.
"""

from collections.abc import Mapping

_IAM = "no account, so no permissions: the endpoint checks this run's signature instead"
_NETWORK = "workers are processes on this machine and use its network"
_LOGS = "logs are files in the data directory"
_ENCRYPTION = "the data directory is as protected as the user's other files"

INERT_TYPES: Mapping[str, str] = {
    "AWS::ApiGatewayV2::Stage": "one stage, $default, deployed at start",
    "AWS::CloudWatch::Alarm": "nobody is on call for one machine",
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::Route": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::VPCEndpoint": _NETWORK,
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::ECS::Cluster": "workers are processes on this machine",
    "AWS::ECS::ClusterCapacityProviderAssociations": "there is no Spot capacity here, and no other",
    "AWS::IAM::Policy": _IAM,
    "AWS::IAM::Role": _IAM,
    "AWS::Lambda::LayerVersion": "the package and its dependencies are those of this Python",
    "AWS::Lambda::Permission": _IAM,
    "AWS::Logs::LogGroup": _LOGS,
    "AWS::S3::BucketPolicy": _IAM,
    "AWS::SQS::QueuePolicy": _IAM,
}
"""Resources that have names and attributes for others to refer to, and nothing to run."""


def _supported(used: str, **inert: str) -> frozenset[str]:
    """The properties of a type that are acted on, and those that are left alone for a reason."""
    return frozenset(used.split()) | inert.keys()


_TAGS = "tags sort a bill"
_DESCRIPTION = "for people"

SUPPORTED: Mapping[str, frozenset[str]] = {
    "AWS::ApiGatewayV2::Api": _supported("ProtocolType", Name=_DESCRIPTION, Description=_DESCRIPTION, Tags=_TAGS),
    "AWS::ApiGatewayV2::Integration": _supported("ApiId IntegrationType IntegrationUri PayloadFormatVersion"),
    "AWS::ApiGatewayV2::Route": _supported("ApiId RouteKey Target AuthorizationType"),
    "AWS::DynamoDB::Table": _supported(
        "TableName KeySchema AttributeDefinitions GlobalSecondaryIndexes BillingMode StreamSpecification "
        "TimeToLiveSpecification",
        DeletionProtectionEnabled="the data directory is the user's to delete",
        PointInTimeRecoverySpecification="the journal keeps the newest state alone",
        SSESpecification=_ENCRYPTION,
        Tags=_TAGS,
    ),
    "AWS::ECS::TaskDefinition": _supported(
        "Family ContainerDefinitions",
        Cpu="a process gets what the machine has",
        Memory="a process gets what the machine has",
        ExecutionRoleArn=_IAM,
        TaskRoleArn=_IAM,
        NetworkMode=_NETWORK,
        RequiresCompatibilities="workers are processes on this machine",
        RuntimePlatform="this machine's own",
        Tags=_TAGS,
    ),
    "AWS::Events::EventBus": _supported("Name", Description=_DESCRIPTION, Tags=_TAGS),
    "AWS::Events::Rule": _supported(
        "Name EventBusName EventPattern ScheduleExpression State Targets", Description=_DESCRIPTION, Tags=_TAGS
    ),
    "AWS::Lambda::EventSourceMapping": _supported(
        "EventSourceArn FunctionName BatchSize FunctionResponseTypes ScalingConfig FilterCriteria "
        "BisectBatchOnFunctionError MaximumRetryAttempts DestinationConfig StartingPosition Enabled",
        Tags=_TAGS,
    ),
    "AWS::Lambda::Function": _supported(
        "FunctionName Handler Timeout MemorySize Environment ReservedConcurrentExecutions Runtime",
        Architectures="this machine's own",
        Code="handlers are imported from the repository",
        Description=_DESCRIPTION,
        Layers="the package and its dependencies are those of this Python",
        LoggingConfig=_LOGS,
        Role=_IAM,
        Tags=_TAGS,
    ),
    "AWS::S3::Bucket": _supported(
        "BucketName CorsConfiguration LifecycleConfiguration",
        BucketEncryption=_ENCRYPTION,
        OwnershipControls=_IAM,
        PublicAccessBlockConfiguration="nothing is public: the endpoint wants this run's signature",
        Tags=_TAGS,
    ),
    "AWS::SQS::Queue": _supported(
        "QueueName VisibilityTimeout MessageRetentionPeriod DelaySeconds ReceiveMessageWaitTimeSeconds RedrivePolicy "
        "MaximumMessageSize",
        SqsManagedSseEnabled=_ENCRYPTION,
        Tags=_TAGS,
    ),
    "AWS::Scheduler::ScheduleGroup": _supported("Name", Tags=_TAGS),
    "AWS::StepFunctions::StateMachine": _supported(
        "StateMachineName StateMachineType DefinitionString DefinitionSubstitutions",
        LoggingConfiguration=_LOGS,
        RoleArn=_IAM,
        Tags=_TAGS,
        TracingConfiguration="traces are not collected on one machine",
    ),
}
"""Properties of the resources that run here."""

RESOURCE_KEYS = frozenset({"Type", "Properties", "Metadata", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy"})
"""Keys of a resource, none of which but its properties changes how it runs."""
