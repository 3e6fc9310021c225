"""Alerts: list those that wait, and take them."""

from typing import Any

from pydantic import BaseModel, Field

from incident_tracker.api import current
from incident_tracker.api.answers import Alert, Alerts
from incident_tracker.api.paths import id_of
from incident_tracker.api.routes import address, noun
from incident_tracker.services import alerts, calling, shapes

pages = noun("alerts", "Alerts")


class OfAlert(BaseModel):
    """The alert that an address names."""

    alert_id: str = Field(description="The alert's `id`.")


@address(pages, "get", "/alerts", scope="alerts:read", answers=Alerts)
def listing() -> dict[str, Any]:
    """List the alerts that nobody has taken, oldest first."""
    found = calling.open_alerts(current.context(), current.actor())
    return {"items": [shapes.alert(one, reference) for one, reference in found]}


@address(pages, "post", "/alerts/<alert_id>/acknowledgement", scope="alerts:write", answers=Alert)
def acknowledge(path: OfAlert) -> dict[str, Any]:
    """Take an alert: nobody else is called. The deadline runs on; one that was taken before stays as it is."""
    context, actor = current.context(), current.actor()
    alert_id = id_of(path.alert_id)
    reference = calling.view(context, actor, alert_id).overview.incident.reference
    alerts.acknowledge(context, actor, reference, via="api", alert_ids=[alert_id])
    return shapes.alert(calling.view(context, actor, alert_id).alert, reference)
