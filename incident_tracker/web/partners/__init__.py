"""Processors and partners: the list, each of them, those of an incident, and the link by which they tell us."""
