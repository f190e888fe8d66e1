"""Plots as SVG, drawn on the server by functions of numbers: what a page shows is what its download holds."""
