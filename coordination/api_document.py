"""What the OpenAPI document says beyond the views: what stays as it is, names and summaries of operations, which one
leads to which, and examples as the service itself gave them.

The examples are recorded by a test that runs a campaign through the API (`tests/api/test_examples.py`), so that they
cannot say what the service does not.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).with_name("api_examples.json")

PROMISE = """\
What is under `/api/v1/` stays as it is. Within version 1 there may come: addresses, methods, optional query parameters
and optional fields of bodies, fields of answers and of events, values of enumerations and kinds of events, problem
types and members of problems, headers, formats to choose from, links. So ignore fields that you do not know, and have a
branch for values that you do not know. Cursors, secrets and identifiers are to be kept, not to be taken apart; the
order of fields, and the wording of `detail`, `title` and other text for people, mean nothing.

Within version 1 these never change: addresses, methods and the names of operations; names, types, units and meaning of
fields and parameters; defaults; which fields and parameters are required; what is accepted (limits may widen, not
narrow, unless safety demands it); the status and the `type` of a refusal; who may see and do what; how webhooks are
signed. What is null today may have a value tomorrow, but what is never null stays so.

What is to go is announced at least twelve months before: in the changelog, in this document (`deprecated: true`), and
with every answer by the headers `Deprecation` (RFC 9745: since when) and `Sunset` (RFC 8594: until when), with a `Link`
(`rel="deprecation"`) to what takes its place. It goes with the next version only; `/api/v1/` is answered for at least
twelve months beside `/api/v2/`. A hole in the walls between organisations is closed at once, whatever it breaks."""

ABOUT = f"""\
Observatories, near-Earth targets, the windows in which each telescope can observe each target, and the joint
observations that organisations plan and book with them.

All times are UTC, ISO 8601 with `Z`; units are in the names. Reading what is public needs no account, everything else a
token (`Authorization: Bearer neo_…`) with the scope that the operation names, or a person's session. Every refusal is
`application/problem+json` (RFC 9457); its types are explained under `/api/v1/problems/`.

## What stays

{PROMISE}"""

# Segments after a row's address that are collections of their own: a POST there creates.
_COLLECTIONS = {"invitations", "targets"}
_METHODS = ("get", "post", "put", "patch", "delete")
_TOKEN = "token"


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular; the last."""
    result["info"]["description"] = ABOUT
    operations = [
        (path, method, operation)
        for path, methods in result["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    for path, method, operation in operations:
        operation["operationId"] = _name(path, method, operation["operationId"])
        operation["summary"] = operation.get("summary") or _summary(path, operation)
        operation["description"] = _description(operation)
        _add_examples(operation)
    for path, _, operation in operations:
        _add_links(path, operation, operations)
    return result


def _name(path: str, method: str, name: str) -> str:
    """Without the verbs of REST framework where the address says what is done: bookings_confirm."""
    segments = _segments(path)
    if method == "post" and len(segments) > 1 and segments[-1] not in _COLLECTIONS:
        return name.removesuffix("_create")
    if method == "get" and len(segments) > 1 and not segments[-1].startswith("{") and segments[0] != "me":
        return name.removesuffix("_retrieve")
    return name


def _segments(path: str) -> list[str]:
    return path.removeprefix("/api/v1/").strip("/").split("/")


def _summary(path: str, operation: dict[str, Any]) -> str:
    segments, name = _segments(path), operation["operationId"]
    if len(segments) == 1 and name.endswith("_list"):
        return f"List {segments[0]}"
    if len(segments) == 2 and name.endswith("_retrieve") and segments[1].startswith("{"):
        singular = (
            segments[0].removesuffix("ies") + "y" if segments[0].endswith("ies") else segments[0].removesuffix("s")
        )
        return f"One {singular}"
    first = operation.get("description", "").partition("\n\n")[0].replace("\n", " ")
    for mark in (". ", "; ", ": "):
        first = first.partition(mark)[0]
    return first.rstrip(".")


def _description(operation: dict[str, Any]) -> str:
    text = operation.get("description", "").strip()
    scopes = next((each[_TOKEN] for each in operation.get("security", []) if _TOKEN in each), None)
    if scopes:
        told = f"A token needs the scope `{'`, `'.join(scopes)}`."
    else:
        told = "For people who are signed in; no token opens it."
    return f"{text}\n\n{told}"


def _add_examples(operation: dict[str, Any]) -> None:
    recorded = _recorded().get(operation["operationId"], {})
    if "body" in recorded and "requestBody" in operation:
        for content in operation["requestBody"]["content"].values():
            content["examples"] = {"recorded": {"value": recorded["body"]}}
    answers = [(status, "application/json", answer) for status, answer in recorded.get("answers", {}).items()]
    answers += [("200", media_type, table) for media_type, table in recorded.get("tables", {}).items()]
    for status, media_type, answer in answers:
        content = operation["responses"].get(status, {}).get("content", {}).get(media_type)
        if content is not None:
            content["examples"] = {"recorded": {"value": answer}}


@cache
def _recorded() -> dict[str, Any]:
    return dict(json.loads(EXAMPLES.read_text())) if EXAMPLES.exists() else {}


def _add_links(path: str, operation: dict[str, Any], operations: list[tuple[str, str, dict[str, Any]]]) -> None:
    """From what creates a row to all that can be done with it, from a list to its first row, from drafts to slots."""
    name = operation["operationId"]
    if len(_segments(path)) == 1 and name.endswith("_create"):
        at, only, detail = "", None, path
    elif len(_segments(path)) == 1 and name.endswith("_list"):
        at, only, detail = "results/0/", "get", path
    elif name in ("campaigns_propose_slots", "campaigns_rapid_response"):
        at, only, detail = "slots/0/", None, "/api/v1/slots/"
    else:
        return
    links = {}
    for other, method, target in operations:
        parameters = [segment[1:-1] for segment in _segments(other) if segment.startswith("{")]
        if len(parameters) == 1 and other.startswith(f"{detail}{{") and only in (None, method):
            expression = f"$response.body#/{at}{parameters[0]}"
            links[target["operationId"]] = {
                "operationId": target["operationId"],
                "description": target["summary"],
                "parameters": {parameters[0]: expression},
            }
    for status, response in operation["responses"].items():
        if links and (status == "201" or (name.endswith("_list") and status == "200")):
            response["links"] = links
