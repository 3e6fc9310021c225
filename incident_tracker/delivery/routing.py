"""Which notifiers carry a channel, in the order of preference."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass

from incident_tracker.store.deliveries import LOCAL

__all__ = ["LOCAL", "Routing"]


@dataclass(frozen=True, slots=True)
class Routing:
    """Channel -> notifier names, first choice first."""

    order: Mapping[str, tuple[str, ...]]

    def first(self, channel: str, *, local_only: bool = False) -> str:
        """Return the notifier for a new row; without a route it stays in the house, where it can be seen."""
        names = self.order.get(channel, ())
        return names[0] if names and not local_only else LOCAL

    def after(self, channel: str, name: str, closed: Collection[str] = ()) -> str | None:
        """Return the next notifier of the channel that is not closed, going round; None where there is no other."""
        names = self.order.get(channel, ())
        start = names.index(name) + 1 if name in names else 0
        round_trip = names[start:] + names[:start]
        return next((other for other in round_trip if other != name and other not in closed), None)

    def only(self, there: Container[tuple[str, str]]) -> "Routing":
        """Return it without the notifiers that are not there; `there` holds (notifier, channel)."""
        return Routing(
            {
                channel: tuple(name for name in names if (name, channel) in there)
                for channel, names in self.order.items()
            }
        )
