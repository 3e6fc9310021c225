"""Alerts: who is told, and taking one."""
