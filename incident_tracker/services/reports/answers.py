"""Answers in own words, and the ticks of what was carried over into the authority's form."""

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import AnswerRevised, QuestionTicked
from incident_tracker.domain.incident import must_be_open
from incident_tracker.services.context import Context
from incident_tracker.services.reports.sheet import build, question_of
from incident_tracker.services.texts import clean
from incident_tracker.services.work import working


class AnswerIsAFact(Refusal):
    """The answer follows from what is recorded, and is not written on the report."""

    message = "This answer comes from what is recorded about the incident. Correct it there."


class AnswerIsNotAChoice(Refusal):
    """The question is answered with one of its choices."""

    message = "“%(answer)s” is not one of the choices: %(choices)s."


def revise_answer(
    context: Context, actor: Actor, reference: str, *, key: str, answer: str, authority: str = "dk"
) -> None:
    """Write an answer in own words; empty, and the derived one stands again. A tick is taken off."""
    answer = clean(answer, "answer", required=False)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        must_be_open(loaded.incident)
        question = question_of(build(context, work.session, loaded, authority, "da"), key)
        if not question.own_words:
            raise AnswerIsAFact(field=key)
        if answer and question.choices and answer not in dict(question.choices):
            choices = ", ".join(dict(question.choices))
            raise AnswerIsNotAChoice(field=key, answer=answer[:40], choices=choices)
        if answer != loaded.incident.answers.get(key, ""):
            work.record(loaded, AnswerRevised(authority, key, answer))


def tick(context: Context, actor: Actor, reference: str, *, key: str, ticked: bool, authority: str = "dk") -> None:
    """Note that an answer was carried over into the authority's form, or undo that."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        must_be_open(loaded.incident)
        question_of(build(context, work.session, loaded, authority, "da"), key)
        if ticked != (key in loaded.incident.ticked):
            work.record(loaded, QuestionTicked(authority, key, ticked))
