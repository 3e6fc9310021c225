"""What a second pair of eyes is asked for in the world of every page, inside and outside."""

from incident_tracker.services import approving, incidents, outbox
from tests import four_eyes
from tests.browser.story import Story

MOST = 100_000


def values(found: Story, reference: str, *, naughty: str) -> dict[str, str]:
    """Let Clara ask, with naughty words, and invite somebody outside; return what stands in the addresses."""
    context, clara, ada = found.tracker.context, found.actor("Clara"), found.actor("Ada")
    four_eyes.assess(context, reference)
    approval = incidents.set_duty_aside(
        context, clara, reference, regime="gdpr", duty="notify_people", reason=naughty
    )
    before = {one.delivery.id for one in outbox.listing(context, ada, limit=MOST)}
    approving.invite(context, clara, approval, name=naughty[:80], email="eva@example.org")
    (mail,) = [one.delivery.id for one in outbox.listing(context, ada, limit=MOST) if one.delivery.id not in before]
    text = outbox.show(context, ada, mail).text or ""
    return {"<approval_id>": approval, "/approve/<secret>": "/approve/" + text.partition("/approve/")[2].split()[0]}
