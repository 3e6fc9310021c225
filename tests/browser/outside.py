"""Reports from outside and questions of readers in every state, for the walk through every page."""

from incident_tracker.domain.access import SHELL
from incident_tracker.services import notices, questions, register, suspicions
from incident_tracker.services.suspicions import Told
from tests.browser.story import Story
from tests.notices import begin, crowd, make_people, make_question

TITLE = "Ordrelink kunne gættes"


def tell(found: Story, naughty: str, long: str) -> None:
    """Let reports come from outside, and questions of readers of a notice."""
    context, ada = found.tracker.context, found.actor("Ada")
    reference = found.open("Clara", TITLE)
    found.aware("Ada", reference)
    make_people(context, reference, crowd(3))
    notice = begin(context, reference, found.controller, channels=["email"])
    asked = [make_question(context, notice, text) for text in (naughty, "Hvad nu?", "Og så?", f"{long} {long}")]
    questions.answer(context, ada, asked[1], text=naughty)
    questions.close(context, ada, asked[2], reason=naughty)
    told = [
        suspicions.receive(context, found.controller.id, Told(words, naughty, long, "kim@example.org"), once=words)
        for words in (naughty, f"{long} {long}", "Billige ure", "En mappe ligger åbent")
    ]
    suspicions.dismiss(context, ada, told[2], reason=naughty)
    suspicions.add_to_incident(context, ada, told[3], to=reference)


def values(found: Story) -> dict[str, str]:
    """Return what stands in the addresses of these pages."""
    context, ada = found.tracker.context, found.actor("Ada")
    return {
        "<suspicion_id>": suspicions.listing(context, ada)[0].id,
        "<question_id>": questions.listing(context, ada, _reference(found))[0].id,
        "<slug>": found.controller.slug,
        "<number>": "K7M4-2QRD",
    }


def references(found: Story) -> dict[str, str]:
    """Return the reference of each page that is about this incident or its notice."""
    (notice,) = notices.of_incident(found.tracker.context, SHELL, _reference(found))
    of_incident = [f"/incidents/<reference>/questions{rest}" for rest in ("", "/<question_id>")]
    of_notice = [
        f"{place}/notice/<reference>{rest}" for place in ("", "/c/<slug>") for rest in ("", "/asked/<number>")
    ]
    return dict.fromkeys(of_incident, _reference(found)) | dict.fromkeys(of_notice, notice.public_reference)


def further(found: Story) -> list[str]:
    """Return the pages of what was settled, and lists that were narrowed."""
    context, ada = found.tracker.context, found.actor("Ada")
    asked = questions.listing(context, ada, _reference(found))[1:]
    settled = suspicions.listing(context, ada, settled=True)
    return [
        *(f"/incidents/{_reference(found)}/questions/{one.id}" for one in asked),
        *(f"/inbox/{one.id}" for one in settled),
        "/inbox?state=settled",
        "/inbox?receipt=K7M4-2QRD",
    ]


def _reference(found: Story) -> str:
    listed = register.listing(found.tracker.context, SHELL, search=TITLE)
    return next(one.reference for one in listed)
