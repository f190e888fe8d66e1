"""The service as programs of the Virtual Observatory meet it: pyvo over the test client, no network."""

import io
import warnings
from urllib.parse import urlsplit

import requests
import urllib3
from astropy.io.votable import parse
from astropy.io.votable.tree import VOTableFile
from django.test import Client


class InProcess(requests.adapters.BaseAdapter):
    """Answers requests with Django's test client."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client

    def send(self, request, **_):
        parts = urlsplit(request.url)
        answer = self.client.generic(
            request.method,
            f"{parts.path}?{parts.query}",
            request.body or b"",
            content_type=request.headers.get("Content-Type", "application/octet-stream"),
        )
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status_code, request.url, request
        response.headers.update(answer.headers)
        response.raw = urllib3.HTTPResponse(io.BytesIO(answer.content), preload_content=False)
        return response

    def close(self) -> None:
        pass


def session(client: Client) -> requests.Session:
    made = requests.Session()
    made.mount("http://testserver", InProcess(client))
    return made


def read(content: bytes) -> VOTableFile:
    """Strictly: whatever is against the standard raises. One thing is against the vocabulary of UCDs, because the draft
    of ObjObsSAP asks for it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*Unknown word 'time.validity'")
        return parse(io.BytesIO(content), verify="warn")


def statuses(votable: VOTableFile) -> list[str]:
    """QUERY_STATUS, as often as it is there."""
    return [info.value for info in votable.resources[0].infos if info.name == "QUERY_STATUS"]


def rows(votable: VOTableFile) -> list[dict]:
    table = votable.get_first_table()
    names = [field.name for field in table.fields]
    return [dict(zip(names, row, strict=True)) for row in table.array]
