"""What a service of the Virtual Observatory tells of itself (IVOA VOSI): capabilities and availability."""

from collections.abc import Mapping
from xml.etree import ElementTree

_CAPABILITIES = "http://www.ivoa.net/xml/VOSICapabilities/v1.0"
_AVAILABILITY = "http://www.ivoa.net/xml/VOSIAvailability/v1.0"
_DATA_SERVICE = "http://www.ivoa.net/xml/VODataService/v1.1"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def capabilities(addresses: Mapping[str, str]) -> bytes:
    """Addresses by standardID; the address of a query is its base, of the others the whole."""
    for prefix, uri in (("vosi", _CAPABILITIES), ("vs", _DATA_SERVICE), ("xsi", _SCHEMA_INSTANCE)):
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.Element(f"{{{_CAPABILITIES}}}capabilities", {"xmlns:vs": _DATA_SERVICE})
    for standard_id, address in addresses.items():
        is_query = "#query" in standard_id
        capability = ElementTree.SubElement(root, "capability", standardID=standard_id)
        kind = {f"{{{_SCHEMA_INSTANCE}}}type": "vs:ParamHTTP"}
        interface = ElementTree.SubElement(capability, "interface", kind | ({"role": "std"} if is_query else {}))
        url = ElementTree.SubElement(interface, "accessURL", use="base" if is_query else "full")
        url.text = address
    return _written(root)


def availability(available: bool, note: str) -> bytes:
    ElementTree.register_namespace("vosi", _AVAILABILITY)
    root = ElementTree.Element(f"{{{_AVAILABILITY}}}availability")
    ElementTree.SubElement(root, f"{{{_AVAILABILITY}}}available").text = "true" if available else "false"
    ElementTree.SubElement(root, f"{{{_AVAILABILITY}}}note").text = note
    return _written(root)


def _written(root: ElementTree.Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8")
