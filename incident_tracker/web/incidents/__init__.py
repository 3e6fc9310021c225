"""Incidents: log, look, decide, settle."""
