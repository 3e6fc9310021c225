"""Plugins that carry messages out of the house. They know nothing of incidents."""
