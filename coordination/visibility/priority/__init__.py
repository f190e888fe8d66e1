"""How much a target deserves a night: from figures to a score. Pure numpy; see docs/priority.md."""
