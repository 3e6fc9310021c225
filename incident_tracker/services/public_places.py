"""Whose public pages are asked for: the only controller's, or the one that the address names."""

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.parties import ContactPoint, Controller
from incident_tracker.services import controllers
from incident_tracker.services.context import Context


def all_of_them(context: Context) -> list[Controller]:
    """Return the controllers that have public pages, oldest first."""
    return controllers.listing(context, SHELL)


def named(context: Context, slug: str | None) -> Controller | None:
    """Return the controller with a slug; without one the only controller, None where there are several or none."""
    if slug is None:
        found = all_of_them(context)
        return found[0] if len(found) == 1 else None
    try:
        return controllers.by_slug(context, SHELL, slug)
    except NotFound:
        return None


def reached_by(controller: Controller) -> ContactPoint:
    """Return whom the public may write to or call: the data protection officer, else the contact point."""
    return controller.dpo if controller.dpo.email or controller.dpo.phone else controller.contact
