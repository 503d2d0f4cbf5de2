"""An HTTP API in front of functions."""

import json

import jsii
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigateway import AccessLogFormat
from constructs import Construct

from infra.constructs.logs import make_log_group
from infra.nag import acknowledge
from infra.stages import Stage

ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}
"""The route, never the path: a path may hold a ticket."""


@jsii.implements(apigw.IAccessLogSettings)
class _AccessLog:
    """One line of JSON for each request."""

    def __init__(self, log_group: logs.ILogGroup) -> None:
        self._destination = apigw.LogGroupLogDestination(log_group)
        self._format = AccessLogFormat.custom(json.dumps(ACCESS_LOG_FIELDS))

    @property
    def destination(self) -> apigw.LogGroupLogDestination:
        return self._destination

    @property
    def format(self) -> AccessLogFormat:
        return self._format


class HttpApi(Construct):
    """Routes of one origin. No CORS: no page of another origin has any business here."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, *, description: str) -> None:
        super().__init__(scope, construct_id)
        self._integrations: dict[str, integrations.HttpLambdaIntegration] = {}
        self._api = apigw.HttpApi(
            self,
            "HttpApi",
            api_name=f"wainwright-{stage.name}-{construct_id.lower()}",
            description=description,
            create_default_stage=False,
        )
        apigw.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigw.ThrottleSettings(rate_limit=stage.api_requests_per_second, burst_limit=stage.api_burst),
            access_log_settings=_AccessLog(make_log_group(self, stage)),
        )

    @property
    def url(self) -> str:
        """The origin: scheme and host, without a slash at the end."""
        return self._api.api_endpoint

    def add_route(self, key: str, function: lambda_.Function) -> None:
        """Send what matches ``key`` (``GET /path/{name}``, or ``$default``) to a function."""
        route = apigw.HttpRoute(
            self,
            _route_id(key),
            http_api=self._api,
            route_key=_route_key(key),
            integration=self._integration(function),
        )
        acknowledge(
            route,
            "APIG4",
            "The function authenticates: an authorizer cannot answer with problem documents, and caches revoked keys.",
        )

    def _integration(self, function: lambda_.Function) -> integrations.HttpLambdaIntegration:
        path = function.node.path
        if path not in self._integrations:
            self._integrations[path] = integrations.HttpLambdaIntegration(
                f"{function.node.scope.node.id}Integration",  # type: ignore[union-attr]  # a function is never the root
                function,
                scope_permission_to_route=False,
            )
        return self._integrations[path]


def _route_key(key: str) -> apigw.HttpRouteKey:
    if key == "$default":
        return apigw.HttpRouteKey.DEFAULT
    method, path = key.split(" ")
    return apigw.HttpRouteKey.with_(path, apigw.HttpMethod[method])


def _route_id(key: str) -> str:
    if key == "$default":
        return "AnyOther"
    return "".join(character if character.isalnum() else " " for character in key).title().replace(" ", "")
