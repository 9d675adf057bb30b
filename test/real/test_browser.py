# SPDX-License-Identifier: Apache-2.0
"""Chromium shows listings, pages and errors; screenshots are kept in build/artefacts/."""
import json
import math
import struct
import wave
import zlib

import pytest

from browser import FLAGS, script
from earnest_server import Server
from real import ARTEFACTS, figure, route, run, tool, url

pytestmark = pytest.mark.exam
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css">
<h1>A page</h1><img src="image.png" alt="an image" width="64" height="64">
<script src="script.js"></script><script type="module" src="module.mjs"></script>"""


def png(path):
    rows = b"".join(b"\0" + b"".join(bytes((x * 4, y * 4, 128)) for x in range(64))
                    for y in range(64))

    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    size = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size)
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def wav(path, seconds=120):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44100)
        tone = b"".join(struct.pack("<h", int(9000 * math.sin(n / 20))) for n in range(44100))
        for _ in range(seconds):
            file.writeframes(tone)


@pytest.fixture(name="root")
def pages(tmp_path):
    root = tmp_path / "root"
    files = root / "files"
    (files / "a folder").mkdir(parents=True)
    (files / "another").mkdir()
    for n, name in enumerate(["a.txt", "report 2024 #1.pdf", "ümlaut & <b>.html", "বাংলা নাম.txt",
                              "100%.csv", "a-very-long-name-" + "that-goes-on-" * 8 + ".tar.gz"]):
        (files / name).write_bytes(b"x" * 10 ** n)
    (root / "page").mkdir()
    (root / "page" / "index.html").write_text(PAGE)
    (root / "page" / "style.css").write_text("h1 { color: rgb(1, 2, 3) }")
    (root / "page" / "script.js").write_text("document.title = 'scripted'")
    (root / "page" / "module.mjs").write_text("document.body.append('module ran')")
    png(root / "page" / "image.png")
    wav(root / "page" / "tone.wav")
    (root / "page" / "audio.html").write_text(
        '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>t</title>'
        '<audio src="tone.wav" preload="metadata" controls></audio>')
    return root


@pytest.fixture(name="server")
def served(tmp_path, root):
    with Server(tmp_path, route(root) + 'route "/gone" { gone = true }') as server:
        yield server


def look(tmp_path, *shown):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    command = script(tmp_path, "browser.js", folder=str(ARTEFACTS), pages=shown)
    said = json.loads(run(*command, timeout=240))
    return {page["name"]: page for page in said}


def views(name, where, language="en-GB", **more):
    """The page in light, in dark, and on a telephone."""
    page = {"url": where, "language": language, **more}
    return [{"name": name, **page}, {"name": f"{name}-dark", "dark": True, **page},
            {"name": f"{name}-phone", "width": 390, **page},
            {"name": f"{name}-phone-dark", "width": 390, "dark": True, **page}]


@pytest.mark.parametrize("language", ["en", "bn"])
def test_listing(tmp_path, root, server, language):
    said = look(tmp_path, *views(f"listing-{language}", url(server, "/files/"), language))
    for page in said.values():
        assert page["status"] == 200 and page["lang"] == language
        names = [name.strip().rstrip("/") for name in page["names"]]
        missing = [path.name for path in (root / "files").iterdir() if path.name not in names]
        assert not missing, f"{missing} are not in {names}"
        assert page["complaints"] == []
        assert page["wide"] <= 0, f"{page['name']} scrolls sideways by {page['wide']}"
    assert said[f"listing-{language}"]["colour"] != said[f"listing-{language}-dark"]["colour"]


def test_listing_sorts_without_script(tmp_path, root, server):
    where = url(server, "/files/")
    shown = [{"name": f"sorted-{key}-{clicks}", "url": where, "script": False,
              "click": [f'thead th:nth-child({n}) a'] * clicks}
             for n, key in [(1, "name"), (2, "size"), (3, "modified")] for clicks in (1, 2)]
    said = look(tmp_path, *shown)

    def sizes(page):
        names = [name.strip() for name in page["names"] if not name.strip().endswith("/")]
        return [(root / "files" / name).stat().st_size for name in names
                if (root / "files" / name).exists()]

    up, down = sizes(said["sorted-size-1"]), sizes(said["sorted-size-2"])
    assert len(up) == 6 and up in (sorted(up), sorted(up)[::-1]) and up == down[::-1]
    one, two = said["sorted-name-1"]["names"], said["sorted-name-2"]["names"]
    assert one != two and sorted(one) == sorted(two)
    for page in said.values():
        assert page["status"] == 200 and page["complaints"] == [] and "sort=" in page["url"]


@pytest.mark.parametrize("language", ["en", "bn"])
def test_errors(tmp_path, server, language):
    said = look(tmp_path, *views(f"error-{language}", url(server, "/missing"), language),
                {"name": f"gone-{language}", "url": url(server, "/gone"), "language": language})
    for page in said.values():
        assert page["status"] == (410 if page["name"].startswith("gone") else 404)
        assert page["lang"] == language and str(page["status"]) in page["text"]
        assert any("\u0980" <= letter <= "\u09ff" for letter in page["text"]) == (language == "bn")
        # Chromium itself complains of every 4xx; nothing else may be wrong.
        others = [text for text in page["complaints"] if "Failed to load resource" not in text]
        assert others == [] and page["wide"] <= 0


def test_page(tmp_path, server):
    page = look(tmp_path, {"name": "page", "url": url(server, "/page/")})["page"]
    assert page["title"] == "scripted" and "module ran" in page["text"] and page["images"]
    assert page["complaints"] == []


def test_audio_seeks_by_range(tmp_path, server):
    page = look(tmp_path, {"name": "audio", "url": url(server, "/page/audio.html"),
                           "seek": True})["audio"]
    assert page["seek"]["of"] == pytest.approx(120)
    assert page["seek"]["at"] == pytest.approx(108)
    assert page["complaints"] == []
    server.__exit__(None)  # so that its log is complete
    lines = [line for line in server.log_path.read_text().splitlines() if "tone.wav" in line]
    server.__enter__()
    n = sum(" 206 " in line for line in lines)
    assert n >= 2, lines
    figure("Chromium seeks in 120 s of WAV", f"{n} x 206")


def test_dump_dom(tmp_path, server):
    """Without node: what Chromium alone makes of a listing. (--dump-dom itself needs script.)"""
    text = run(tool("chromium"), "--headless", *FLAGS,
               f"--user-data-dir={tmp_path / 'user'}", "--dump-dom", url(server, "/files/"),
               timeout=60).decode()
    assert text.count("<tr") == 1 + 1 + 8 and 'href="./a.txt"' in text
