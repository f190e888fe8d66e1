"""How the tests speak to the API: JSON as somebody who is signed in."""

from typing import Any

from django.test import Client

from observatories.models import User


class Api:
    """`api.post("slots/3/publish/")` gives the answer; what is not as expected is shown with its body."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def call(self, method: str, path: str, body: Any = None, status: int | None = None, **query: Any) -> Any:
        headers = {"content_type": "application/json"} if method != "get" else {}
        data = query if method == "get" else ({} if body is None else body)
        answer = getattr(self.client, method)(f"/api/v1/{path}", data, **headers)
        if status is not None:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.content[:600]!r}"
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
        return answer

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return self.call("get", path, status=status, **query).json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.call("post", path, body, status).json()

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("patch", path, body, status).json()

    def delete(self, path: str, status: int = 204) -> Any:
        return self.call("delete", path, status=status)


def fields(problem: dict[str, Any]) -> set[str]:
    return {error["field"] for error in problem["errors"]}
