"""The outbox: everything that leaves the house."""
