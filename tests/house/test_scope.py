"""Walls between controllers: every table says whose its rows are, and every query asks for whom it answers."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from incident_tracker.store.tables import Table
from tests.house import tree

STORE = tree.ROOT / "incident_tracker" / "store"

OF_NOBODY: Mapping[str, str] = {
    "controllers": "they are the controllers",
    "users": "a member of staff may serve several controllers; `grants` says which",
    "sessions": "a sign-in belongs to a member of staff",
    "slowdowns": "failures at a door, before anybody is known",
    "installation": "facts about the installation",
    "journal_head": "one chain for the installation",
    "callbacks": "what a provider told us, before it is known whom it concerns",
    "lanes": "the state of a notifier, which serves all",
    "heartbeats": "signs of life of the nodes",
    "data_keys": "the wrapped keys, found by id",
    "tokens": "a token belongs to a member of staff",
    "idempotency_keys": "an answer belongs to a token",
}

_CLOCK = "the clock serves all controllers"
_ENGINE = "the outbox engine sends for all controllers"
_REPLY = "a person on call may have one number for several controllers"
FOR_THE_CLOCK: Mapping[str, str] = {
    "alerts.acknowledge": "the caller has found these alerts in its scope",
    "approvals.by_invitation": "the one-time link is the proof",
    "approvals.of_subject": "the caller has found this incident in its scope",
    "alerts.claim_steps": _CLOCK,
    "alerts.due_steps": _CLOCK,
    "alerts.newest_told": _REPLY,
    "alerts.open_told": _REPLY,
    "alerts.references": "the caller has found these alerts in its scope",
    "attachments.sizes": "files and rows of the whole installation are compared",
    "backup_state.open_references": "a restore brings back the whole installation",
    "backup_state.take_back": "a restore brings back the whole installation",
    "callbacks.by_provider_id": _ENGINE,
    "callbacks.tries": _ENGINE,
    "controllers.contact_ids_by_phone": _REPLY,
    "delivery_contents.alerts_of": "the caller has found this delivery in its scope",
    "deliveries.adding.add": "it returns the ids of the rows it was given",
    "deliveries.claiming.claim": _ENGINE,
    "deliveries.claiming.sending_notices": _ENGINE,
    "deliveries.claiming.claim_of_notice": _ENGINE,
    "deliveries.claiming.waiting_routes": _ENGINE,
    "deliveries.contents.sealed_content": "whoever may read the delivery may read its text",
    "deliveries.doubts.known_to_provider": _ENGINE,
    "deliveries.doubts.last_attempts": _ENGINE,
    "deliveries.doubts.take_doubtful": _ENGINE,
    "deliveries.doubts.take_for_look_up": _ENGINE,
    "deliveries.of_notices.outcome_digest": "the caller has found this notice in its scope",
    "deliveries.results.standing": _ENGINE,
    "deliveries.wanted.unwanted": _ENGINE,
    "incidents.heads": _CLOCK,
    "incidents.save": "the caller has loaded this incident in its scope",
    "people.add": "it returns the ids of the rows it was given",
    "people.after": "the engine of notices; its caller has loaded this incident",
    "people_imports.silent": _CLOCK,
    "journal.entries": "the chain is verified as a whole",
    "notices.left_waiting": _CLOCK,
    "notices.people_by_address": "the caller has found this incident in its scope",
    "notices.people_by_ids": "the caller has found this incident in its scope",
    "notices.sending": _CLOCK,
    "notices.states_of_recipients": "the caller has found this notice in its scope",
    "obligations.by_ids": _CLOCK,
    "obligations.claim_due": _CLOCK,
    "obligations.due_obligations": _CLOCK,
    "obligations.take_due": _CLOCK,
    "partners.agreement_sizes": "files and rows of the whole installation are compared",
    "partners.by_tip": "a partner's link is the proof, before anybody is known",
    "soundness.missing_keys": "the whole installation is looked at",
    "suspicions.paged_controllers": _REPLY,
    "suspicions.waiting": _CLOCK,
    "users.by_email": "signing in, before anybody is known",
    "users.get": "an account serves several controllers; its grants come along",
}
"""Queries that serve all controllers, each with its reason."""


def scoped_rows() -> set[str]:
    """Return the classes of the tables whose rows belong to a controller."""
    return {one.class_.__name__ for one in Table.registry.mappers if "controller_id" in one.local_table.c}


def queries() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every public function of the store that selects rows of a controller, by module and name."""
    rows = scoped_rows()
    for file in sorted(one for one in STORE.rglob("*.py") if not {"tables", "migrations"} & set(one.parts)):
        module = ast.parse(file.read_text("utf-8"))
        functions = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef)}
        shared = set(_assigned_from(module, rows)) | rows
        for name, function in functions.items():
            if name.startswith("_") or not _takes_session(function):
                continue
            if _selects(function, shared, functions):
                yield f"{_module(file)}.{name}", function


def _module(file: Path) -> str:
    return file.relative_to(STORE).with_suffix("").as_posix().replace("/", ".")


def _assigned_from(module: ast.Module, rows: set[str]) -> Iterator[str]:
    known = set(rows)
    for one in module.body:
        if isinstance(one, ast.ImportFrom) and (one.module or "").endswith(".columns"):
            yield from (name.name for name in one.names)
            known |= {name.name for name in one.names}
        if isinstance(one, ast.Assign) and _names(one.value) & known:
            for target in one.targets:
                if isinstance(target, ast.Name):
                    known.add(target.id)
                    yield target.id


def _takes_session(function: ast.FunctionDef) -> bool:
    return any(one.arg == "session" for one in function.args.args)


def _selects(function: ast.FunctionDef, shared: set[str], functions: Mapping[str, ast.FunctionDef]) -> bool:
    """Return whether a function gives rows back: it reads a scoped table and returns something other than None."""
    returns = ast.unparse(function.returns) if function.returns else "None"
    if returns in ("None", "int", "bool", "tuple[int, int]"):
        return False
    names = _names(function)
    helpers = {name for name in names if name.startswith("_") and name in functions}
    reached = names | {name for helper in helpers for name in _names(functions[helper])}
    return bool(reached & shared) and "insert" not in {name for name in names if name == "insert"}


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def test_every_table_says_whose_its_rows_are() -> None:
    unscoped = {table.name for table in Table.metadata.tables.values() if "controller_id" not in table.c}
    assert unscoped == set(OF_NOBODY)


def test_every_query_asks_for_whom_it_answers_or_serves_the_clock() -> None:
    without = {name for name, function in queries() if "scope" not in {one.arg for one in _arguments(function)}}
    assert without == set(FOR_THE_CLOCK)


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return function.args.args + function.args.kwonlyargs


def test_the_store_is_found() -> None:
    assert Path(STORE / "incidents.py").is_file()
    assert "incidents.board" in {name for name, _ in queries()}
