"""The search for windows: pure numpy, usable from a notebook."""
