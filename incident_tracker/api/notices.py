"""Notices: written, submitted, sent and watched. Approving is for people."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from incident_tracker.api import current
from incident_tracker.api.answers import Checks, Notice, Notices, NoticeStatus, Submitted
from incident_tracker.api.fields import Body, OfIncident, Text, Version, digits
from incident_tracker.api.paths import reference_of
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.errors import NotAllowed
from incident_tracker.domain.facts import to_plain
from incident_tracker.services import notices

pages = noun("notices", "Notices")
_READ, _WRITE = "notices:read", "notices:write"
_LONGEST_REASON = 1000


class ApprovingIsForPeople(NotAllowed):
    """A token acts as its owner, but nobody looks through it."""

    message = "A notice is approved by a person on its page. A program is no second pair of eyes."


Reason = Annotated[str, Field(max_length=_LONGEST_REASON)]


class OfNotice(BaseModel):
    """The notice that an address names."""

    notice_id: Annotated[int, Field(ge=1, le=2_147_483_647), BeforeValidator(digits)]


class Words(Body):
    """What a notice says in one language, with placeholders such as {{name}}; without `sms` it is made by us."""

    subject: str = Field(min_length=1, max_length=200)
    body: Text = Field(min_length=1)
    sms: str = Field("", max_length=612)


class Texts(Body):
    """What a notice says, in one language at least."""

    da: Words | None = None
    en: Words | None = None


class NewNotice(Body):
    """A notice as it is written; the order of the channels is that in which they are tried."""

    texts: Texts
    channels: list[Literal["email", "sms"]] = Field(min_length=1, max_length=2)
    audience: Literal["people", "partners"] = "people"
    corrects: Version | None = Field(None, description="Number of the sent notice that this one corrects.")


class Submission(Body):
    """What somebody vouches for: checks that she ticks, and warnings that she dismisses, each with the reason."""

    ticked: list[Annotated[str, Field(max_length=80)]] = Field(default_factory=list, max_length=80)
    dismissed: dict[Annotated[str, Field(max_length=80)], Reason] = Field(default_factory=dict, max_length=80)


class Why(Body):
    """Why; it may be left out."""

    reason: Reason = ""


class Because(Body):
    """Why; it must be said."""

    reason: Reason = Field(min_length=1)


@address(pages, "get", "/incidents/<reference>/notices", scope=_READ, answers=Notices)
def listing(path: OfIncident) -> dict[str, Any]:
    """List the notices of an incident."""
    found = notices.of_incident(current.context(), current.actor(), reference_of(path))
    return {"items": [_shape(one) for one in found]}


@address(pages, "post", "/incidents/<reference>/notices", scope=_WRITE, answers=Notice, status=201)
def create(path: OfIncident, body: NewNotice) -> tuple[dict[str, Any], int]:
    """Write a notice; nothing is sent."""
    said = {"da": body.texts.da, "en": body.texts.en}
    notice_id = notices.create(
        current.context(),
        current.actor(),
        reference_of(path),
        texts={name: notices.NoticeText(one.subject, one.body, one.sms) for name, one in said.items() if one},
        channels=tuple(dict.fromkeys(body.channels)),
        audience=body.audience,
        corrects=body.corrects,
    )
    return _shown(notice_id), 201


@address(pages, "get", "/notices/<notice_id>", scope=_READ, answers=Notice)
def show(path: OfNotice) -> dict[str, Any]:
    """Read a notice."""
    return _shown(path.notice_id)


@address(pages, "get", "/notices/<notice_id>/checks", scope=_READ, answers=Checks)
def checks(path: OfNotice) -> dict[str, Any]:
    """Read what the law and good sense still miss in a notice."""
    found = notices.checks(current.context(), current.actor(), path.notice_id)
    return {"items": [{"id": one.id, "level": one.level, "method": one.method, "ok": one.ok} for one in found]}


@address(pages, "get", "/notices/<notice_id>/status", scope=_READ, answers=NoticeStatus)
def status(path: OfNotice) -> dict[str, Any]:
    """Read how far a sending is."""
    return _status(path.notice_id)


@address(pages, "post", "/notices/<notice_id>/submission", scope=_WRITE, answers=Submitted)
def submit(path: OfNotice, body: Submission) -> dict[str, Any]:
    """Hand a notice over for approval by a person."""
    context, actor = current.context(), current.actor()
    approval = notices.submit(context, actor, path.notice_id, ticked=body.ticked, dismissed=body.dismissed)
    return {"notice": _shown(path.notice_id), "approval": approval}


@address(pages, "post", "/notices/<notice_id>/approval", scope=_WRITE, answers=Notice)
def approve(path: OfNotice) -> dict[str, Any]:
    """Refuse, always: a program is no second pair of eyes, whoever its owner is."""
    notices.show(current.context(), current.actor(), path.notice_id)
    raise ApprovingIsForPeople


@address(pages, "post", "/notices/<notice_id>/sending", scope=_WRITE, answers=NoticeStatus)
def begin(path: OfNotice) -> dict[str, Any]:
    """Begin to send what was approved."""
    notices.begin(current.context(), current.actor(), path.notice_id)
    return _status(path.notice_id)


@address(pages, "post", "/notices/<notice_id>/pause", scope=_WRITE, answers=NoticeStatus)
def pause(path: OfNotice, body: Why) -> dict[str, Any]:
    """Let nothing more go until it is resumed."""
    return _steered(notices.pause, path, body)


@address(pages, "post", "/notices/<notice_id>/resumption", scope=_WRITE, answers=NoticeStatus)
def resume(path: OfNotice, body: Why) -> dict[str, Any]:
    """Let a paused sending go on."""
    return _steered(notices.resume, path, body)


@address(pages, "post", "/notices/<notice_id>/stop", scope=_WRITE, answers=NoticeStatus)
def stop(path: OfNotice, body: Because) -> dict[str, Any]:
    """End a sending for good."""
    return _steered(notices.stop, path, body)


def _steered(act: Callable[..., None], path: OfNotice, body: Why | Because) -> dict[str, Any]:
    act(current.context(), current.actor(), path.notice_id, reason=body.reason)
    return _status(path.notice_id)


def _status(notice_id: int) -> dict[str, Any]:
    return notices.as_json(notices.status(current.context(), current.actor(), notice_id))


def _shown(notice_id: int) -> dict[str, Any]:
    return _shape(notices.show(current.context(), current.actor(), notice_id))


def _shape(one: notices.Notice) -> dict[str, Any]:
    return {
        "notice": one.id,
        "number": one.number,
        "incident": one.reference,
        "reference": one.public_reference,
        "state": one.state.value,
        "audience": one.audience,
        "channels": list(one.channels),
        "version": one.version,
        "texts": to_plain(one.texts),
        "digest": one.digest,
        "corrects": one.corrects,
        "written_at": to_plain(one.written_at),
        "begun_at": to_plain(one.begun_at),
        "finished_at": to_plain(one.finished_at),
    }
