"""Probes and rules joined to a live run."""
