"""Sparse fields: `?fields=id,starts_at` shows these fields of a row and no others. Nested ones come whole."""

from collections.abc import Collection, Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

FIELDS = "fields"


def fields_asked_for(request: Request, kind: type[serializers.BaseSerializer[Any]]) -> frozenset[str] | None:
    """The names of the parameter; None where it is not given. Raises ValidationError for unknown ones."""
    return names_in(request, kind().fields) if FIELDS in request.query_params else None  # type: ignore[attr-defined]


def names_in(request: Request, known: Iterable[str]) -> frozenset[str] | None:
    """The same, of known names."""
    text = request.query_params.get(FIELDS)
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if unknown := sorted(set(names) - set(known)):
        told = ", ".join(known)
        raise ValidationError({FIELDS: [f"{name[:40]!r} is not a field here; there are {told}." for name in unknown]})
    return frozenset(names)


def keep_fields(serializer: Any, names: Collection[str] | None) -> Any:
    """A serializer, of one row or of many, that shows only these fields."""
    if names is not None:
        of_row = getattr(serializer, "child", serializer)
        for name in set(of_row.fields) - set(names):
            of_row.fields.pop(name)
    return serializer


def fields_parameter(known: Iterable[str]) -> OpenApiParameter:
    schema = {"type": "array", "items": {"type": "string", "enum": list(known)}, "minItems": 1}
    return OpenApiParameter(
        FIELDS, schema, style="form", explode=False, description="Only these fields, names separated by commas."
    )


def sparse_parameters(view: Any) -> list[OpenApiParameter]:
    """Of the operation that reads from a view."""
    if not getattr(view, "is_sparse", False):
        return []
    return [fields_parameter(view.get_serializer_class()().fields)]


def describe_sparse(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular: where `fields` is taken no field has to be there."""
    schemas = result["components"]["schemas"]
    for operations in result["paths"].values():
        for operation in operations.values():
            if any(parameter["name"] == FIELDS for parameter in operation.get("parameters", [])):
                content = operation["responses"]["200"]["content"]["application/json"]
                content["schema"] = _of_sparse_rows(content["schema"], schemas)
    return result


def _of_sparse_rows(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a row, or of a page of rows, with a row's fields optional."""
    name = schema["$ref"].rpartition("/")[2]
    page = schemas[name]["properties"].get("results")
    if page is not None:
        if not page["items"]["$ref"].rpartition("/")[2].startswith("Sparse"):
            page["items"] = _of_sparse_rows(page["items"], schemas)
        return schema
    optional = {key: value for key, value in schemas[name].items() if key != "required"}
    schemas[f"Sparse{name}"] = {**optional, "description": "All fields, or those that `fields` names."}
    return {"$ref": f"#/components/schemas/Sparse{name}"}
