"""The Danish report: Datatilsynet's questions in their order, in Danish and English.

The questions are data, `config/authorities/dk.toml`; an administrator corrects them without code. The record is the
plain mapping that `notifiers.protocol.AuthorityReport` describes; besides canonical keys this plugin reads:
`report.as_of` (is it late by now?), `report.zone` (for showing times), `report.answers` (own words by question key,
which stand before derived answers; for a question with choices, a code), `report.findings` (kinds of personal data
found by canonical or question key: they become warnings).
"""

from notifiers.datatilsynet.report import DatatilsynetReport

__all__ = ["DatatilsynetReport"]
