"""From where a request comes, behind the proxies that the installation trusts."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_network(request: HttpRequest) -> str:
    """The caller's address, or the first of its /64: an IPv6 customer has that many at least, and counts as one.

    Each of `TRUSTED_PROXIES` adds the address that it was called from to the end of X-Forwarded-For; what stands before
    those was written by the caller, and counts for nothing. What is no address is given as the proxy's own.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    told = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    trusted = min(settings.TRUSTED_PROXIES, len(told))
    for text in ([told[-trusted]] if trusted else []) + [direct]:
        try:
            parsed = ipaddress.ip_address(text)
        except ValueError:
            continue
        if parsed.version == 6:
            return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
        return str(parsed)
    return "0.0.0.0"  # a server that does not say, such as one behind a socket of the machine
