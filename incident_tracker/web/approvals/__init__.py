"""Four eyes: look at what waits, decide, invite somebody outside; and the page behind the one-time link."""
