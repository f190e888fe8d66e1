"""The kinds of refusals of the API: one table, from which the pages, OpenAPI document and docs/problems.md are made.

A type is a URN and no address: the same at every installation, so that a partner's software compares one string
wherever it speaks to, and still valid when a host is renamed. Where it is explained says the `Link` header
(`rel="help"`) of each refusal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

TYPE_PREFIX = "urn:neo-coordination:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    name: str
    statuses: tuple[int, ...]
    title: str
    meaning: str
    remedy: str
    retry: str  # whether the same request may be sent again
    members: Sequence[str] = ()  # what it may hold beside type, title, status and detail

    @property
    def uri(self) -> str:
        return TYPE_PREFIX + self.name


_NEVER = "Not unchanged: it would be refused again."

TYPES: dict[str, ProblemType] = {
    kind.name: kind
    for kind in (
        ProblemType(
            "invalid-input",
            (400,),
            "The request has fields that cannot be accepted",
            "A query parameter or a field of the body is unknown, missing, of the wrong type, or says what cannot be.",
            "Read `errors`: each names a field (inside others with dots), what is wrong and, where it helps, what "
            "would be accepted.",
            _NEVER,
            ("errors", "nearest", "code"),
        ),
        ProblemType(
            "unreadable",
            (400,),
            "The request could not be read",
            "The body is not JSON as RFC 8259 has it, in UTF-8: a syntax error, NaN or Infinity, a name given twice in "
            "an object, half a surrogate pair, too many digits, nested too deeply. Or the request itself is malformed, "
            "such as a Host header that is none of this service.",
            "Look at `line` and `column`, counted from 1, where the reading stopped.",
            _NEVER,
            ("line", "column"),
        ),
        ProblemType(
            "not-signed-in",
            (401,),
            "Sign in first",
            "Nobody is signed in where somebody has to be; or the token is unknown, expired or revoked. `detail` says "
            "which.",
            "Send `Authorization: Bearer neo_…` with a token that is valid; a manager of your organisation makes one.",
            "With a valid token.",
        ),
        ProblemType(
            "forbidden",
            (403,),
            "You may not do this",
            "You may see it, but not do this: your role or organisation does not allow it, the token lacks a scope, no "
            "token opens it at all, or a browser's request came without its CSRF token.",
            "`needed_scope` names the scope that is missing, `scopes` those that the token has.",
            _NEVER,
            ("needed_scope", "scopes", "errors", "code"),
        ),
        ProblemType(
            "not-found",
            (404,),
            "There is nothing here that you can see",
            "It does not exist, or you may not know of it: both look the same, on purpose.",
            "Check the address, its slash at the end included, and that you are signed in. For a designation, "
            "`nearest` names those that are like it.",
            _NEVER,
            ("errors", "nearest"),
        ),
        ProblemType(
            "method-not-allowed",
            (405,),
            "This address does not answer that method",
            "The address is there, but does something else.",
            "`Allow` lists the methods that it answers.",
            _NEVER,
        ),
        ProblemType(
            "not-acceptable",
            (406,),
            "None of the formats asked for is offered",
            "`Accept`, or the parameter `format`, asks for formats of which this address offers none.",
            "Ask for one of `accepted`, or for anything: `Accept: */*`. `detail` says how `format` calls them; where "
            "it is given, `Accept` does not matter.",
            _NEVER,
            ("accepted",),
        ),
        ProblemType(
            "conflict",
            (409,),
            "The request conflicts with what is there",
            "The telescope is booked or closed in that time, or the state of things does not allow it (any more); or "
            "somebody else has made the same at the same moment.",
            "`conflict` gives the interval that is in the way, `state` the state, `code` the reason. Look again at "
            "what is there, then choose anew.",
            "Only after something has changed.",
            ("conflict", "state", "code", "errors"),
        ),
        ProblemType(
            "request-in-progress",
            (409,),
            "The same request is still running",
            "A request with this `Idempotency-Key` was sent before and is not answered yet.",
            "Wait as many seconds as `Retry-After` says and send the same again, with the same key.",
            "After `Retry-After`: you get the answer of the first.",
            ("errors",),
        ),
        ProblemType(
            "idempotency-key-reused",
            (422,),
            "The key belongs to another request",
            "This `Idempotency-Key` was used in the last 24 hours for another address, query or body.",
            "Choose a new key for each thing that you want done.",
            "With another key.",
            ("errors",),
        ),
        ProblemType(
            "precondition-failed",
            (412,),
            "It is no longer what you have seen",
            "`If-Match` names a version that it no longer is: somebody has changed it, or what is shown of it.",
            "Read it again, decide anew, and send the tag that it has now: `etag`, also in the header `ETag`.",
            "With the present tag, once you have looked.",
            ("etag", "errors"),
        ),
        ProblemType(
            "length-required",
            (411,),
            "The length of the body has to be given",
            "The body came in chunks, without `Content-Length`.",
            "Send the body in one piece with its length.",
            "With `Content-Length`.",
        ),
        ProblemType(
            "too-large",
            (413,),
            "The body is too large",
            "The body has more bytes than are read here.",
            "`limit_bytes` says how many are. Split what you have to say.",
            _NEVER,
            ("limit_bytes",),
        ),
        ProblemType(
            "unsupported-media-type",
            (415,),
            "This format is not read here",
            "The body is not announced as what is read here, or not announced at all.",
            "Send one of `accepted` and say so in `Content-Type`. JSON is read as UTF-8.",
            "With the right `Content-Type`.",
            ("accepted",),
        ),
        ProblemType(
            "throttled",
            (429,),
            "Too many requests",
            "The token, the person or the address has used up what it may ask in a while.",
            "Wait as many seconds as `Retry-After` says. `RateLimit-Remaining` tells beforehand how much is left.",
            "After `Retry-After`.",
        ),
        ProblemType(
            "internal-error",
            (500,),
            "Something failed on our side",
            "A mistake of the service. Nothing was changed: what a request does, it does wholly or not at all.",
            "Try again later; if it stays, tell who runs the service when it happened.",
            "Later, with growing pauses.",
        ),
        ProblemType(
            "unavailable",
            (503,),
            "The service cannot answer just now",
            "The database does not answer: it is being restarted, or has no connection left. Nothing was changed, "
            "unless the connection was lost just while a change was being completed.",
            "Wait as many seconds as `Retry-After` says and send the same again; a write with the same "
            "`Idempotency-Key`, so that it is done once.",
            "After `Retry-After`, with growing pauses.",
        ),
    )
}


def as_markdown() -> str:
    """docs/problems.md."""
    parts = [
        "# Problem types",
        "Every refusal of the API is `application/problem+json` (RFC 9457). Its `type` is one of these and stays what "
        "it is (docs/api.md, *What stays*); more may come. It is a URN, the same everywhere; each refusal has "
        'a `Link` to the page that explains it (`rel="help"`), under `/api/v1/problems/`.',
        "This file is made from `coordination/common/problem_types.py`: "
        "`python3 dev.py manage problem_types > docs/problems.md`.",
    ]
    for kind in TYPES.values():
        statuses = ", ".join(map(str, kind.statuses))
        rows = [f"`{kind.uri}`, HTTP {statuses}: *{kind.title}.*", kind.meaning, f"**What to do.** {kind.remedy}"]
        rows.append(f"**Again?** {kind.retry}")
        if kind.members:
            rows.append("**Further members.** " + ", ".join(f"`{name}`" for name in kind.members))
        parts += [f"## {kind.name}", *rows]
    return "\n\n".join(parts) + "\n"
