"""The scheduler's tests live in the worlds of the services' tests."""

from tests.services.conftest import make_quick_world, world

__all__ = ["make_quick_world", "world"]
