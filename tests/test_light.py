"""What makes the pages light: each transformation, on small things that it could break."""

import base64
import json
import re
from io import BytesIO
from pathlib import Path

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont
from light import fonts, formulas, pictures, scripts, styles
from light.fonts import formula_font, icon_font
from light.formulas import mathml
from light.pictures import with_palette, with_size
from PIL import Image, ImageDraw

pytestmark = pytest.mark.pages


# Formulas


def tags(text):
    return re.findall(r"<(\w+)", text)


def test_a_formula_keeps_its_tex():
    text = mathml(r"x < \frac{1}{2}")

    assert "mfrac" in tags(text)
    assert '<annotation encoding="application/x-tex">x &lt; \\frac{1}{2}</annotation>' in text


def test_rows_outside_an_environment_are_aligned():
    assert tags(mathml(r"a &= b \\ c &= d", display=True)).count("mtr") == 2
    inside = r"\begin{aligned} a &= b \\ c &= d \end{aligned}"
    assert tags(mathml(inside, display=True)).count("mtable") == 1


@pytest.mark.parametrize("wrong", [r"\frac{1}{2", r"\nosuchcommand x", "x_1_2"])
def test_a_formula_that_cannot_be_set_is_a_warning_where_it_stands(wrong, monkeypatch):
    warned = []
    monkeypatch.setattr(formulas.log, "warning", lambda *args, location: warned.append(location))

    formulas.set_formula(wrong, False, "page 7")

    assert warned == ["page 7"]


def brackets(tex):
    """Say of each bracket whether it grows."""
    return ["stretchy" not in one for one in re.findall(r"<mo([^>]*)>[()]</mo>", mathml(tex))]


def test_brackets_around_one_line_do_not_grow():
    assert brackets(r"\left(1 - \beta_1\right) g") == [False, False]
    assert brackets(r"\left(x\right)^2") == [False, False]
    assert brackets(r"\left(1 - \tfrac{1}{2}\right)") == [False, False]
    assert brackets(r"\left(\hat x\right)") == [False, False]
    assert brackets(r"\left(\frac{1}{2}\right)") == [True, True]
    assert brackets(r"\left(\frac{1}{2}\right)^2") == [True, True]


def test_a_double_prime_is_two():
    assert "′′" in mathml("f''")


def test_a_sign_that_begins_a_row_stands_between_two_things():
    rows = mathml(r"\begin{aligned} a &= b \\ &\quad - c \\ &+ d \end{aligned}", display=True)

    assert re.findall(r'<mo form="infix">(.)</mo>', rows) == ["−", "+"]
    assert "infix" not in mathml("-a")


def test_formulas_in_html_are_set():
    context = {"body": r'<summary><span class="mathjax_process">\(a &lt; b\)</span></summary>'}
    formulas.set_marked(None, "page", "", context, None)

    assert context["body"].startswith("<summary><math>")
    assert "mathjax" not in context["body"]


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ("a <math>x</math>, b", "<math>x</math>,"),
        (
            '("<span class="math"><math>x</math></span>")',
            '"<span class="math"><math>x</math></span>"',
        ),
        ("<em><math>x</math>’s</em>", "<math>x</math>’"),
        ("the <math>p</math>-th", "<math>p</math>-"),
        ("<code>a&amp;</code><math>x</math>&amp;", "<math>x</math>&amp;"),
    ],
)
def test_a_formula_and_the_signs_beside_it_are_on_one_line(body, held):
    context = {"body": body}
    formulas.set_marked(None, "page", "", context, None)

    assert f'<span class="joined">{held}</span>' in context["body"]


def test_a_formula_between_spaces_is_left_alone():
    context = {"body": "<p>a <math>x</math> b–<math>y</math> <b>c</b><math>z</math><br></p>"}
    before = context["body"]
    formulas.set_marked(None, "page", "", context, None)

    assert context["body"] == before


# Fonts


def font_of(data):
    return TTFont(BytesIO(data))


def test_the_font_has_what_the_formulas_show_and_little_more():
    page = "<p>Q</p>" + mathml(r"\hat m_t + \sqrt{\beta}")
    data = formula_font(fonts.characters(page))
    has = set(map(chr, font_of(data).getBestCmap()))

    assert {"𝑚", "𝑡", "𝛽", "+", "√", "ˆ"} <= has
    assert not has & set("Q𝑄")
    assert len(data) < 12_000


def test_what_the_font_cannot_show_is_an_error():
    with pytest.raises(ValueError, match=r"no sign for 中 \(U\+4E2D\)"):
        formula_font({"x", "中"})


@pytest.mark.parametrize(
    ("upright", "slanted"), [("x", "𝑥"), ("h", "ℎ"), ("W", "𝑊"), ("β", "𝛽"), ("ϵ", "𝜖"), ("1", "1")]
)
def test_a_letter_alone_is_slanted(upright, slanted):
    assert fonts.slanted(upright) == slanted


def test_signs_that_grow_have_no_size_much_wider_than_they_are():
    """Else Chromium leaves the difference beside them."""
    font = font_of(formula_font(set("()[]|")))
    variants = font["MATH"].table.MathVariants
    sizes = dict(
        zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction, strict=True)
    )

    for name in ("parenleft", "parenright", "bracketleft"):
        heights = [one.AdvanceMeasurement for one in sizes[name].MathGlyphVariantRecord]
        assert 2000 < max(heights) <= 1000 * fonts.TALLEST
        assert sizes[name].GlyphAssembly is None
    assert sizes["bar"].GlyphAssembly is not None
    roots = [one.VariantGlyph for one in sizes["radical"].MathGlyphVariantRecord]
    assert {font["hmtx"][name][0] for name in roots} == {1000}
    assert font["MATH"].table.MathConstants.SubscriptShiftDown.Value == 150


def test_icons_are_those_asked_for():
    (path,) = Path(pydata_sphinx_theme.__file__).parent.rglob("fa-solid-900.woff2")
    data = icon_font(path, {0xF185, 0xF09B})  # a sun, and a mark that another font has

    assert set(font_of(data).getBestCmap()) == {0xF185}
    assert len(data) < 2000
    assert icon_font(path, {0x4E2D}) is None


# Pictures


def figure(path, mode="RGB"):
    picture = Image.new(mode, (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    for i in range(300):
        draw.line((i, 10, 390, i), fill=(i % 256, 90, 200 - i // 2))
    picture.save(path)
    return picture


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_palette_makes_a_picture_small_and_leaves_white_white(tmp_path, mode):
    path = tmp_path / "figure.png"
    before = figure(path, mode).convert("RGB")
    size = path.stat().st_size

    with_palette(path)

    with Image.open(path) as after:
        assert after.mode == "P"
        after = after.convert("RGB")
    assert path.stat().st_size < 0.6 * size
    assert after.getpixel((399, 299)) == (255, 255, 255)
    pairs = zip(before.tobytes(), after.tobytes(), strict=True)
    assert sum((a - b) ** 2 for a, b in pairs) / (400 * 300 * 3) < 4**2


def test_a_picture_with_a_palette_is_left_alone(tmp_path):
    path = tmp_path / "figure.png"
    figure(path)
    with_palette(path)
    once = path.read_bytes()

    with_palette(path)

    assert path.read_bytes() == once


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        ('<img alt="a" src="../_images/f.png" />', (400, 300)),
        ('<img alt="a" src="_images/f.png" style="width: 200px;" />', (200, 150)),
        ('<img src="f.png" style="width: 200px; height: 90px;" />', (200, 150)),
        ('<img src="f.png" width="100" />', (100, 75)),
        ('<img src="f.png" style="height: 150px" />', (200, 150)),
    ],
)
def test_a_picture_says_its_size_and_waits(tmp_path, tag, size):
    figure(tmp_path / "f.png")
    found = with_size(tag, {"f.png": tmp_path / "f.png"})

    assert f'width="{size[0]}" height="{size[1]}" loading="lazy"' in found
    assert found.count("width") == 1
    assert "style" not in found


def test_a_drawing_says_its_size_too(tmp_path):
    (tmp_path / "f.svg").write_text(
        '<svg width="345" height="584.5" stroke-width="1"><path/></svg>'
    )
    found = with_size('<img src="../_images/f.svg" />', {"f.svg": tmp_path / "f.svg"})

    assert 'width="345" height="584" loading="lazy"' in found


def test_a_picture_from_elsewhere_is_left_alone():
    assert with_size('<img src="logo.svg">', {}) == '<img src="logo.svg">'


# Style sheets


def styled(css, page, script=""):
    names = styles.Names()
    names.read_page(page)
    names.read_script(script)
    return styles.written(styles.prune(styles.parse(css), names), names)


@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        (".a{color:red}", True),
        (".b{color:red}", False),
        ("p.a > span{color:red}", False),
        ("#here{color:red}", True),
        ("#there{color:red}", False),
        ("[title]{color:red}", True),
        ("[data-open]{color:red}", False),
        ("p:not(.b){color:red}", True),
        ("p:is(.b,.a){color:red}", True),
        ("p:is(.b,.c){color:red}", False),
        ("p:has(> .b){color:red}", False),
        ('p::before{content:"x"}', True),
        ("p:hover .b{color:red}", False),
        ("*{color:red}", True),
        ("@media print{.a{color:red}}", True),
        ("@media print{.b{color:red}}", False),
    ],
)
def test_a_rule_stays_if_a_page_may_need_it(rule, stays):
    assert styled(rule, '<p class="a" id="here" title="x">') == (rule if stays else "")


def test_of_a_list_of_selectors_those_stay_that_may_be_needed():
    assert styled(".a,.b , p{color:red}", '<p class="a">') == ".a,p{color:red}"


def test_what_a_script_may_add_counts():
    assert styled(".show{color:red}", "<p>", 'e.classList.add("show")')
    assert styled("[data-theme-mode]{color:red}", "<p>", "e.dataset.themeMode = 1")
    assert styled(".b{color:red}", "<script>document.write(`<i class='b'>`)</script>")
    assert not styled(".show{color:red}", "<p>show", "show = 1")


def test_properties_that_nobody_reads_go():
    css = ":root{--a:1;--b:var(--c);--c:2;--d:var(--e);--e:3}p{width:var(--b)}"

    assert styled(css, "<html><p>") == ":root{--b:var(--c);--c:2}p{width:var(--b)}"
    assert "--e:3" in styled(css, '<html><p style="width:var(--d)">')


def test_addresses_lead_to_the_same_file_from_the_merged_sheet(tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/a.css").write_text(
        '@import "../b.css"; p{background:url(x.png)} q{background:url("data:image/png;base64,A")}'
    )
    (tmp_path / "deep/b.css").write_text('b{background:url("../y.png")}')
    names = styles.Names(tags={"b", "p", "q"})

    rules = styles.sheet(tmp_path / "deep/er/a.css", tmp_path)
    text = styles.written(styles.prune(rules, names), names)

    assert text == (
        'b{background:url("y.png")}p{background:url(deep/er/x.png)}'
        'q{background:url("data:image/png;base64,A")}'
    )


def test_animations_and_importance_stay():
    css = "@keyframes turn{to{rotate:1turn}}p{animation:turn 1s!important}"

    assert styled(css, "<p>") == css


# Scripts


class Script:
    def __init__(self, filename, body=""):
        self.filename, self.attributes = filename, {"body": body}


def test_scripts_come_where_they_have_work():
    assert scripts.needed(Script("_static/copybutton.js"), '<div class="highlight"><pre>')
    assert not scripts.needed(Script("_static/copybutton.js"), "<p>words</p>")
    assert scripts.needed(Script("_static/unknown.js"), "")
    assert not scripts.needed(Script(None, "DOCUMENTATION_OPTIONS.pagename = 'x';"), "")


def test_scripts_wait():
    answers = {"a": '<script src="a.js"></script>', "b": "<script>x = 1</script>"}
    context = {"js_tag": answers.get, "script_files": []}
    scripts.postpone(None, "page", "", context, None)

    assert context["js_tag"]("a") == '<script defer="defer" src="a.js"></script>'
    assert context["js_tag"]("b") == "<script>x = 1</script>"

    scripts.postpone(None, "search", "search.html", context := {"js_tag": len}, None)
    assert context == {"js_tag": len}


def test_a_notebook_to_download_has_the_pictures_of_its_page(tmp_path):
    small, path = tmp_path / "small.png", tmp_path / "one.ipynb"
    small.write_bytes(b"small")
    images = [base64.b64encode(content).decode() for content in (b"large", b"another")]
    outputs = [{"data": {"image/png": image}} for image in images] + [{"text": "none"}]
    path.write_text(json.dumps({"cells": [{"outputs": outputs}, {"source": "no code"}]}))

    pictures.lighten_notebook(path, {pictures.fingerprint(b"large"): small})

    (cell, other) = json.loads(path.read_text())["cells"]
    found = [output["data"]["image/png"] for output in cell["outputs"][:2]]
    assert [base64.b64decode(one) for one in found] == [b"small", b"another"]
    assert (cell["outputs"][2], other) == ({"text": "none"}, {"source": "no code"})
