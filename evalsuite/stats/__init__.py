"""Uncertainty of what a table says."""
