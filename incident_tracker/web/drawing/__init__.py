"""Drawings of time: plain facts in, numbers for the templates out. The standing is given, never decided here."""
