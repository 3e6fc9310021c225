"""The outbox engine: claim, call the notifier, classify, settle what is in doubt, and say so."""
