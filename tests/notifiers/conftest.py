from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from notifiers.testing import ScriptedProvider

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(lambda: NOW) as running:
        yield running
