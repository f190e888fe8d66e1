"""What the OpenAPI document says beyond the views: every operation may be refused, and how a refusal looks."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from .idempotency import HEADER
from .problem_types import TYPES
from .problems import CONTENT_TYPE
from .safe_requests import SafeRequests
from .sparse import sparse_parameters

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "description": "stable name of the kind of problem, as /api/v1/problems/ explains them; more may come",
            "enum": [kind.uri for kind in TYPES.values()],
        },
        "title": {"type": "string", "description": "the kind of problem, for people"},
        "status": {"type": "integer", "description": "the HTTP status"},
        "detail": {"type": "string", "description": "what is wrong here"},
        "errors": {
            "type": "array",
            "description": "the fields at fault",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "detail": {"type": "string"},
                    "value": {"description": "what was given"},
                    "expected": {"type": "string", "description": "what would be accepted"},
                },
            },
        },
        "code": {"type": "string", "description": "stable reason why seats are not claimed, as `why_not` of a seat"},
        "state": {"type": "string", "description": "of what is in the way: expired, cancelled, closed …"},
        "conflict": {
            "type": "object",
            "description": "what occupies the telescope; holder and reason only for those whose it is",
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string", "enum": ["booking", "closure"]},
                "telescope": {"type": "integer"},
                "starts_at": {"type": "string", "format": "date-time"},
                "ends_at": {"type": "string", "format": "date-time"},
                "booking": {"type": "integer"},
                "holder": {"type": "string", "description": "short name of the organisation"},
                "reason": {"type": "string", "description": "of a closure"},
            },
        },
        "etag": {"type": "string", "description": "the entity tag that it has now"},
        "needed_scope": {"type": "string", "description": "the scope that the token lacks"},
        "scopes": {"type": "array", "description": "the scopes that it has", "items": {"type": "string"}},
        "line": {"type": "integer", "description": "of the body, where the reading stopped; from 1"},
        "column": {"type": "integer", "description": "in that line; from 1"},
        "accepted": {"type": "array", "description": "media types read or offered here", "items": {"type": "string"}},
        "limit_bytes": {"type": "integer", "description": "the most that a body may have"},
        "nearest": {
            "type": "array",
            "description": "designations like the one that is not known",
            "items": {"type": "string"},
        },
    },
}
_REFUSALS = {
    "400": "A parameter or field cannot be accepted; `errors` names it.",
    "401": "The token is unknown, expired or revoked; or nobody is signed in where somebody has to be.",
    "403": "The token lacks a scope, `needed_scope`; the caller may not do this; or the CSRF token is missing.",
    "404": "There is nothing here that the caller can see.",
    "406": "None of the formats asked for is offered.",
    "429": "Too many requests: `Retry-After` says for how many seconds to wait.",
    "503": "The database does not answer just now: `Retry-After` says for how many seconds to wait.",
}
_OF_WRITES = {"409": "It conflicts with what is there: `conflict` gives the interval, `state` what came before."}
_OF_HEADERS = {
    "If-Match": {"412": "It is no longer what the caller has seen: `etag` says what it is."},
    HEADER: {"422": "The key was used before for another address or body."},
}
_NOT_MODIFIED = {"304": {"description": "The caller has it: as `If-None-Match` says."}}
_OF_BODIES = {
    "411": "The body came in chunks: its length has to be given.",
    "413": "The body is larger than `limit_bytes`.",
    "415": "The format of the body is not read here.",
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular."""
    schemas = result["components"].setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False  # bodies are read strictly
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status, description in _refusals(method, operation).items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
            if "If-None-Match" in _headers(operation):
                operation["responses"] |= _NOT_MODIFIED
    return result


def _headers(operation: dict[str, Any]) -> list[str]:
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == "header"]


def _refusals(method: str, operation: dict[str, Any]) -> dict[str, str]:
    writes = method != "get"
    of_headers = {status: told for name in _headers(operation) for status, told in _OF_HEADERS.get(name, {}).items()}
    return _REFUSALS | of_headers | (_OF_WRITES if writes else {}) | (_OF_BODIES if "requestBody" in operation else {})


class SafeSchema(AutoSchema):
    """Operations with the headers by which they are safe to repeat and to make (`safe_requests`)."""

    def get_override_parameters(self) -> list[Any]:
        view = self.view
        if not isinstance(view, SafeRequests):
            return []
        if self.method == "GET":
            told = "Entity tags that the caller has: 304 if one still holds."
            return [_header("If-None-Match", told), *sparse_parameters(view)]
        parameters = []
        if self.method == "POST":
            told = "Chosen by the caller, such as a UUID: a request repeated under it is carried out once."
            parameters.append(_header(HEADER, told, pattern="^[\\x21-\\x7e]{1,255}$"))
        if view.answers_if_match():
            parameters.append(_header("If-Match", "Entity tag that was seen: 412 if it no longer holds."))
        if getattr(view, "action", None) in getattr(view, "rehearsed", ()):
            told = "true: say what would come of it, and why not, and change nothing."
            parameters.append(OpenApiParameter("dry_run", OpenApiTypes.BOOL, description=told))
        return parameters


def _header(name: str, description: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string"} | schema, OpenApiParameter.HEADER, description=description)
