"""One package or module per provider: bytes in, dataclasses out. The parsers are pure: no Django, no network."""
