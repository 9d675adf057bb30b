# SPDX-License-Identifier: Apache-2.0
"""People in Chromium upload to a writable folder, make folders, rename, delete, and meet locks."""
import os
import re

import pytest

from browser import Relay, Tab
from dav import Dav
from earnest_server import SOURCES, Server
from real import ODD_NAMES, random_file, sha256

pytestmark = pytest.mark.exam
MIB = 1 << 20
SCRIPT_NAME = '"><script>alert(1)<'  # a name has no slash
BENGALI = re.compile("[\u0980-\u09ff]")
STATUS, DIALOG = "[role=status]", "dialog[open]"
ROWS = "[...document.querySelectorAll('tbody tr')]"
# What can be reached by Tab, and whether a reader of it hears a name and a viewer sees the focus.
FOCUSED = """(() => {
    const on = document.activeElement, style = getComputedStyle(on);
    return { name: (on.ariaLabel || on.labels?.[0]?.innerText || on.innerText || "").trim(),
        tag: on.tagName, seen: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) > 1 };
})()"""

# Keeps what Upload-Offset each request names.
OFFSETS = """window.offsets = [];
    const set = XMLHttpRequest.prototype.setRequestHeader;
    XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
        if (name === "Upload-Offset") offsets.push(value);
        set.call(this, name, value);
    };"""


@pytest.fixture(name="root")
def empty_folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture(name="config")
def writable(root):
    return (f'state = "{root}.state"\nroute "/" {{ files = "{root}" listing = true write = true\n'
            "require_conditional = false }\nlimits { drain_timeout_ms = 300ms }\n")


@pytest.fixture(name="server")
def served(tmp_path, config):
    with Server(tmp_path, config) as server:
        yield server


@pytest.fixture(name="relay")
def relayed(server):
    with Relay(server.port) as relay:
        yield relay


@pytest.fixture(name="tab")
def opened(tmp_path, relay):
    with Tab(tmp_path) as tab:
        tab.goto(f"http://127.0.0.1:{relay.port}/")
        yield tab
        assert complaints(tab) == []


def member(name):
    """The selector of a member's row."""
    return f"tbody tr:has(bdi:text-is({name!r}))"


def complaints(tab):
    """What Chromium complains of, but for every 4xx."""
    return [text for text in tab.complaints() if "Failed to load resource" not in text]


def told(tab, text):
    """Waits until the page says so."""
    tab.waitForSelector(f"{STATUS}:has-text({text!r})")
    return tab.innerText(STATUS)


def until(tab, condition):
    """Waits until something is true of the server or of its disk."""
    for _ in range(500):
        if condition():
            return
        tab.waitForTimeout(20)
    raise AssertionError("never")


def answer(tab, verb, name=None):
    """Answers the dialog that is open."""
    if name is not None:
        tab.fill(f"{DIALOG} input", name)
    tab.click(f"{DIALOG} button:text-is('{verb}')")
    tab.waitForSelector(DIALOG, {"state": "detached"})


def names_of(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".earnest")


def staged(root):
    return list((root / ".earnest").iterdir()) if (root / ".earnest").exists() else []


@pytest.fixture(name="sources")
def files_to_send(tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    sizes = [0, 1, MIB - 1, MIB, 5 * MIB]
    names = ["empty", "$& $1 %.txt", "বাংলা নাম.bin", "a & b <i>%23", "large #1?.bin"]
    return [random_file(folder / name, size) for name, size in zip(names, sizes)]


def all_arrived(tab, root, sources):
    tab.wait(f"{ROWS}.filter((row) => row.querySelector('a')).length === {len(sources)}")
    tab.wait("document.querySelectorAll('.uploads li').length === 0")
    assert names_of(root) == sorted(source.name for source in sources)
    for source in sources:
        assert sha256(root / source.name) == sha256(source)
    assert not staged(root)


def test_files_are_chosen(tab, root, sources):
    tab.setInputFiles("input[type=file]", [str(source) for source in sources])
    told(tab, "“large #1?.bin” is here.")
    all_arrived(tab, root, sources)


def test_files_are_dropped(tab, root, sources, tmp_path):
    (tmp_path / "folder").mkdir()
    files = [str(source) for source in sources]
    tab.drag(["dragEnter", "dragOver"], files)
    assert tab.evaluate("document.body.className") == "over"
    tab.picture("folder-drop")
    tab.evaluate("window.dispatchEvent(new DragEvent('dragleave')) && undefined")
    assert tab.evaluate("document.body.className") == ""
    tab.drag(["dragEnter", "dragOver", "drop"], [*files, str(tmp_path / "folder")])
    assert tab.evaluate("document.body.className") == ""
    all_arrived(tab, root, sources)
    tab.drag(["dragEnter", "dragOver", "drop"], [str(tmp_path / "folder")])
    told(tab, "A folder cannot be uploaded.")


@pytest.mark.parametrize("cut", ["connection", "server", "answer"])
def test_upload_goes_on_after_a_cut(tab, relay, server, root, tmp_path, cut):
    """What was kept is not sent again, and the content is right to the last byte."""
    source = random_file(tmp_path / "large.bin", 24 * MIB)
    tab.evaluate(OFFSETS)
    relay.hold(12 * MIB)
    tab.setInputFiles("input[type=file]", str(source))
    relay.wait_held()
    tab.wait("document.querySelector('progress').value > 0")
    assert 0 < tab.evaluate("document.querySelector('progress').position") < 1
    assert re.fullmatch(r"[1-9]\d? %", tab.innerText(".uploads .note"))
    tab.picture(f"folder-upload-{cut}")
    if cut == "server":
        server.__exit__(None)
        server.__enter__()
    if cut == "answer":  # all comes, but nobody hears of it
        relay.mute = True
        relay.go_on()
        until(tab, (root / "large.bin").exists)
    relay.cut()
    told(tab, "“large.bin” is here.")
    all_arrived(tab, root, [source])
    if cut != "answer":
        begun, *offsets = tab.evaluate("offsets")
        assert begun == 0 and offsets, "it did not go on"
        assert all(8 * MIB < offset < 13 * MIB for offset in offsets), offsets


def test_a_cut_that_looks_like_an_answer(tab, root, tmp_path):
    """Chromium takes 104 and the end of the connection for an empty 200: it counts as a cut."""
    source = random_file(tmp_path / "large.bin", 3 * MIB)
    tab.pretend("**/.earnest/upload/**")
    tab.setInputFiles("input[type=file]", str(source))
    told(tab, "“large.bin” is here.")
    all_arrived(tab, root, [source])


def test_upload_is_cancelled(tab, relay, root, tmp_path):
    """The one that is under way, and one that waits: neither leaves anything."""
    sources = [random_file(tmp_path / name, size)
               for name, size in [("one.bin", 24 * MIB), ("two.bin", 10), ("three.bin", 10)]]
    relay.hold(6 * MIB)
    tab.setInputFiles("input[type=file]", [str(source) for source in sources])
    relay.wait_held()
    tab.click("[aria-label='Cancel: two.bin']")
    tab.click("[aria-label='Cancel: one.bin']")
    relay.go_on()
    told(tab, "“three.bin” is here.")
    tab.wait("document.querySelectorAll('.uploads li').length === 2")
    assert names_of(root) == ["three.bin"]
    assert tab.texts(".uploads .note") == ["Cancelled", "Cancelled"]
    until(tab, lambda: not staged(root))


@pytest.mark.parametrize("size", [10, 2 * MIB])
def test_nothing_is_replaced_without_a_yes(tab, root, tmp_path, size):
    source = random_file(tmp_path / "a.bin", size)
    (root / "a.bin").write_bytes(b"first")
    tab.setInputFiles("input[type=file]", str(source))
    tab.waitForSelector(f"{DIALOG}:has-text('“a.bin” is there already. Replace it?')")
    tab.picture("folder-replace")
    answer(tab, "Cancel")
    told(tab, "Left as it was")
    assert (root / "a.bin").read_bytes() == b"first"
    tab.setInputFiles("input[type=file]", str(source))
    tab.waitForSelector(DIALOG)
    (root / "a.bin").write_bytes(b"second, by somebody else")
    answer(tab, "Replace")
    tab.waitForSelector(DIALOG)  # that was not the version that the yes was for
    assert (root / "a.bin").read_bytes() == b"second, by somebody else"
    answer(tab, "Replace")
    told(tab, "“a.bin” is here.")
    assert sha256(root / "a.bin") == sha256(source)


def test_folders_and_names(tab, root):
    """Folders of all sorts of names are made, renamed and deleted."""
    for name in [*ODD_NAMES, "a & b <i>%23", SCRIPT_NAME]:
        tab.click("button:text-is('New folder')")
        answer(tab, "Create", name)
        assert told(tab, "was created.") == f"“{name}” was created."
        assert names_of(root) == [name]
        (root / name / "member").write_text("x")
        tab.click("[aria-label^='Rename: ']")
        assert tab.inputValue(f"{DIALOG} input") == name
        answer(tab, "Rename", f"নতুন {name}")
        told(tab, "has its new name.")
        assert names_of(root) == [f"নতুন {name}"]
        tab.click("[aria-label^='Delete: ']")
        assert "All that is in it is deleted, too." in tab.innerText(DIALOG)
        answer(tab, "Cancel")
        assert names_of(root) == [f"নতুন {name}"]
        tab.click("[aria-label^='Delete: ']")
        answer(tab, "Delete")
        assert told(tab, "was deleted.") == f"“নতুন {name}” was deleted."
        assert names_of(root) == []


def test_what_is_refused_is_said(tab, root):
    """A name that is taken, no name at all, one that would lead elsewhere; and nothing is lost."""
    (root / "a.txt").write_text("a")
    (root / "b.txt").write_text("b")
    around = names_of(root.parent)
    tab.reload()
    tab.click(f"{member('a.txt')} button:text-is('Rename')")
    answer(tab, "Rename", "b.txt")
    assert "“a.txt” did not work: " in told(tab, "did not work")
    for name in ["b.txt", "..", "../x", "a/b", "x" * 300, ".earnest"]:
        tab.click("button:text-is('New folder')")
        answer(tab, "Create", name)
        said = told(tab, f"“{name}” did not work: ")
        assert said[-1] == "." and len(said) > len(name) + 30, said
    tab.click("button:text-is('New folder')")
    tab.click(f"{DIALOG} button:text-is('Create')")
    assert tab.isVisible(DIALOG), "a folder without a name"
    tab.press("Escape")
    (root / "a.txt").write_text("changed by somebody else")
    tab.click(f"{member('a.txt')} button:text-is('Delete')")
    answer(tab, "Delete")
    told(tab, "“a.txt” did not work: ")
    assert names_of(root) == ["a.txt", "b.txt"]
    assert (root / "b.txt").read_text() == "b"
    assert names_of(root.parent) == around


def test_locks_are_shown_and_kept(tab, server, root):
    for name in ["a & b <i>%23", "folder"]:
        (root / name).mkdir()
    (root / "a & b <i>%23" / "in.txt").write_text("x")
    (root / "বাংলা.txt").write_text("x")
    with Dav(server.port) as dav:
        dav.lock("/%E0%A6%AC%E0%A6%BE%E0%A6%82%E0%A6%B2%E0%A6%BE.txt", owner=b"Ann &lt;b&gt;")
        dav.lock("/a%20&%20b%20%3Ci%3E%2523/in.txt", owner=b"Bob")
    tab.reload()
    tab.waitForSelector(f"{member('বাংলা.txt')} .lock:text-is('Locked by Ann <b>')")
    tab.picture("folder-locked")
    for verb, name in [("Delete", None), ("Rename", "other.txt")]:
        tab.click(f"{member('বাংলা.txt')} button:text-is('{verb}')")
        answer(tab, verb, name)
        said = told(tab, "“বাংলা.txt” did not work: ")
        assert "Someone holds a lock" in said and said.endswith("Locked by Ann <b>."), said
        tab.evaluate(f"document.querySelector('{STATUS}').textContent = ''")
    tab.click(f"{member('a & b <i>%23/')} button:text-is('Delete')")
    answer(tab, "Delete")
    said = told(tab, "“a & b <i>%23” did not work: ")
    assert said.endswith("/a & b <i>%23/in.txt: 423 Locked. Locked by Bob."), said
    assert names_of(root) == ["a & b <i>%23", "folder", "বাংলা.txt"]
    with Dav(server.port) as dav:
        dav.lock("/", owner=b"Carla", Depth=0)
    tab.reload()
    tab.waitForSelector("h1 .lock:text-is('Locked by Carla')")


def test_keyboard_alone(tab, root, tmp_path):
    """Everything is reached by Tab, and done by Enter and Space; the focus is seen all the way."""
    source = random_file(tmp_path / "a.txt", 10)
    (root / "b.txt").write_text("x")
    tab.reload()

    def reach(name):
        for _ in range(30):
            tab.press("Tab")
            at = tab.evaluate(FOCUSED)
            if at["tag"] == "BODY":
                continue
            assert at["name"] and at["seen"], f"{at} cannot be known or seen"
            if at["name"] == name:
                return
        raise AssertionError(f"Tab does not come to {name}")

    reach("Upload files")
    tab.choose("Space", [str(source)])
    told(tab, "“a.txt” is here.")
    reach("New folder")
    tab.press("Enter")
    assert tab.evaluate(FOCUSED)["tag"] == "INPUT"
    assert tab.evaluate(FOCUSED)["name"] == "Name"
    tab.press(*"new", "Enter")
    told(tab, "“new” was created.")
    reach("Rename: b.txt")
    tab.press("Space", "c", "Enter")
    told(tab, "“b.txt” has its new name.")
    assert names_of(root) == ["a.txt", "c", "new"]
    reach("Delete: c")
    tab.press("Enter")
    assert tab.evaluate(FOCUSED)["name"] == "Cancel", "Enter alone would delete"
    tab.press("Escape")
    assert tab.evaluate(FOCUSED)["name"] == "Delete: c"
    tab.press("Space")
    reach("Delete")
    tab.press("Enter")
    told(tab, "“c” was deleted.")
    assert names_of(root) == ["a.txt", "new"]
    assert tab.evaluate(FOCUSED)["tag"] != "BODY", "the focus is lost"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "bn"])
def test_looks(tmp_path, root, server, language, width, dark):
    """In both languages, light and dark, on a telephone: nothing overflows, all is translated."""
    for n, name in enumerate(["a.txt", "ümlaut & <b>.html", "বাংলা নাম.txt", "long-" * 30, "folder/b"]):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x" * 10 ** n)
    with Dav(server.port) as dav:
        dav.lock("/a.txt")
    with Tab(tmp_path, locale=language, colorScheme="dark" if dark else "light",
             viewport={"width": width, "height": 800}, isMobile=width < 600) as tab:
        tab.goto(f"http://127.0.0.1:{server.port}/")
        tab.waitForSelector(".lock")
        shown = f"folder-{language}-{width}-{'dark' if dark else 'light'}"
        tab.picture(shown)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("document.documentElement.lang") == language
        paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(17, 22, 20)" if dark else "rgb(251, 250, 247)")
        texts = tab.texts("button, .lock, .drop, thead th, footer")
        for opener in [".tools button:last-child", ".k button:first-child", ".k button:last-child"]:
            tab.click(opener)
            tab.picture(f"{shown}-dialog")
            texts += tab.texts(f"{DIALOG} h2, {DIALOG} p, {DIALOG} label, {DIALOG} button")
            tab.press("Escape")
        assert all(texts)
        for text in texts:
            assert bool(BENGALI.search(text)) == (language == "bn"), text
        assert complaints(tab) == []


def test_both_languages_have_all_words():
    text = (SOURCES / "src/res/page/folder.js").read_text(encoding="utf-8")
    english, bengali = (set(re.findall(r"(\w+): \"", part)) for part in
                        re.search(r"  en: \{(.*?)\n  \},\n  bn: \{(.*?)\n  \},", text, re.S).groups())
    assert english == bengali and len(english) > 20
    used = set(re.findall(r"words\.(\w+)", text)) | set(re.findall(r"say\(\"(\w+)\"", text))
    assert used <= english


def test_without_script(tmp_path, root, server):
    (root / "a.txt").write_text("plain")
    (root / "folder").mkdir()
    with Tab(tmp_path, javaScriptEnabled=False) as tab:
        tab.goto(f"http://127.0.0.1:{server.port}/")
        assert tab.texts("tbody td:first-child") == ["folder/", "a.txt"]
        assert tab.texts("button, input") == []
        tab.click("text=folder/")
        assert tab.url() == f"http://127.0.0.1:{server.port}/folder/"


def test_names_do_nothing(tab, server, root):
    """A name is text, wherever it is shown; and what is not ours does not run, if it came in."""
    for name in [SCRIPT_NAME, "<img src=x onerror=alert(2)>", "javascript:alert(3)", "'+alert(4)+'"]:
        (root / name).write_text("x")
    (root / os.fsdecode(b"bad\xff\xc0name")).write_text("x")
    with Dav(server.port) as dav:
        dav.lock("/javascript:alert(3)", owner=b"&lt;img src=x onerror=alert(5)&gt;")
        policy = dav("GET", "/").field("content-security-policy")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy, policy
    tab.reload()
    tab.waitForSelector(".lock")
    tab.wait(f"{ROWS}.filter((row) => row.querySelectorAll('button').length === 2).length === 5")
    for n in range(1, 6):
        for which in ("first", "last"):
            tab.click(f"tbody tr:nth-child({n}) button:{which}-of-type")
            tab.press("Escape")
    for name in [SCRIPT_NAME, "javascript:alert(3)"]:
        tab.click(f"{member(name)} button:text-is('Delete')")
        answer(tab, "Delete")
        told(tab, name)
    assert complaints(tab) == []
    tab.evaluate("""(() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = true'>");
    })()""")
    assert tab.evaluate("window.ran === undefined")
    assert any("Content Security Policy" in text for text in complaints(tab))


def test_where_conditions_are_insisted_on(tmp_path, root, config):
    """With require_conditional, nothing that the page does is 428."""
    (root / "a.txt").write_text("x")
    (root / "folder").mkdir()
    with Server(tmp_path, config.replace("false", "true")) as server, Tab(tmp_path) as tab:
        tab.goto(f"http://127.0.0.1:{server.port}/")
        tab.setInputFiles("input[type=file]", str(random_file(tmp_path / "a.txt", 10)))
        answer(tab, "Replace")
        told(tab, "“a.txt” is here.")
        for name, shown in [("a.txt", "a.txt"), ("folder", "folder/")]:
            tab.click(f"{member(shown)} button:text-is('Rename')")
            answer(tab, "Rename", f"new {name}")
            told(tab, f"“{name}” has its new name.")
            tab.click(f"{member('new ' + shown)} button:text-is('Delete')")
            answer(tab, "Delete")
            told(tab, f"“new {name}” was deleted.")
    assert names_of(root) == []
