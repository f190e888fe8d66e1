"""Pages for people that explain the kinds of refusals."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .problem_types import TYPES


@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    return render(request, "problems/page.html", {"types": TYPES.values(), "one": None})


@require_safe
def problem_detail(request: HttpRequest, name: str) -> HttpResponse:
    if name not in TYPES:
        raise Http404
    return render(request, "problems/page.html", {"types": [TYPES[name]], "one": TYPES[name]})
