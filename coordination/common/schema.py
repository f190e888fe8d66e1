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


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in _REFUSALS.items():
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result
