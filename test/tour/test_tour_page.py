# SPDX-License-Identifier: Apache-2.0
"""People take the tour in Chromium: every page earns its code, in both languages, for everybody."""
import re
import subprocess

import pytest

from browser import MODULES, Tab
from real import ARTEFACTS, tool
from tour import NEVER, Tour, codes, recipes

pytestmark = pytest.mark.exam
BENGALI = re.compile("[\u0980-\u09ff]")
VERDICT = "document.querySelector('#verdict')"
FORETOLD = "Failed to load resource"  # what Chromium says of each 4xx and 5xx that is asked for
PICTURES = {"", "rules", "live", "100", "206", "412", "418", "503"}
# What can be reached by Tab, and whether a reader of it hears a name and a viewer sees the focus.
FOCUSED = """(() => {
    const on = document.activeElement, style = getComputedStyle(on);
    return { name: (on.ariaLabel || on.labels?.[0]?.innerText || on.innerText || "").trim(),
        tag: on.tagName, seen: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) > 1 };
})()"""


@pytest.fixture(name="tour", scope="module")
def running_tour(tmp_path_factory):
    with Tour(tmp_path_factory.mktemp("tour")) as tour:
        yield tour


@pytest.fixture(name="tab", scope="module")
def opened(tmp_path_factory):
    with Tab(tmp_path_factory.mktemp("tab")) as tab:
        yield tab


def complaints(tab):
    return [text for text in tab.complaints() if FORETOLD not in text]


def visit(tab, tour, name):
    tab.goto(f"http://127.0.0.1:{tour.port}/tour/{name}")
    tab.wait("document.documentElement.classList.contains('scripted')")


def send(tab, selector):
    """Sends, and waits for the verdict: its statuses, and its text."""
    tab.evaluate(f"delete {VERDICT}.dataset.statuses")
    tab.click(selector)
    tab.wait(f"'statuses' in {VERDICT}.dataset || {VERDICT}.textContent.includes('(')")
    statuses = tab.evaluate(f"{VERDICT}.dataset.statuses ?? ''").split()
    return [int(status) for status in statuses], tab.innerText("#verdict")


@pytest.mark.parametrize("code", codes())
def test_page_earns_its_code(tour, tab, code):
    answer, nears = recipes()[code]
    visit(tab, tour, code)
    if answer is None:
        assert tab.evaluate("document.querySelector('#exchange')") is None
        assert "Nothing in this world earns it." in tab.innerText("#means")
        return
    statuses, said = send(tab, "#exchange button:not([type])")
    means = tab.getAttribute("#exchange", "data-means")
    assert (code in statuses) == (code not in NEVER), (statuses, said)
    assert ("Earned: " in said) == (code not in NEVER), said
    assert ("Your browser saw" in said) == (means != "client"), said
    assert f"HTTP/1.1 {answer[0]} " in tab.innerText("#wire")
    sent, got = tab.texts("#wire .wire:last-of-type pre")
    assert sent and got
    if "describedby" in got:
        tab.waitForSelector("#wire figure svg .held")
        assert tab.textContent("#wire figure .status") == str(answer[0])
    else:
        tab.waitForSelector(f"#wire figure code:text-is('{answer[1]}')")
    for i, (status, _) in enumerate(nears):
        tab.evaluate(f"document.querySelector('[data-near=\"{i}\"]').closest('details').open = true")
        statuses, said = send(tab, f"[data-near='{i}']")
        assert status in statuses, (i, statuses, said)
        assert "Another verdict" not in said and "does not answer" not in said, said
    assert complaints(tab) == []


def test_page_shows_frames(tour, tab):
    """The switch is reached by the keyboard; an exchange, and one that is nearly it, go over HTTP/2."""
    visit(tab, tour, "412")
    tab.evaluate("document.querySelector('#exchange button[type=reset]').focus()")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.name") == "h2"
    tab.press("Space")
    for selector, status in (("#exchange button:not([type])", 412), ("[data-near='0']", None)):
        tab.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        statuses, said = send(tab, selector)
        sent, got = tab.texts("#wire .wire:last-of-type pre")
        assert status in (None, *statuses) and "Another verdict" not in said, said
        assert ":method: " in sent and re.search(r"^<   \| 00 ", got, re.M) and f":status: {statuses[-1]}" in got
    tab.waitForSelector("#wire figure svg .held")
    assert complaints(tab) == []


def test_change_moves_the_verdict(tour, tab):
    visit(tab, tour, "412")
    text = tab.inputValue("#request")
    tab.fill("#request", text.replace('"an-older-version"', "*"))
    statuses, said = send(tab, "#exchange button:not([type])")
    assert statuses == [204] and "Another verdict" in said, said
    tab.click("button[type=reset]")
    assert tab.inputValue("#request") == text
    assert complaints(tab) == []


def test_search(tour, tab):
    visit(tab, tour, "")
    tab.fill("#search", "teapot")
    assert tab.evaluate("[...document.querySelectorAll('.cards li:not([hidden]) b')]"
                        ".map((b) => b.textContent)") == ["418"]
    tab.fill("#search", "")
    assert tab.locatorCount(".cards li:not([hidden])") == len(codes())
    visit(tab, tour, "rules")
    tab.fill("#search", "if_match")
    assert 2 <= tab.locatorCount(".rules li[id]:not([hidden])") < 10


def test_live(tour, tab):
    visit(tab, tour, "live")
    tab.wait("document.querySelector('#listening').textContent === 'Listening'")
    assert tour.ask("GET", "/poem.txt", If_Match='"x"')[0] == 412
    tab.waitForSelector("#live tbody tr:has-text('/poem.txt'):has-text('412'):has-text('if_match')")
    tab.fill("#status", "nonsense")
    tab.press("Tab")
    tab.waitForSelector("#listening.wrong:has-text('codes and classes')")
    tab.fill("#status", "410")
    tab.press("Tab")
    tab.waitForSelector("#listening:has-text('410'):not(.wrong)")
    assert tour.ask("GET", "/prose.txt")[0] == 404 and tour.ask("GET", "/gone")[0] == 410
    tab.waitForSelector("#live tbody tr:has-text('/gone'):has-text('410')")
    assert "/prose.txt" not in tab.innerText("#live")
    assert complaints(tab) == []


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("width,dark", [(1280, False), (390, True)])
def test_looks(tour, tmp_path, language, width, dark):
    """In both languages, light and dark, on a telephone: nothing overflows, and a picture is kept."""
    with Tab(tmp_path, locale=language, colorScheme="dark" if dark else "light",
             viewport={"width": width, "height": 900}, isMobile=width < 600) as tab:
        for name in map(str, ["", "rules", "live", *codes()]):
            visit(tab, tour, name)
            assert tab.evaluate("document.documentElement.lang") == language
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
            if name not in PICTURES:
                continue
            if name.isdigit():
                send(tab, "#exchange button:not([type])")
                tab.wait("!document.querySelector('button').disabled")
                assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
                assert bool(BENGALI.search(tab.innerText("#verdict"))) == (language == "bn")
            tab.do("screenshot", {"fullPage": name.isdigit(), "path": str(
                ARTEFACTS / f"tour-{name or 'index'}-{language}-{width}-{'dark' if dark else 'light'}.png")})
        assert complaints(tab) == []


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(tour, tmp_path, dark):
    """axe-core, on every page in both languages, with an exchange shown."""
    if not (MODULES / "node_modules/axe-core").exists():
        done = subprocess.run([tool("npm"), "install", "--no-audit", "--no-fund", "axe-core"],
                              cwd=MODULES, capture_output=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"axe-core can not be had: {done.stderr[-300:]}")
    axe = (MODULES / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    found = {}
    with Tab(tmp_path, colorScheme="dark" if dark else "light", bypassCSP=True) as tab:
        for name in ["index", "rules", "live", *map(str, codes())]:
            for language in ["en", "bn"]:
                visit(tab, tour, f"{name}.{language}.html")
                if name in PICTURES and name.isdigit():
                    send(tab, "#exchange button:not([type])")
                    tab.wait("!document.querySelector('button').disabled")
                tab.evaluate(axe + "; undefined")
                bad = tab.evaluate("axe.run().then((said) => said.violations.map((v) =>"
                                   " `${v.id}: ${v.nodes[0].html.slice(0, 200)}`))")
                if bad:
                    found[f"{name}.{language}"] = bad
    assert found == {}


def test_keyboard_alone(tour, tab):
    """An exchange is sent by Tab and Enter; the focus is seen all the way."""
    visit(tab, tour, "412")
    for _ in range(20):
        tab.press("Tab")
        at = tab.evaluate(FOCUSED)
        assert at["seen"] and (at["name"] or at["tag"] == "PRE"), at
        if at["name"] == "Send":
            break
    assert at["name"] == "Send"
    tab.press("Enter")
    tab.wait(f"'statuses' in {VERDICT}.dataset")
    assert tab.innerText("#verdict").startswith("412")


def test_without_script(tour, tmp_path):
    """All that is not live is there: texts, requests, rules, near misses."""
    with Tab(tmp_path, javaScriptEnabled=False) as tab:
        tab.goto(f"http://127.0.0.1:{tour.port}/tour/")
        tab.click(".cards a[href^='412']")
        assert tab.url() == f"http://127.0.0.1:{tour.port}/tour/412.en.html"
        assert "earnest explain 412" in tab.innerText("noscript")
        assert not tab.isVisible("#exchange button") and not tab.isVisible("#outcome")
        assert "If-Match" in tab.inputValue("#request")
        tab.click(".nears summary")
        assert "If-Match: $etag" in tab.innerText(".nears pre")
        tab.click(".other")
        assert BENGALI.search(tab.innerText(".says"))


def test_reduced_motion(tour, tmp_path):
    with Tab(tmp_path, reducedMotion="reduce") as tab:
        visit(tab, tour, "412")
        assert tab.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration") == "0s"
