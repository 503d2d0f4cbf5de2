"""Declarations of the API's operations: route, scope, parameters, body and answers, each said once, at the function."""

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter, cleandoc, signature
from typing import Any, TypeVar, get_args

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel, to_snake

from functions.api.answers import JSON, SAFE, Response, answered
from functions.api.context import Api
from wainwright.contracts.http.bounds import MAX_BODY_BYTES
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import InvalidInput, TooLarge
from wainwright.domain.record import Record, input_fault

MODULES = {
    "service": re.compile(r"/v1/(health|openapi\.json)"),
    "jobs": re.compile(r"/v1/(bundles|jobs(?!/[^/]*/(logs|ticket|events|report)))"),
    "logs": re.compile(r"/v1/jobs/[^/]*/logs"),
    "reports": re.compile(r"/v1/jobs/[^/]*/(ticket|events|report)"),
    "templates": re.compile(r"/v1/templates"),
    "analytics": re.compile(r"/v1/analytics"),
    "quarantine": re.compile(r"/v1/quarantine"),
    "project": re.compile(r"/v1/(queue|limits|keys|secrets)"),
}
"""Modules beside this one that declare operations, in the order of the document, and how the paths of each start. One is
imported at the first request for it, so that a cold start waits for what its request needs.
"""

Call = TypeVar("Call", bound=Callable[..., Any])


def _as_text(_name: str, text: str) -> str:
    return text


@dataclass(frozen=True)
class Query:
    """A query parameter. ``read`` makes a value of its name and text; ``kind`` is its JSON schema type."""

    summary: str
    read: Callable[[str, str], Any] = _as_text
    kind: str = "string"


@dataclass(frozen=True)
class Header(Query):
    """A header that a call reads."""

    name: str = ""


@dataclass(frozen=True)
class Operation:
    """An operation of the API. ``path`` is below ``/v1``; braces mark path parameters, ``{path+}`` takes the rest.

    The signature of ``call`` says the rest: after the API's context and the caller come path parameters by their names,
    ``body`` with its model, and others annotated as :class:`Query` or :class:`Header`. It returns the answer's model,
    None for no content, or a response of its own, whose model is then ``answer`` and whose content type ``content``.
    ``also`` has further statuses with their descriptions. ``location`` formats the header of that name from the answer.
    One that is not ``served`` is described only: another function answers it.
    """

    id: str
    method: str
    path: str
    scope: Scope
    call: Callable[..., Any]
    status: int
    problems: tuple[int, ...]
    answer: type[Record] | None
    content: str
    location: str
    also: Mapping[int, str]
    served: bool

    @property
    def summary(self) -> str:
        """The first paragraph of the call's docstring, in one line."""
        return cleandoc(self.call.__doc__ or "").split("\n\n")[0].replace("\n", " ")

    @cached_property
    def _signature(self) -> Mapping[str, Parameter]:
        return signature(self.call).parameters

    @property
    def takes_body(self) -> bool:
        """True if a body may come with the request."""
        return "body" in self._signature

    @property
    def needs_body(self) -> bool:
        """True if the body may not be left out."""
        return self.takes_body and self._signature["body"].default is Parameter.empty

    @cached_property
    def model(self) -> type[Record] | None:
        """The model of the body; None if there is no body, or one of any keys."""
        annotation = self._signature["body"].annotation if self.takes_body else None
        for each in (annotation, *get_args(annotation)):
            if isinstance(each, type) and issubclass(each, Record):
                return each
        return None

    @cached_property
    def queries(self) -> Mapping[str, Query]:
        """Query parameters by their names on the wire."""
        return {name: source for _, name, source in self._sources if not isinstance(source, Header)}

    @property
    def headers(self) -> list[Header]:
        """Headers that the call reads."""
        return [source for *_, source in self._sources if isinstance(source, Header)]

    @cached_property
    def _sources(self) -> list[tuple[str, str, Query]]:
        """Arguments, names on the wire, and what they are made of."""
        found = []
        for argument, parameter in self._signature.items():
            for source in getattr(parameter.annotation, "__metadata__", ()):
                name = source.name if isinstance(source, Header) else to_camel(argument.rstrip("_"))
                found.append((argument, name, source))
        return found

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        def group(parameter: re.Match[str]) -> str:
            return f"(?P<{to_snake(parameter[1])}>{'.+' if parameter[2] else '[^/]+'})"

        return re.compile("/v1" + re.sub(r"{(\w+)(\+?)}", group, self.path))

    def match(self, request: APIGatewayProxyEventV2) -> dict[str, str] | None:
        """Return the path parameters of a request for this operation; None if it is for another."""
        found = (
            self._pattern.fullmatch(request.raw_path) if request.http_method == self.method and self.served else None
        )
        return None if found is None else found.groupdict()

    def serve(self, api: Api, request: APIGatewayProxyEventV2, values: Mapping[str, str]) -> Response:
        """Answer a request. ``values`` are its path parameters.

        Raises:
            Unauthenticated, Forbidden: the key is none, or may not do this.
            InvalidInput, TooLarge: as :meth:`read`. Further what the call raises.
        """
        caller = api.authenticate(request.headers.get("authorization"))
        caller.need(self.scope)
        found = self.call(api, caller, **values, **self.read(request))
        if isinstance(found, Response):
            return found
        if found is None:
            return Response(self.status, headers=SAFE)
        return answered(self.status, found, {"Location": self.location.format(found)} if self.location else {})

    def read(self, request: APIGatewayProxyEventV2) -> dict[str, Any]:
        """Return the arguments of the call that are not in the path.

        Raises:
            InvalidInput: a parameter is unknown, or it or the body is wrong.
            TooLarge: the body has more than MAX_BODY_BYTES.
        """
        if self.queries:
            self._check_names(request.query_string_parameters)
        found: dict[str, Any] = {}
        for argument, name, source in self._sources:
            text = (
                request.headers.get(name) if isinstance(source, Header) else request.query_string_parameters.get(name)
            )
            if text is not None:
                found[argument] = source.read(name, text)
        if self.takes_body:
            text = _body_text(request)
            if self.needs_body or text.strip():
                found["body"] = _read_body(self.model, text)
        return found

    def _check_names(self, given: Mapping[str, str]) -> None:
        """A misspelt filter must not select everything."""
        for name in given:
            if name not in self.queries:
                raise InvalidInput(
                    name[:100], f"there is no parameter {name[:100]}", advice=f"Known here: {', '.join(self.queries)}."
                )


def _body_text(request: APIGatewayProxyEventV2) -> str:
    try:
        text = request.decoded_body or ""
        size = len(text.encode())
    except (UnicodeError, binascii.Error) as error:
        raise InvalidInput("body", "the body is not text in UTF-8", advice="Send JSON in UTF-8.") from error
    if size > MAX_BODY_BYTES:
        raise TooLarge(
            f"the body is larger than {MAX_BODY_BYTES} bytes", advice="Upload large suites by POST /v1/bundles."
        )
    return text


def _read_body(model: type[Record] | None, text: str) -> Record | dict[str, Any]:
    try:
        return model.model_validate_json(text) if model else TypeAdapter(dict[str, Any]).validate_json(text)
    except ValidationError as error:
        raise input_fault(error) from error


@dataclass(frozen=True)
class Router:
    """The operations of one module, in the order of the document."""

    operations: list[Operation] = field(default_factory=list)

    def __call__(
        self, route: str, scope: Scope, *, id: str | None = None, status: int = 200, problems: tuple[int, ...] = (),
        answer: type[Record] | None = None, content: str = JSON, location: str = "", also: Mapping[int, str] | None = None,
        served: bool = True,
    ) -> Callable[[Call], Call]:  # fmt: skip
        """Declare a function as an operation; the id is the function's name if none is given."""
        method, path = route.split(" ")

        def declare(call: Call) -> Call:
            returned = signature(call).return_annotation
            model = returned if isinstance(returned, type) and issubclass(returned, Record) else answer
            self.operations.append(
                Operation(
                    id or to_camel(call.__name__), method, path, scope, call, status, problems, model, content, location,
                    also or {}, served,
                )
            )  # fmt: skip
            return call

        return declare
