"""astroquery over our transport: it writes the query, and gets an answer that has gone through all our limits.

Its sessions get an adapter for requests that asks the provider's address of the settings, wherever astroquery would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from .transport import Answer, ask


class _Adapter(BaseAdapter):
    def __init__(self, provider: str) -> None:
        super().__init__()
        self.provider = provider
        self.answer: Answer | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        query = dict(parse_qsl(urlsplit(request.url or "").query, keep_blank_values=True))
        self.answer = ask(self.provider, query)
        response = requests.Response()
        response.status_code = 200
        response.url = self.answer.url
        response.request = request
        response.encoding = "utf-8"
        response._content = self.answer.body
        return response

    def close(self) -> None:
        pass


def ask_through(provider: str, service: Any, send: Callable[[], object]) -> Answer:
    """The answer to what `send` has the astroquery `service` ask. Raises as `transport.ask` does."""
    adapter = _Adapter(provider)
    service._session.trust_env = False  # no proxies and no .netrc: what is sent goes through the adapter
    service._session.mount("https://", adapter)
    service._session.mount("http://", adapter)
    send()
    if adapter.answer is None:
        raise RuntimeError(f"astroquery sent nothing to {provider}")
    return adapter.answer
