"""Telling people: the list of notices, writing one, its page from the checks to the last delivery."""
