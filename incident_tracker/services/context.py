"""What every service needs: the things that bootstrap chose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from incident_tracker.delivery.routing import Routing
from incident_tracker.domain.escalation import Policy
from incident_tracker.domain.regimes import Rule
from incident_tracker.services.anchors import Anchors
from incident_tracker.settings import Settings
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring
from notifiers.protocol import AuthorityReport


@dataclass(frozen=True, slots=True)
class Context:
    """The real things, chosen once. `wake` tells clock and outbox of this process that something was committed."""

    settings: Settings
    database: Database
    keyring: Keyring
    now: Callable[[], datetime]
    rules: tuple[Rule, ...]
    policy: Policy
    routing: Routing
    reports: Mapping[str, AuthorityReport]
    anchors: Anchors
    wake: Callable[[], None]
