"""What the views of all rooms share."""

from typing import Any

from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_EVERYWHERE = {"format"}
_OF_LISTS = {"limit", "cursor", "order_by"}


class ReadOnlyViewSet(viewsets.ReadOnlyModelViewSet):
    """Lists and details. A query parameter that the view does not know is refused: a misspelt filter that is silently
    ignored would answer with everything.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        known = _EVERYWHERE | (self._list_parameters() if self.action == "list" else set())
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            accepted = ", ".join(sorted(known))
            raise ValidationError({name: [f"Not a parameter of this list; it has {accepted}."] for name in unknown})

    def _list_parameters(self) -> set[str]:
        filterset = getattr(self, "filterset_class", None)
        return _OF_LISTS | (set(filterset.base_filters) if filterset else set())
