"""The file that calendar programs fetch."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views import View

from .calendar_entries import entries_of
from .calendar_file import calendar_file
from .services import find_calendar, note_content


class CalendarView(View):
    """Whoever knows the address may read. Unknown and revoked ones look alike."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        feed = find_calendar(secret)
        if feed is None:
            raise Http404
        base_url = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        host = urlsplit(base_url).hostname or "localhost"
        content = calendar_file(f"{feed.subject} – NEO Coordination", entries_of(feed), base_url, host)
        digest = hashlib.sha256(content).hexdigest()
        changed = note_content(feed, digest)
        response: Any = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="neo-coordination.ics"'
        response["ETag"] = etag = f'"{digest[:32]}"'
        response.headers["Last-Modified"] = changed.strftime("%a, %d %b %Y %H:%M:%S GMT")
        response["X-Robots-Tag"] = "noindex"
        patch_cache_control(response, private=True, no_cache=True)
        answer: Any = get_conditional_response(request, etag, int(changed.timestamp()), response)
        patch_cache_control(answer, private=True, no_cache=True)
        return answer
