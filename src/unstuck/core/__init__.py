"""Errors, names and units: standard library only."""
