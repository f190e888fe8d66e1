"""What the OpenAPI document says beyond the views: every operation may be refused, and how a refusal looks."""

from typing import Any

from .problems import CONTENT_TYPE

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "stable name of the kind of problem"},
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
        "needed_scope": {"type": "string", "description": "the scope that the token lacks"},
        "scopes": {"type": "array", "description": "the scopes that it has", "items": {"type": "string"}},
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
}
_OF_WRITES = {"409": "It conflicts with what is there: `conflict` gives the interval, `state` what came before."}
_OF_BODIES = {"415": "The format of the body is not read here."}


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
    return result


def _refusals(method: str, operation: dict[str, Any]) -> dict[str, str]:
    writes = method != "get"
    return _REFUSALS | (_OF_WRITES if writes else {}) | (_OF_BODIES if "requestBody" in operation else {})
