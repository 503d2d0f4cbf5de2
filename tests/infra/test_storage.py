"""The table, the bucket and the queues."""

import pytest

from tests.infra.synthesized import Resource, Synthesized, as_list, rendered, target
from wainwright.contracts import names


def denies_plain_http(policy: Resource) -> bool:
    """Return True if everyone is denied everything without TLS."""
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == {"AWS": "*"}
        and statement["Action"].endswith(":*")
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy["PolicyDocument"]["Statement"]
    )


def test_table_can_be_restored_streams_both_images_and_forgets(each: Synthesized) -> None:
    table = each.one("AWS::DynamoDB::Table")

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": names.TTL_ATTRIBUTE, "Enabled": True}


def test_table_has_the_keys_and_indexes_that_the_package_names(each: Synthesized) -> None:
    table = each.one("AWS::DynamoDB::Table")

    assert table["KeySchema"] == [
        {"AttributeName": names.PARTITION_KEY, "KeyType": "HASH"},
        {"AttributeName": names.SORT_KEY, "KeyType": "RANGE"},
    ]
    assert {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in table["GlobalSecondaryIndexes"]
    } == {name: keys for name, (keys, _) in names.INDEXES.items()}


def test_jobs_are_listed_by_each_of_the_designs_indexes() -> None:
    assert set(names.INDEXES) == {"due", "byProject", "byStatus", "byTemplate", "byBatch", "byStart", "byEnd"}


def test_indexes_copy_what_filters_look_at_and_not_the_rows(dev: Synthesized) -> None:
    projections = {
        index["IndexName"]: index["Projection"] for index in dev.one("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    }

    assert projections.pop(names.DUE_INDEX) == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": [names.ENTITY_ATTRIBUTE],
    }
    assert list(projections.values()) == 6 * [
        {"ProjectionType": "INCLUDE", "NonKeyAttributes": [names.FACETS_ATTRIBUTE]}
    ]


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup"])
def test_data_outlives_the_stack_in_production_alone(dev: Synthesized, prod: Synthesized, kind: str) -> None:
    for template, policy in ((dev, "Delete"), (prod, "Retain")):
        found = [resource for resource in template.resources.values() if resource["Type"] == kind]
        assert found
        assert {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in found} == {(policy, policy)}


def test_tables_of_production_cannot_be_deleted_by_mistake(dev: Synthesized, prod: Synthesized) -> None:
    assert dev.one("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is False
    assert prod.one("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is True


def test_bucket_is_private_and_encrypted(each: Synthesized) -> None:
    bucket = each.one("AWS::S3::Bucket")

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert rendered(bucket["BucketEncryption"]).count("AES256") == 1


def test_bucket_policy_denies_and_never_allows(each: Synthesized) -> None:
    policy = each.one("AWS::S3::BucketPolicy")

    assert denies_plain_http(policy)
    assert {statement["Effect"] for statement in policy["PolicyDocument"]["Statement"]} == {"Deny"}


def test_bucket_is_read_by_pages_of_the_reports_origin_alone(each: Synthesized) -> None:
    (rule,) = each.one("AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    (origin,) = rule["AllowedOrigins"]

    assert rendered(origin).startswith("<ReportsApiHttpApi")
    assert rendered(origin).endswith(".ApiEndpoint>")
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    assert "Content-Range" in rule["ExposedHeaders"]


def test_bucket_forgets_uploads_reports_and_abandoned_parts(each: Synthesized) -> None:
    rules = each.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]

    expected: dict[str | None, int | None] = {
        names.UPLOADS: 7,
        names.ENVIRONMENTS: 14,
        **{names.report_class(days): days for days in (7, 30, 90, 365)},  # one for each class
        None: None,
    }
    assert {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules} == expected
    assert [rule["AbortIncompleteMultipartUpload"] for rule in rules if "Prefix" not in rule] == [
        {"DaysAfterInitiation": 1}
    ]


def test_queues_are_encrypted_and_want_tls(each: Synthesized) -> None:
    queues = each.of_type("AWS::SQS::Queue")
    guarded = {
        target(queue)
        for policy in each.of_type("AWS::SQS::QueuePolicy").values()
        if denies_plain_http(policy)
        for queue in policy["Queues"]
    }

    assert len(queues) == 6
    assert guarded == set(queues)
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_queues_have_dead_letter_queues_that_keep_for_two_weeks(each: Synthesized) -> None:
    queues = each.of_type("AWS::SQS::Queue")
    redriven = {name: queue["RedrivePolicy"] for name, queue in queues.items() if "RedrivePolicy" in queue}

    assert {name.rstrip("0123456789ABCDEF"): found["maxReceiveCount"] for name, found in redriven.items()} == {
        "QueuesJobs": 5,
        "QueuesWork": 10,
    }
    last = [queue for name, queue in queues.items() if name not in redriven]
    assert all(queue["MessageRetentionPeriod"] == 14 * 86_400 for queue in last)
    assert all(target(found["deadLetterTargetArn"]) in queues for found in redriven.values())


def test_work_of_a_dead_worker_is_handed_on_after_half_a_minute(each: Synthesized) -> None:
    environment = each.environments()["worker"]
    work = each.of_type("AWS::SQS::Queue")[target(environment["WAINWRIGHT_WORK_QUEUE_URL"])]

    assert work["VisibilityTimeout"] == 30


def test_dead_letters_and_a_failing_sweep_raise_alarms(each: Synthesized) -> None:
    alarms = each.of_type("AWS::CloudWatch::Alarm").values()
    watched = {target(entry["Value"]) for alarm in alarms for entry in as_list(alarm["Dimensions"])}
    last = {name for name, queue in each.of_type("AWS::SQS::Queue").items() if "RedrivePolicy" not in queue}
    functions = {
        name
        for name, found in each.of_type("AWS::Lambda::Function").items()
        if found["Handler"].split(".")[1] in {"sweep", "drain_dead_letters"}
    }

    assert watched == last | functions
    assert {alarm["TreatMissingData"] for alarm in alarms} == {"notBreaching"}
