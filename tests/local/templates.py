"""A small template that has one of everything, and a repository of functions to go with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GET_ATT = "Fn::GetAtt"

DEFINITION = {
    "StartAt": "Execute",
    "States": {
        "Execute": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl": "${WorkQueueUrl}",
                "MessageBody": {"job.$": "$.job", "taskToken.$": "$$.Task.Token"},
            },
            "TimeoutSecondsPath": "$.timeoutSeconds",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Finish"}],
            "ResultPath": "$.ended",
            "Next": "Finish",
        },
        "Finish": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${FinishFunction}", "Payload.$": "$"},
            "ResultSelector": {"answer.$": "$.Payload"},
            "Catch": [{"ErrorEquals": ["Refused"], "ResultPath": "$.caught", "Next": "Refused"}],
            "End": True,
        },
        "Refused": {"Type": "Pass", "End": True},
    },
}


def function(name: str, *, timeout: int = 5, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": f"functions.{name}.handler.handler",
            "Runtime": "python3.13",
            "Timeout": timeout,
            "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "x.zip"},
            "Role": {GET_ATT: ["Role", "Arn"]},
            "Environment": {"Variables": {"SHOP_TABLE": {"Ref": "Table"}, "SHOP_BUCKET": {"Ref": "Bucket"}}},
            **more,
        },
    }


def template() -> dict[str, Any]:
    """A fresh copy, for a test to change."""
    resources: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
        "Echo": function("echo"),
        "Finish": function("finish"),
        "Consume": function("consume"),
        "Events": function("events"),
        "Sweep": function("sweep"),
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "group")
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-group",
                        "KeySchema": [
                            {"AttributeName": "group", "KeyType": "HASH"},
                            {"AttributeName": "sk", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            },
        },
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Jobs": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 1,
                "RedrivePolicy": {"deadLetterTargetArn": {GET_ATT: ["DeadLetters", "Arn"]}, "maxReceiveCount": 2},
            },
        },
        "Work": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "CorsConfiguration": {
                    "CorsRules": [
                        {"AllowedMethods": ["GET"], "AllowedOrigins": [{GET_ATT: ["Reports", "ApiEndpoint"]}]}
                    ]
                },
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "old", "Prefix": "old/", "Status": "Enabled", "ExpirationInDays": 1}]
                },
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": json.dumps(DEFINITION),
                "DefinitionSubstitutions": {
                    "WorkQueueUrl": {"Ref": "Work"},
                    "FinishFunction": {GET_ATT: ["Finish", "Arn"]},
                },
                "RoleArn": {GET_ATT: ["Role", "Arn"]},
            },
        },
        "JobsMapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {GET_ATT: ["Jobs", "Arn"]},
                "FunctionName": {"Ref": "Consume"},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "StreamMapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {GET_ATT: ["Table", "StreamArn"]},
                "FunctionName": {"Ref": "Events"},
                "BatchSize": 10,
                "StartingPosition": "TRIM_HORIZON",
                "BisectBatchOnFunctionError": True,
                "MaximumRetryAttempts": 1,
                "FilterCriteria": {
                    "Filters": [{"Pattern": json.dumps({"dynamodb": {"NewImage": {"entity": {"S": ["job"]}}}})}]
                },
                "DestinationConfig": {"OnFailure": {"Destination": {GET_ATT: ["DeadLetters", "Arn"]}}},
            },
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop"}},
        "BusRule": rule({"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]}}, "Echo"),
        "EveryMinute": rule({"ScheduleExpression": "rate(1 minute)"}, "Sweep"),
        "ExecutionEnded": rule(
            {
                "EventPattern": {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": "Machine"}]},
                }
            },
            "Echo",
        ),
        "WorkerStopped": rule(
            {
                "EventPattern": {
                    "source": ["aws.ecs"],
                    "detail-type": ["ECS Task State Change"],
                    "detail": {"lastStatus": ["STOPPED"], "clusterArn": [{GET_ATT: ["Cluster", "Arn"]}]},
                }
            },
            "Echo",
        ),
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "worker",
                "ContainerDefinitions": [
                    {
                        "Name": "worker",
                        "Image": "worker",
                        "StopTimeout": 2,
                        "Environment": [{"Name": "SHOP_TABLE", "Value": {"Ref": "Table"}}],
                    }
                ],
            },
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "shop"}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "api", "ProtocolType": "HTTP"}},
        "Reports": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "reports", "ProtocolType": "HTTP"}},
        "Integration": integration("Api"),
        "ReportsIntegration": integration("Reports"),
        "RouteExact": route("Api", "GET /v1/jobs/special"),
        "RouteId": route("Api", "GET /v1/jobs/{jobId}"),
        "RouteProxy": route("Api", "ANY /v1/{proxy+}"),
        "RouteReports": route("Reports", "$default", "ReportsIntegration"),
    }
    return {"Resources": resources, "Parameters": {"BootstrapVersion": {"Type": "String", "Default": "/x"}}}


def rule(properties: dict[str, Any], target: str) -> dict[str, Any]:
    targets = [{"Id": "Target0", "Arn": {GET_ATT: [target, "Arn"]}}]
    return {"Type": "AWS::Events::Rule", "Properties": {"State": "ENABLED", "Targets": targets, **properties}}


def integration(api: str) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {GET_ATT: ["Echo", "Arn"]},
            "PayloadFormatVersion": "2.0",
        },
    }


def route(api: str, key: str, target: str = "Integration") -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": api},
            "RouteKey": key,
            "AuthorizationType": "NONE",
            "Target": {"Fn::Join": ["", ["integrations/", {"Ref": target}]]},
        },
    }


HANDLERS = {
    # Answers a request with the event it got; remembers every other event.
    "echo": """
SEEN = []

def handler(event, context):
    if "rawPath" not in event:
        SEEN.append(event)
        return {"name": context.function_name, "left": context.get_remaining_time_in_millis()}
    import json
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
""",
    "finish": """
class Refused(Exception):
    pass

def handler(event, context):
    if event["job"] == "refuse":
        raise Refused("no")
    return {"job": event["job"], "ended": event.get("ended"), "error": event.get("error", {}).get("Error")}
""",
    # Fails the messages that say so.
    "consume": """
SEEN = []

def handler(event, context):
    SEEN.append([record["body"] for record in event["Records"]])
    failures = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failures]}
""",
    "events": """
SEEN = []

def handler(event, context):
    images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    if any("poison" in image for image in images):
        raise ValueError("poison")
    SEEN.extend(image["sk"]["S"] for image in images)
""",
    "sweep": """
SEEN = []

def handler(event, context):
    SEEN.append(event)
""",
}


def write_functions(root: Path) -> Path:
    """Write the handlers below `root`; returns it."""
    for name, source in HANDLERS.items():
        folder = root / "functions" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(source)
    (root / "functions" / "__init__.py").touch()
    return root
