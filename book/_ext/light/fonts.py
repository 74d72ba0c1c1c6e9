"""Two fonts cut down to what the pages use: formulas, and the theme's icons.

The fonts come whole from where they are made; what a page cannot show is left out anew at every
build. Latin Modern Math stands in `fonts/`, the icons in the theme.
"""

import re
import unicodedata
from collections.abc import Iterable
from html import unescape
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

MATH = Path(__file__).parent / "fonts/latinmodern-math.woff2"
FORMULA = re.compile(r"<math[ >].*?</math>", re.DOTALL)
ANNOTATION = re.compile(r"<annotation.*?</annotation>", re.DOTALL)
# Where the slanted letters of mathematics begin; a page names their upright ones.
SLANTED = {"a": 0x1D44E, "A": 0x1D434, "α": 0x1D6FC, "Α": 0x1D6E2}
APART = {"h": "ℎ", "∂": "𝜕", "ϵ": "𝜖", "ϑ": "𝜗", "ϰ": "𝜘", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛"}
# Signs that no formula says, since an element does.
IMPLIED = "√()[]"
TALLEST = 2.25  # of brackets, in em: those around a fraction


def slanted(letter: str) -> str:
    """Return the letter that a browser shows where a formula has one letter alone."""
    if letter in APART:
        return APART[letter]
    for first, code in SLANTED.items():
        if 0 <= ord(letter) - ord(first) < (26 if first in "aA" else 25):
            return chr(code + ord(letter) - ord(first))
    return letter


def characters(page: str) -> set[str]:
    """Return what the formulas of a page show, in both forms of its letters."""
    found = set()
    for formula in FORMULA.findall(page):
        found |= set(unescape(re.sub(r"<[^>]*>", "", ANNOTATION.sub("", formula))))
    upright = {one for one in found if unicodedata.category(one) not in ("Cf", "Cc")}
    return upright | {slanted(one) for one in upright}


def cut(font: TTFont, codes: Iterable[int], features: list[str]) -> bytes:
    """Return a font with these characters alone, as WOFF2."""
    options = subset.Options(layout_features=features, hinting=False, name_IDs=[], drop_tables=[])
    options.drop_tables += ["FFTM"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff2"
    out = BytesIO()
    font.save(out)
    return out.getvalue()


def formula_font(shown: set[str]) -> bytes:
    """Return the font of the formulas.

    Raises
    ------
    ValueError
        If the whole font has no sign for one of the characters.
    """
    font = TTFont(MATH)
    codes = {ord(one) for one in shown | set(IMPLIED)}
    if missing := codes - set(font.getBestCmap()):
        names = ", ".join(f"{chr(one)} (U+{one:04X})" for one in sorted(missing))
        raise ValueError(f"{MATH.name} has no sign for {names}: write the formula without it")
    tighten(font)
    keep_primes(font)
    return cut(font, codes, ["ssty"])


def tighten(font: TTFont) -> None:
    """Take from signs that grow the sizes that are much wider, beyond those around a fraction.

    Chromium gives a bracket or a root the width of its widest size, whichever it draws, so that a
    gap stands beside the smaller ones. The smallest root becomes as wide as the others.
    """
    em = font["head"].unitsPerEm
    width = {name: advance for name, (advance, _) in font["hmtx"].metrics.items()}
    variants = font["MATH"].table.MathVariants
    for name, sizes in zip(
        variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction, strict=True
    ):
        widest = 1.3 * width[name]
        sizes.MathGlyphVariantRecord = [
            one
            for one in sizes.MathGlyphVariantRecord
            if one.AdvanceMeasurement <= TALLEST * em or width[one.VariantGlyph] <= widest
        ]
        sizes.VariantCount = len(sizes.MathGlyphVariantRecord)
        parts = sizes.GlyphAssembly.PartRecords if sizes.GlyphAssembly else []
        if any(width[part.glyph] > widest for part in parts):
            sizes.GlyphAssembly = None
    widen(font, "radical", width["radical.v1"])
    # TeX's own place of an index. The font has that of one below a power, and browsers lower it
    # further under a letter that reaches below the line.
    constants = font["MATH"].table.MathConstants
    constants.SubscriptShiftDown.Value = round(0.15 * em)
    constants.SubscriptBaselineDropMin.Value = 0


def widen(font: TTFont, name: str, advance: int) -> None:
    """Draw a sign wider."""
    drawings = font["CFF "].cff.topDictIndex[0].CharStrings
    before, (old, bearing) = drawings[name], font["hmtx"][name]
    share = advance / old
    pen = T2CharStringPen(advance, None)
    font.getGlyphSet()[name].draw(TransformPen(pen, (share, 0, 0, 1, 0, 0)))
    drawings[name] = pen.getCharString(private=before.private, globalSubrs=before.globalSubrs)
    font["hmtx"][name] = (advance, round(bearing * share))


def keep_primes(font: TTFont) -> None:
    """Leave of the forms for small letters those of the prime: all others double the font."""
    prime = font.getBestCmap()[0x2032]
    rules = font["GSUB"].table
    for record in rules.FeatureList.FeatureRecord:
        for number in record.Feature.LookupListIndex if record.FeatureTag == "ssty" else []:
            for table in rules.LookupList.Lookup[number].SubTable:
                forms = getattr(table, "ExtSubTable", table).alternates
                for name in set(forms) - {prime}:
                    del forms[name]


def icon_font(path: Path, codes: set[int]) -> bytes | None:
    """Return a font of icons with these code points, or None if it has none of them."""
    font = TTFont(path)
    found = codes & set(font.getBestCmap())
    return cut(font, found, []) if found else None
