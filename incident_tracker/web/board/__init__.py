"""The board: every open incident on one axis."""
