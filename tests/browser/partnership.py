"""Partners for the walk through every page: one with a long name and an agreement, one with naughty words."""

from incident_tracker.domain.parties import ContactPoint
from incident_tracker.services import partners
from incident_tracker.services.partners import PartnerFacts
from tests.browser.story import Story


def tell(story: Story, reference: str, naughty: str, long: str) -> dict[str, str]:
    """Keep two partners, name both on an incident; return what stands in the addresses of their pages."""
    context, ada = story.tracker.context, story.actor("Ada")
    point = ContactPoint(naughty[:100], "vagt@example.org", "+45 32 12 34 56")
    first = partners.add(
        context,
        ada,
        story.controller.id,
        PartnerFacts(long[:120], "processor", what=naughty, contact=point),
    )
    second = partners.add(context, ada, story.controller.id, PartnerFacts(naughty[:120], "controller", contact=point))
    kept = partners.keep_agreement(
        context, ada, first, file_name=f"{long[:80]}.pdf", plain=[b"aftale"], signed_on="2025-03-01"
    )
    for one in (first, second):
        partners.concern(context, ada, reference, one)
    secret = partners.new_link(context, ada, first)
    return {"<int:partner_id>": str(first), "<agreement_id>": kept.id, "/partner/<secret>": f"/partner/{secret}"}
