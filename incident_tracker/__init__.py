"""A breach-incident response tracker with deadline alerting."""

__version__ = "0.2.0"
