"""Notices: write what people are told, have it approved, send it, and prove what became of it."""

from incident_tracker.delivery.settle import Decision
from incident_tracker.domain.notices import Notice, NoticeText, State
from incident_tracker.domain.notices.checks import Check
from incident_tracker.services.notices.checking import checks
from incident_tracker.services.notices.composing import Neutral
from incident_tracker.services.notices.previewing import NobodyToTestOn, Preview, preview, send_test, specimens
from incident_tracker.services.notices.publishing import PublicNotice, public
from incident_tracker.services.notices.reach import Audience, Segments, audience
from incident_tracker.services.notices.recipients import Recipient, recipients_after
from incident_tracker.services.notices.retrying import retry
from incident_tracker.services.notices.sending import begin, pause, resume, settle_doubts, stop
from incident_tracker.services.notices.telling import go_on
from incident_tracker.services.notices.watching import Entry, Status, as_json, ledger, standing, status
from incident_tracker.services.notices.writing import approved, change, create, of_incident, rejected, show, submit

__all__ = [
    "Audience",
    "Check",
    "Decision",
    "Entry",
    "Neutral",
    "NobodyToTestOn",
    "Notice",
    "NoticeText",
    "Preview",
    "PublicNotice",
    "Recipient",
    "Segments",
    "State",
    "Status",
    "approved",
    "as_json",
    "audience",
    "begin",
    "change",
    "checks",
    "create",
    "go_on",
    "ledger",
    "of_incident",
    "pause",
    "preview",
    "public",
    "recipients_after",
    "rejected",
    "resume",
    "retry",
    "send_test",
    "settle_doubts",
    "show",
    "specimens",
    "standing",
    "status",
    "stop",
    "submit",
]
