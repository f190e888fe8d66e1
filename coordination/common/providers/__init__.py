"""Asking the services of others: what both rooms that have sources use. Nothing of ours is imported from here."""
