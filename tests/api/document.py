"""The OpenAPI document, once for all tests of a process; and the addresses of the service, from its URL table."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    return json.loads(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(request=None, public=True)))


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    definition: Any

    @property
    def example(self) -> Any:
        content = self.definition.get("requestBody", {}).get("content", {}).get("application/json", {})
        return next((each["value"] for each in content.get("examples", {}).values()), None)

    @property
    def fields(self) -> set[str]:
        """Of the body."""
        content = self.definition.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return set(document()["components"]["schemas"].get(name, {}).get("properties", {}))

    def parameters(self, place: str) -> list[str]:
        return [each["name"] for each in self.definition.get("parameters", []) if each["in"] == place]

    @property
    def is_list(self) -> bool:
        return "cursor" in self.parameters("query")


def operations() -> list[Operation]:
    return [
        Operation(definition["operationId"], method, path, definition)
        for path, methods in document()["paths"].items()
        for method, definition in methods.items()
        if method in METHODS
    ]


def addresses() -> Iterator[tuple[str, URLPattern, frozenset[str]]]:
    """Every address but those of the admin: its full name, its pattern, and the names in its path."""
    pending: list[tuple[str, Any, frozenset[str]]] = [("", each, frozenset()) for each in get_resolver().url_patterns]
    while pending:
        space, pattern, names = pending.pop()
        names |= frozenset(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern, names
        elif pattern.namespace != "admin":
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            pending += [(inner, each, names) for each in pattern.url_patterns]
