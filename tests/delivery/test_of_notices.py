"""What a notice knows of its deliveries: counts, who was reached, the ledger, and what is settled in bulk."""

import pytest
from sqlalchemy import update

from incident_tracker.delivery.parcel import Contents
from incident_tracker.delivery.settle import Decision
from incident_tracker.store import delivery_contents
from incident_tracker.store.deliveries import of_notices
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.tables.keys import DataKey
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import Channel
from tests.delivery.crowd import LETTER, Crowd, make_crowd
from tests.delivery.world import World


@pytest.fixture
def crowd(world: World) -> Crowd:
    world.routing["email"] = ("letters",)
    return make_crowd(world)


def become(crowd: Crowd, recipient: str, channel: str, state: str) -> None:
    with crowd.world.database.writing() as session:
        session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.recipient_id == recipient, DeliveryRow.channel == channel)
            .values(state=state, provider_id=f"id-{recipient}-{channel}")
        )


def test_telling_the_same_people_twice_makes_one_row_each(crowd: Crowd) -> None:
    assert crowd.enqueue(range(1200)) == 1200

    assert crowd.enqueue(range(1100, 1300)) == 100
    assert crowd.counts() == {"pending": 1300}


def test_a_delivery_keeps_address_and_values_and_the_text_is_kept_once(crowd: Crowd) -> None:
    crowd.enqueue(range(2), Channel.EMAIL)
    row = crowd.world.row(crowd.ids()[0])

    parcel = Contents(crowd.world.database, crowd.world.keyring).parcel(row.sealed, row.content_id)

    assert parcel.content == LETTER
    assert parcel.address.endswith("@example.dk")
    assert row.address_hash == parcel.address.encode()
    assert len(row.sealed) < len(LETTER.text) + 100
    assert (
        parcel.message("a", "d", None).text()
        == f"Kære {parcel.values['name']}. Dine oplysninger lå åbne. Nordlys ApS"
    )


def test_a_text_whose_key_is_destroyed_can_no_longer_be_opened(crowd: Crowd) -> None:
    crowd.enqueue(range(1), Channel.EMAIL)
    row = crowd.world.row(crowd.ids()[0])
    with crowd.world.database.writing() as session:
        session.execute(update(DataKey).where(DataKey.kind == "record").values(wrapped=None))
    crowd.world.keyring._keys.clear()

    with pytest.raises(KeyIsGone):
        Contents(crowd.world.database, crowd.world.keyring).parcel(row.sealed, row.content_id)


def test_few_contents_stay_in_memory(crowd: Crowd) -> None:
    contents = Contents(crowd.world.database, crowd.world.keyring, most=1)
    crowd.enqueue(range(1), Channel.EMAIL)
    crowd.enqueue(range(1), Channel.SMS)

    for _ in range(2):
        for content_id in crowd.contents.values():
            assert contents.get(content_id) is contents.get(content_id)
        assert len(contents._known) == 1


def test_the_counts_know_all_eight_states_and_only_what_the_reader_may_see(crowd: Crowd) -> None:
    crowd.enqueue(range(3))
    become(crowd, "r000001", "sms", "delivered")
    other = make_crowd(crowd.world, 2)

    with crowd.world.database.reading() as session:
        counts = of_notices.counts(session, frozenset({1}), [crowd.notice, other.notice])
        foreign = of_notices.counts(session, frozenset({2}), [crowd.notice])

    assert counts[crowd.notice]["pending"] == 2
    assert counts[crowd.notice]["delivered"] == 1
    assert len(counts[crowd.notice]) == 8
    assert sum(counts[other.notice].values()) == 0
    assert foreign == {}


@pytest.mark.parametrize("state", ["pending", "sending", "in_doubt"])
def test_a_notice_with_an_open_row_is_not_finished(crowd: Crowd, state: str) -> None:
    crowd.enqueue(range(2))
    become(crowd, "r000000", "sms", "failed")
    become(crowd, "r000001", "sms", state)
    with crowd.world.database.reading() as session:
        assert of_notices.any_open(session, crowd.notice)

    become(crowd, "r000001", "sms", "accepted")

    with crowd.world.database.reading() as session:
        assert not of_notices.any_open(session, crowd.notice)


def test_a_person_is_reached_on_one_channel_and_unreached_only_when_all_failed(crowd: Crowd) -> None:
    for channel in (Channel.SMS, Channel.EMAIL):
        crowd.enqueue(range(4), channel)
    for recipient, sms, email in (
        ("r000000", "failed", "delivered"),
        ("r000001", "failed", "suppressed"),
        ("r000002", "cancelled", "in_doubt"),
        ("r000003", "accepted", "delivered"),
    ):
        become(crowd, recipient, "sms", sms)
        become(crowd, recipient, "email", email)

    with crowd.world.database.reading() as session:
        assert of_notices.reached(session, crowd.notice) == 2
        assert of_notices.unreached(session, None, crowd.notice, limit=10) == ["r000001"]
        assert of_notices.unreached(session, None, crowd.notice, after="r000001", limit=10) == []
        assert of_notices.unreached(session, frozenset({2}), crowd.notice, limit=10) == []


def test_the_digest_changes_with_one_outcome_and_not_with_the_order_of_writing(crowd: Crowd) -> None:
    crowd.enqueue(range(5))
    with crowd.world.database.reading() as session:
        before = of_notices.outcome_digest(session, crowd.notice)
        assert of_notices.outcome_digest(session, crowd.notice) == before

    become(crowd, "r000003", "sms", "failed")

    with crowd.world.database.reading() as session:
        assert of_notices.outcome_digest(session, crowd.notice) != before


def test_the_ledger_is_read_page_by_page_and_by_state(crowd: Crowd) -> None:
    crowd.enqueue(range(25))
    for number in range(0, 25, 2):
        become(crowd, f"r{number:06d}", "sms", "delivered")
    seen: list[str] = []

    with crowd.world.database.reading() as session:
        while page := of_notices.ledger(session, None, crowd.notice, after=seen[-1] if seen else "", limit=10):
            seen.extend(one.id for one in page)
        some = of_notices.ledger(session, None, crowd.notice, states=["delivered"], limit=50)
        none = of_notices.ledger(session, frozenset({2}), crowd.notice)
        own = of_notices.of_recipient(session, None, "r000002")

    assert seen == list(crowd.ids())
    assert {one.recipient_id for one in some} == {f"r{number:06d}" for number in range(0, 25, 2)}
    assert none == []
    assert [(one.recipient_id, one.state) for one in own] == [("r000002", "delivered")]


def test_what_waits_is_cancelled_in_pieces_and_nothing_else(crowd: Crowd) -> None:
    crowd.enqueue(range(10))
    become(crowd, "r000001", "sms", "delivered")
    other = make_crowd(crowd.world, 2)
    other.enqueue(range(3))
    done = []

    while not done or done[-1] == 4:
        with crowd.world.database.writing() as session:
            done.append(of_notices.cancel_pending(session, crowd.notice, crowd.world.clock(), 4))

    assert done == [4, 4, 1]
    assert crowd.counts() == {"cancelled": 9, "delivered": 1}
    assert crowd.world.row(crowd.ids("cancelled")[0]).reason == "the sending was stopped"
    assert other.counts() == {"pending": 3}


@pytest.mark.parametrize(
    ("decision", "state", "marked"), [(Decision.AGAIN, "pending", True), (Decision.SENT, "accepted", False)]
)
def test_doubts_are_settled_in_bulk(crowd: Crowd, decision: Decision, state: str, *, marked: bool) -> None:
    crowd.enqueue(range(5))
    for number in range(3):
        become(crowd, f"r{number:06d}", "sms", "in_doubt")
    doubtful = crowd.ids("in_doubt")

    with crowd.world.database.writing() as session:
        assert of_notices.settle_doubts(session, crowd.notice, decision, crowd.world.clock(), 2) == 2
        assert of_notices.settle_doubts(session, crowd.notice, decision, crowd.world.clock(), 2) == 1

    rows = [crowd.world.row(one) for one in doubtful]
    assert {row.state for row in rows} == {state}
    assert {row.possible_duplicate for row in rows} == {marked}


def test_what_a_message_says_is_read_with_its_shared_text(crowd: Crowd) -> None:
    crowd.enqueue(range(1), Channel.EMAIL)
    with crowd.world.database.reading() as session:
        held = delivery_contents.sealed(session, None, crowd.ids())[crowd.ids()[0]]

    assert held.content_id == crowd.contents[Channel.EMAIL]
    assert held.recipient_id == "r000000"
    assert held.notice_id == crowd.notice
