"""The next step in words: a sentence, what its one button says, and where that leads."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain.access import Act
from incident_tracker.services.next_step import NextStep, Step
from incident_tracker.web.current import language

_NUMBERS = {
    "da": ("nul", "ét", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti", "elleve", "tolv"),
    "en": ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
}


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step as a page says it. `button` is empty where nothing is left to do; `act` is what it takes."""

    sentence: str
    button: str
    url: str
    act: Act = Act.WORK


def in_words(count: int, *, of_a_deadline: bool = False) -> str:
    """Return a small number as a word, a larger one in figures; Danish deadlines and suspicions count `én`."""
    numbers = _NUMBERS[language()]
    if count == 1 and of_a_deadline and language() == "da":
        return "én"
    return numbers[count] if count < len(numbers) else str(count)


def step_words(step: NextStep, reference: str) -> StepWords:
    """Return the words of a step."""
    base = f"/incidents/{reference}"
    if step.step is Step.ANSWER:
        return _answers(step.missing, base)
    told = {
        Step.DECIDE: (_("decide whether this is a breach."), _("Is it a breach?"), "/decide"),
        Step.SCOPE: (_("write down what got out, and whose data."), _("Assess the scope"), "/scope"),
        Step.FILE: (_("the notification is ready to be sent."), _("Notify Datatilsynet"), "/report"),
        Step.TELL_CONTROLLER: (
            _("tell the controller, and record it."),
            _("Record that the controller was told"),
            "/deadlines#notify_controller",
        ),
        Step.TELL_PEOPLE: (
            _("write to the people affected, and have it approved."),
            _("Write the notice to the people"),
            "/notices",
        ),
        Step.INFORM_PARTIES: (
            _("inform all parties, as you have promised."),
            _("Record that all were informed"),
            "/deadlines#inform_parties",
        ),
        Step.COMPLETE: (_("complete the notification with the rest."), _("Complete the notification"), "/report"),
        Step.CLOSE: (_("every duty is settled."), _("Close the incident"), "/close"),
        Step.NOTHING: ("", "", ""),
    }
    sentence, button, path = told[step.step]
    return StepWords(sentence, button, base + path, Act.DECIDE if step.step is Step.CLOSE else Act.WORK)


def _answers(missing: int, base: str) -> StepWords:
    count = in_words(missing)
    sentence = ngettext(
        "%(count)s answer is missing in the notification.",
        "%(count)s answers are missing in the notification.",
        missing,
        count=count,
    )
    button = ngettext("Write the last answer", "Write the %(count)s answers", missing, count=count)
    return StepWords(sentence, button, f"{base}/report")


def missing_sentence(step: NextStep) -> str:
    """Return what the notification lacks, as a sentence of its own; empty where that is not the step."""
    if step.step is not Step.ANSWER:
        return ""
    said = ngettext(
        "%(count)s answer is missing.", "%(count)s answers are missing.", step.missing, count=in_words(step.missing)
    )
    return str(said[:1].upper() + said[1:])
