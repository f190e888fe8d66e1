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
        "nearest": {
            "type": "array",
            "description": "designations like the one that is not known",
            "items": {"type": "string"},
        },
    },
}
_REFUSALS = {
    "400": "A parameter cannot be accepted; `errors` names it.",
    "404": "There is nothing here that the caller can see.",
    "406": "None of the formats asked for is offered.",
}
_SIGNED_IN = {"403": "Sign in first; or, for a change, the CSRF token is missing."}
_WITH_BODY = {"415": "The format of the request's body is not read here."}


def _refusals(operation: dict[str, Any]) -> dict[str, str]:
    """What may be answered instead; {} among the ways to sign in says that one need not."""
    signed_in = {} if {} in operation.get("security", [{}]) else _SIGNED_IN
    return _REFUSALS | signed_in | (_WITH_BODY if "requestBody" in operation else {})


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in _refusals(operation).items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result
