"""When a report may count as filed: its time, its proof, its phase, its lateness.

Filing is done by hand on the authority's own page; what is recorded here is what came of it (GDPR Art. 33(1), 33(4)).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incident_tracker.domain.errors import Refusal


class FiledInTheFuture(Refusal):
    """A report is said to be filed later than now."""

    message = "The report cannot have been filed in the future. Check the time."


class FiledBeforeAwareness(Refusal):
    """A report is said to be filed before the organisation knew of the breach."""

    message = "The report cannot have been filed before you became aware of the breach. Check both times."


class FiledBeforeTheEarlierOne(Refusal):
    """A follow-up is said to be filed before what it follows."""

    message = "The report that this one follows was filed later than that. Check the time."


class AwarenessIsNotRecorded(Refusal):
    """There is nothing to notify before the breach is confirmed."""

    message = "Record first when you became aware of the breach. The 72 hours are counted from there."


class LateReasonIsMissing(Refusal):
    """A late report without reasons (GDPR Art. 33(1))."""

    message = "More than 72 hours have passed: the report must give the reasons for the delay (Art. 33(1))."


class ReceiptIsMissing(Refusal):
    """Neither a receipt nor a reason for having none."""

    message = "Attach the receipt from the authority, or write why there is none."


class ReferenceIsMissing(Refusal):
    """A filed report without the number of its submission."""

    message = "Write the reference number of the submission. It stands on the receipt."


class PhaseDoesNotFollow(Refusal):
    """A first report after the first, or a follow-up to nothing."""

    message = "A report of this kind cannot come next. First comes a first one; after it, follow-ups and a final one."


class ReportIsNotComplete(Refusal):
    """A final report that lacks what the law demands, or still says "to be determined"."""

    message = (
        "A final report must be complete, and answers are missing or provisional. File it as a follow-up instead."
    )


class Phase(StrEnum):
    """Which of the reports on one breach this is (GDPR Art. 33(4))."""

    INITIAL = "initial"
    FOLLOW_UP = "follow_up"
    FINAL = "final"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Filing:
    """One report that was filed by hand, with what the authority gave back. `phase` is one of `Phase`."""

    version: int
    phase: str
    filed_at: datetime
    reference: str
    journal_number: str = ""
    receipt_id: str | None = None
    no_receipt_reason: str = ""
    late_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed(Filing):
    """A filing as it stands in the file: to whom, with the digest of what was frozen, and whether it was the last."""

    authority: str
    digest: str
    complete: bool = False


def late(filed_at: datetime, due_at: datetime | None) -> bool:
    """Return whether a report came after its deadline; exactly on it is in time (GDPR Art. 33(1))."""
    return due_at is not None and filed_at > due_at


def possible_phases(earlier: Sequence[Filing]) -> tuple[Phase, ...]:
    """Return which kinds of report may come next, the usual one first; after a withdrawal, none."""
    if not earlier:
        return (Phase.INITIAL, Phase.FINAL)
    if earlier[-1].phase == Phase.WITHDRAWN:
        return ()
    return (Phase.FOLLOW_UP, Phase.FINAL, Phase.WITHDRAWN)


def check_filing(
    filing: Filing,
    *,
    became_aware_at: datetime | None,
    due_at: datetime | None,
    earlier: Sequence[Filing],
    now: datetime,
    open_points: Sequence[str] = (),
) -> None:
    """Raise the first of `filing_mistakes`."""
    for mistake in filing_mistakes(
        filing, became_aware_at=became_aware_at, due_at=due_at, earlier=earlier, now=now, open_points=open_points
    ):
        raise mistake


def filing_mistakes(
    filing: Filing,
    *,
    became_aware_at: datetime | None,
    due_at: datetime | None,
    earlier: Sequence[Filing],
    now: datetime,
    open_points: Sequence[str] = (),
) -> tuple[Refusal, ...]:
    """Return every reason not to count a report as filed.

    `due_at` is the strict deadline of Art. 33(1); it binds the first report only. `open_points` is what the record
    still lacks (open and unsettled together); it stands in the way of a final report only.
    """
    return (
        *_mistakes_of_time(filing, became_aware_at, earlier, now),
        *_mistakes_of_proof(filing),
        *_mistakes_of_phase(filing, earlier, open_points),
        *_mistakes_of_lateness(filing, due_at, earlier),
    )


def _mistakes_of_time(
    filing: Filing, became_aware_at: datetime | None, earlier: Sequence[Filing], now: datetime
) -> Iterator[Refusal]:
    if became_aware_at is None:
        yield AwarenessIsNotRecorded(field="filed_at")
    elif filing.filed_at < became_aware_at:
        yield FiledBeforeAwareness(field="filed_at")
    if filing.filed_at > now:
        yield FiledInTheFuture(field="filed_at")
    if earlier and filing.filed_at < earlier[-1].filed_at:
        yield FiledBeforeTheEarlierOne(field="filed_at")


def _mistakes_of_proof(filing: Filing) -> Iterator[Refusal]:
    if not filing.reference.strip():
        yield ReferenceIsMissing(field="reference")
    if filing.receipt_id is None and not filing.no_receipt_reason.strip():
        yield ReceiptIsMissing(field="receipt")


def _mistakes_of_phase(filing: Filing, earlier: Sequence[Filing], open_points: Sequence[str]) -> Iterator[Refusal]:
    possible = possible_phases(earlier)
    if filing.phase not in possible:
        yield PhaseDoesNotFollow(field="phase", phase=filing.phase, possible=", ".join(possible) or "-")
    elif filing.phase == Phase.FINAL and open_points:
        yield ReportIsNotComplete(field="phase", points=", ".join(open_points))


def _mistakes_of_lateness(filing: Filing, due_at: datetime | None, earlier: Sequence[Filing]) -> Iterator[Refusal]:
    if not earlier and late(filing.filed_at, due_at) and not filing.late_reason.strip():
        yield LateReasonIsMissing(field="late_reason")
