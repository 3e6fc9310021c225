"""Every contrast that the look promises, computed again from tokens.css (WCAG 2.2: text 4.5, graphics 3)."""

import re
from itertools import product

import pytest

from tests.house.tree import ROOT

TOKENS = (ROOT / "incident_tracker" / "web" / "static" / "tokens.css").read_text()
THEMES = ("light", "dark")

# Two tokens, then what the look states for light and for dark, then what the law of contrast needs.
PAIRS = [
    *(("ink", on, *stated, 4.5) for on, stated in {
        "ground": (14.29, 15.66), "sheet": (16.45, 14.15), "well": (15.24, 12.91), "week": (13.97, 12.16)}.items()),
    *(("ink2", on, *stated, 4.5) for on, stated in {
        "ground": (6.82, 8.72), "sheet": (7.85, 7.89), "well": (7.27, 7.20), "week": (6.67, 6.77)}.items()),
    *(("link", on, *stated, 4.5) for on, stated in {
        "ground": (7.20, 10.24), "sheet": (8.29, 9.26), "well": (7.68, 8.45)}.items()),
    ("onaction", "action", 12.30, 12.76, 4.5),
    ("action", "ground", 10.46, 13.81, 3),
    ("action", "sheet", 12.04, 12.49, 3),
    *(("edge", on, *stated, 3) for on, stated in {
        "ground": (3.81, 4.78), "sheet": (4.38, 4.32), "well": (4.06, 3.94), "week": (3.72, 3.71)}.items()),
    *(("focus", on, *stated, 3) for on, stated in {
        "ground": (5.63, 9.23), "sheet": (6.48, 8.34), "well": (6.01, 7.61)}.items()),
    ("sheet", "ink", 16.45, 14.15, 4.5),
    ("sheet", "over-t", 7.72, 8.30, 4.5),
    ("over-t", "ground", 6.71, 9.19, 4.5),
    ("over-t", "sheet", 7.72, 8.30, 4.5),
    ("over-t", "well", 7.15, 7.58, 4.5),
]  # fmt: skip

# Each standing: its text on sheet, ground and its own tint; its stroke on sheet, ground and week; light, then dark.
STANDINGS = {
    "open": ((7.76, 6.74, 6.47, 4.94, 4.29, 4.20), (8.96, 9.91, 7.46, 5.92, 6.55, 5.09)),
    "appr": ((7.61, 6.62, 6.57, 4.13, 3.59, 3.51), (9.49, 10.50, 8.23, 6.90, 7.64, 5.93)),
    "over": ((7.72, 6.71, 6.25, 5.36, 4.65, 4.55), (8.30, 9.19, 7.71, 5.41, 5.99, 4.65)),
    "met": ((7.45, 6.47, 6.24, 4.80, 4.17, 4.08), (9.27, 10.26, 7.99, 6.17, 6.82, 5.30)),
    "late": ((8.43, 7.32, 6.93, 5.51, 4.79, 4.68), (8.46, 9.36, 7.75, 5.43, 6.00, 4.66)),
    "aside": ((7.35, 6.39, 5.98, 4.38, 3.81, 3.72), (7.89, 8.72, 6.82, 4.32, 4.78, 3.71)),
}


def _block(selector: str) -> dict[str, str]:
    found = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", TOKENS)
    assert found, selector
    return dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6});", found[1]))


LIGHT, CHOSEN_DARK = _block(":root"), _block(':root[data-theme="dark"]')
COLOURS = {"light": LIGHT, "dark": LIGHT | CHOSEN_DARK}


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Compute the contrast of two colours as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("front", "back", "light", "dark", "needed"), PAIRS)
def test_a_pair_has_the_contrast_it_is_stated_with(
    front: str, back: str, light: float, dark: float, needed: float
) -> None:
    for theme, stated in zip(THEMES, (light, dark), strict=True):
        found = contrast(COLOURS[theme][front], COLOURS[theme][back])
        assert found == pytest.approx(stated, abs=0.006), theme
        assert found >= needed, theme


@pytest.mark.parametrize(("standing", "theme"), list(product(STANDINGS, THEMES)))
def test_a_standing_has_the_contrast_it_is_stated_with(standing: str, theme: str) -> None:
    colours, stated = COLOURS[theme], STANDINGS[standing][THEMES.index(theme)]
    grounds = ("sheet", "ground", f"{standing}-b", "sheet", "ground", "week")
    for place, (ground, ratio) in enumerate(zip(grounds, stated, strict=True)):
        front = f"{standing}-{'t' if place < 3 else 's'}"
        found = contrast(colours[front], colours[ground])
        assert found == pytest.approx(ratio, abs=0.006), (front, ground)
        assert found >= (4.5 if place < 3 else 3), (front, ground)


def test_dark_by_choice_and_dark_by_the_machine_are_the_same() -> None:
    assert _block(":root:not([data-theme])") == CHOSEN_DARK


def test_what_only_parts_things_is_weak_on_purpose() -> None:
    for theme in THEMES:
        for token in ("line", "gone"):
            assert 1.2 < contrast(COLOURS[theme][token], COLOURS[theme]["sheet"]) < 3


def test_no_colour_stands_outside_the_tokens() -> None:
    sheet = (ROOT / "incident_tracker" / "web" / "static" / "app.css").read_text()
    assert set(re.findall(r"#[0-9A-Fa-f]{3,8}\b(?=[;\s,)])", sheet)) <= {"#fff"}
