"""Plots as PNG: drawn once, as a drawing costs the processor a second that anybody could ask for."""

import hashlib
import logging
import threading

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from coordination.common.client_address import client_network
from coordination.partners.throttling import Standing, count

from .plots.svg import Drawing

logger = logging.getLogger(__name__)

KEPT_S = 3600
NEW_FROM_ADDRESS = "20/60"  # drawings that nobody has asked for yet; requests/seconds
_one_at_a_time = threading.Lock()  # in each process: the other threads go on answering


def png_answer(request: HttpRequest, drawing: Drawing) -> HttpResponse:
    """The drawing, kept by its content; 429 for an address that asks for too many new ones. Without the cache each is
    drawn anew.
    """
    key = f"png:{hashlib.sha256(drawing.standalone().encode()).hexdigest()}"
    content = _kept(key)
    if content is None:
        standing = count(f"png:{client_network(request)}", NEW_FROM_ADDRESS)
        if standing is not None and standing.count > standing.limit:
            return _too_many(standing)
        with _one_at_a_time:
            content = _kept(key) or drawing.png()
        _keep(key, content)
    return HttpResponse(content, content_type="image/png")


def _too_many(standing: Standing) -> HttpResponse:
    told = _("Too many plots from this address; the SVG is there at any time.")
    headers = {"Retry-After": str(standing.reset_s), **standing.headers}
    return HttpResponse(told, content_type="text/plain; charset=utf-8", status=429, headers=headers)


def _kept(key: str) -> bytes | None:
    try:
        found: bytes | None = cache.get(key)
    except RedisError as error:
        logger.warning("plots are not kept: %s", error)
        return None
    return found


def _keep(key: str, content: bytes) -> None:
    try:
        cache.set(key, content, KEPT_S)
    except RedisError as error:
        logger.warning("plots are not kept: %s", error)
