"""Floor 1: the rules. Standard library only; no clock, no input or output; `now` is a parameter."""
