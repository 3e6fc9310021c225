"""The shapes of answers, for the document. Keys are stable; more may be added."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

At = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant in UTC with `Z`."""


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(title=None)


class Wrong(Answer):
    """What is wrong with one field."""

    field: str = Field(description="The way to the field, such as `assessment.people_count`.")
    code: str = Field(description="A stable word for programs.")
    detail: str = Field(description="A sentence for people.")


class Problem(Answer):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="A stable word for programs, as a URN.")
    title: str
    status: int
    detail: str = Field(description="A sentence for people, in Danish or English as Accept-Language says.")
    errors: list[Wrong]


class Obligation(Answer):
    """A duty and its deadline."""

    regime: str
    duty: str
    addressee: str
    anchor_at: At | None
    due_at: At | None = Field(description="null where no period is set.")
    outer_reading_at: At | None = Field(description="The longer reading of Regulation 1182/71; never a deadline.")
    standing: str = Field(description="open, approaching, overdue, met, met_late or set_aside.")
    met_at: At | None


class Obligations(Answer):
    """The duties of an incident."""

    items: list[Obligation]


class _Facts(Answer):
    reference: str
    title: str
    status: str = Field(description="suspected, aware, closed or not_a_breach; it follows from the facts.")
    exercise: bool
    controller: str | None = Field(description="The controller's short name.")
    role: str
    detected_at: At
    became_aware_at: At | None
    contained_at: At | None
    closed_at: At | None


class Incident(_Facts):
    """An incident with its duties."""

    obligations: list[Obligation]


class ListedIncident(_Facts):
    """An incident as a list shows it."""

    next_due_at: At | None = Field(description="The nearest deadline that still runs.")


class Part(Answer):
    """A part of a list."""

    next: str | None = Field(description="The cursor of the part that follows; null at the end.")


class IncidentPart(Part):
    """A part of the list of incidents, newest first."""

    items: list[ListedIncident]


class Scope(Answer):
    """A version of the assessment; version 0 says nothing yet."""

    version: int
    assessed_at: At | None
    assessed_by: str | None
    assessment: dict[str, Any]


class ScopeVersions(Answer):
    """All versions, newest first."""

    items: list[Scope]


class Alert(Answer):
    """An alert."""

    id: str
    incident: str
    kind: str
    rung: str
    state: str
    step: int
    raised_at: At
    due_at: At | None
    next_step_at: At | None
    acknowledged_at: At | None
    acknowledged_by: str | None
    acknowledged_via: str | None


class Alerts(Answer):
    """Open alerts, oldest first."""

    items: list[Alert]


class Question(Answer):
    """A question of the authority's form with its answer."""

    key: str
    canonical: str | None
    label: str
    answer: str
    missing: bool
    warnings: list[str]


class Draft(Answer):
    """The report as it stands."""

    authority: str
    language: str
    version: int
    phase: str
    checked_against_live_form: bool
    questions: list[Question]
    missing: list[str]
    blocked_by: list[str]


class Filed(Answer):
    """A version that was filed."""

    authority: str
    version: int
    phase: str
    filed_at: At
    recorded_at: At
    digest: str


class FiledVersions(Answer):
    """The versions that were filed, newest first."""

    items: list[Filed]


class Delivery(Answer):
    """A message that leaves or left; its words are not here."""

    id: str
    purpose: str
    incident: str | None
    channel: str
    notifier: str
    to: str = Field(description="Who on call it is for; empty otherwise.")
    state: str
    attempts: int
    created_at: At
    sent_at: At | None
    provider_id: str | None
    possible_duplicate: bool
    reason: str | None


class DeliveryPart(Part):
    """A part of the list of deliveries, newest first."""

    items: list[Delivery]


class Entry(Answer):
    """An entry of the journal."""

    seq: int
    recorded_at: At
    actor: str
    kind: str
    facts: dict[str, Any]


class Entries(Answer):
    """The journal of an incident, oldest first."""

    items: list[Entry]


class Head(Answer):
    """The last sound entry of the journal."""

    seq: int
    hash: str


class Verdict(Answer):
    """What walking the journal found."""

    result: str = Field(description="ok, broken, truncated or anchor_missing.")
    entries: int
    first_bad_seq: int | None
    head: Head
    why: str


class Received(Answer):
    """A suspicion that was taken in."""

    id: str
    receipt: str = Field(description="The number by which people speak of it.")


class HowMany(Answer):
    """How many people are on the list."""

    count: int


class PeopleImport(Answer):
    """How far the reading of a list is."""

    id: str
    state: str = Field(description="reading, finished, broken_off or stopped.")
    read: int
    accepted: int
    duplicates: int
    refused: int = Field(description="Rows that were not taken over; the list's page gives them with the reasons.")
    warned: int
    started_at: At
    finished_at: At | None
    trouble: str


class NoticeWords(Answer):
    """What a notice says in one language."""

    subject: str
    body: str
    sms: str


class Notice(Answer):
    """A notice."""

    notice: int
    number: int
    incident: str
    reference: str = Field(description="The public reference that recipients see.")
    state: str = Field(description="draft, submitted, approved, sending, paused, stopped or finished.")
    audience: str
    channels: list[str]
    version: int
    texts: dict[str, NoticeWords]
    digest: str
    corrects: int | None
    written_at: At
    begun_at: At | None
    finished_at: At | None


class Notices(Answer):
    """The notices of an incident."""

    items: list[Notice]


class Submitted(Answer):
    """A notice that waits for approval."""

    notice: Notice
    approval: str


class Check(Answer):
    """A check of a notice."""

    id: str
    level: str
    method: str = Field(description="Who decides: `auto` is software.")
    ok: bool


class Checks(Answer):
    """The checks of a notice."""

    items: list[Check]


class NoticeStatus(Answer):
    """How a sending stands."""

    notice: int
    number: int
    incident: str
    reference: str
    state: str
    recipients: int
    counts: dict[str, int]
    rate_per_second: float
    remaining_seconds: int | None
    unreachable: int
    reached: int
    came_later: int
    kept_here: int
    held_up: str
