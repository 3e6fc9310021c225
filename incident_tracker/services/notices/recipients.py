"""Who is told by a notice, in a fixed order: the people affected, or the partners concerned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from incident_tracker.domain.notices import PEOPLE, Notice
from incident_tracker.domain.partners import Partner, partner_id_of, recipient_id
from incident_tracker.store import notices as rows
from incident_tracker.store import partners, people
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to be told. `values` are further columns of the list; a missing address is empty.

    The hashes are the controller's keyed fingerprints of the addresses, where they are kept already.
    """

    id: str
    name: str
    email: str
    phone: str
    language: str
    values: Mapping[str, str] = field(default_factory=dict)
    email_hash: bytes | None = None
    phone_hash: bytes | None = None

    def address(self, channel: Channel) -> tuple[str, bytes | None]:
        """Return address and fingerprint for a channel."""
        return (self.phone, self.phone_hash) if channel is Channel.SMS else (self.email, self.email_hash)

    def first_of(self, channels: Iterable[Channel]) -> Channel | None:
        """Return the first of these channels by which she can be told."""
        return next((one for one in channels if self.address(one)[0]), None)


def recipients_after(session: Session, keyring: Keyring, notice: Notice, after: str, limit: int) -> list[Recipient]:
    """Return the next recipients of a notice by id, those after `after`; "" begins at the first."""
    if notice.audience != PEOPLE:
        concerned = partners.of_incident(
            session, keyring, notice.incident_id, None, after=partner_id_of(after) or 0, limit=limit
        )
        return [_of_partner(notice.incident_id, one) for one in concerned]
    found = people.after(session, notice.incident_id, after, limit)
    return [_of_person(keyring, one) for one in found]


def recipients_named(session: Session, keyring: Keyring, notice: Notice, ids: Sequence[str]) -> list[Recipient]:
    """Return the people with these ids among the recipients of a notice to people, in the order of their ids."""
    found = rows.people_by_ids(session, notice.incident_id, ids)
    return [_of_person(keyring, one) for one in sorted(found, key=lambda person: person.id)]


def _of_person(keyring: Keyring, sealed: people.SealedPerson) -> Recipient:
    person = people.open_person(keyring, sealed)
    return Recipient(
        id=person.id,
        name=person.name,
        email=person.email,
        phone=person.phone,
        language=person.language,
        values=person.fields,
        email_hash=sealed.email_hash,
        phone_hash=sealed.phone_hash,
    )


def _of_partner(incident_id: int, partner: Partner) -> Recipient:
    return Recipient(
        id=recipient_id(incident_id, partner.id),
        name=partner.contact.name or partner.name,
        email=partner.contact.email,
        phone=partner.contact.phone,
        language=partner.language,
    )
