# SPDX-License-Identifier: Apache-2.0
"""Chromium takes what is made for it: dictionaries that it has, hints before a page, parts of a video."""
import os

import pytest

from browser import Tab
from earnest_server import Server
from real import figure, logged, route, run, tool, url
from tls import make_certificate

pytestmark = pytest.mark.exam
SIZES = """(name => { const all = performance.getEntriesByName(location.origin + name), last = all.at(-1);
    return last ? [all.length, last.encodedBodySize, last.decodedBodySize, last.initiatorType] : null; })"""
FETCH = """(name => fetch(name, {cache: "no-cache"}).then(r => r.text()).then(t => t.length))"""


def words(n, other):
    return "".join(f"text{i} = {i * 7919 % 10007 + (other if i == 500 else 0)};\n" for i in range(n)).encode()


def put(path, content):
    new = path.with_name(".new")
    new.write_bytes(content)
    os.replace(new, path)


@pytest.fixture(name="root")
def folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.html").write_text('<!doctype html><title>a</title><link rel=icon href="data:,">\n'
                                 '<link rel="compression-dictionary" href="/common.txt">\n'
                                 '<link rel=stylesheet href="/a.css"><p>a</p>')
    (root / "a.css").write_text("p { color: rgb(1, 2, 3) }")
    (root / "common.txt").write_bytes(words(5000, 0))
    (root / "a.js").write_bytes(words(4000, 1))
    return root


@pytest.fixture(name="server")
def served(tmp_path, root):
    options = ("deltas = 3", 'dictionaries = { "past", "/common.txt" }', 'cache_control = "max-age=3600"')
    config = (f'state = "{tmp_path}/state"\n{route(root, *options)}limits {{ cache_valid_ms = 0 }}\n')
    with Server(tmp_path, config) as server:
        yield server


def test_a_new_version_comes_with_the_old_one(tmp_path, root, server):
    """By Chromium's own request: nothing of the page asks for it."""
    with Tab(tmp_path) as tab:
        tab.goto(url(server, "/a.html"))
        assert tab.evaluate(f'{FETCH}("/a.js")') == len(words(4000, 1))
        put(root / "a.js", words(4000, 2))
        tab.wait(f'{FETCH}("/a.js").then(() => {SIZES}("/a.js")[1] < 1000)')
        _, encoded, decoded, _ = tab.evaluate(f'{SIZES}("/a.js")')
    assert decoded == len(words(4000, 2))
    figure("Chromium fetches a new version of a script: bytes, of", f"{encoded}, {decoded}")


def test_a_page_names_its_dictionary(tmp_path, root, server):
    """<link rel=compression-dictionary>: it is fetched when nothing else is to be done."""
    put(root / "other.txt", words(3000, 3))
    with Tab(tmp_path) as tab:
        tab.goto(url(server, "/a.html"))
        tab.wait(f'{FETCH}("/other.txt").then(() => {SIZES}("/other.txt")[1] < 1000)')
        _, encoded, decoded, _ = tab.evaluate(f'{SIZES}("/other.txt")')
    assert decoded == len(words(3000, 3))
    figure("Chromium fetches a text with a dictionary: bytes, of", f"{encoded}, {decoded}")


@pytest.mark.parametrize("hints", ["learned", "off"])
def test_hints_come_before_the_page(tmp_path, root, hints):
    with Server(tmp_path, route(root, f'hints = "{hints}"'), make_certificate(tmp_path)) as server, \
            Tab(tmp_path, ignoreHTTPSErrors=True) as tab:
        tab.goto(url(server, "/a.html").replace("http:", "https:"))
        assert tab.evaluate('getComputedStyle(document.querySelector("p")).color') == "rgb(1, 2, 3)"
        n, *_, initiator = tab.evaluate(f'{SIZES}("/a.css")')
        interim = tab.evaluate('performance.getEntriesByType("navigation")[0].firstInterimResponseStart')
        assert n == 1, initiator
        assert (interim > 0) == (hints == "learned")


@pytest.mark.parametrize("kind", ["webm", "mp4"])
def test_a_video_seeks_by_range(tmp_path, root, server, kind):
    codecs = {"webm": ["-c:v", "libvpx", "-b:v", "2M"], "mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10"]}
    run(tool("ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "testsrc2=duration=60:size=320x240:rate=15",
        *codecs[kind], "-g", "15", root / f"film.{kind}", timeout=300)
    (root / "film.html").write_text(f'<!doctype html><title>a film</title><link rel=icon href="data:,">\n'
                                    f'<video preload="metadata" muted src="/film.{kind}"></video>')
    with Tab(tmp_path) as tab:
        tab.goto(url(server, "/film.html"))
        at, of, width = tab.evaluate("""new Promise((done, fail) => {
            const film = document.querySelector("video");
            film.onerror = () => fail(new Error("media error " + film.error.message));
            film.onseeked = () => done([film.currentTime, film.duration, film.videoWidth]);
            const seek = () => { film.currentTime = film.duration * 0.9; };
            film.readyState >= 1 ? seek() : film.addEventListener("loadedmetadata", seek);
        })""")
    assert of == pytest.approx(60, abs=0.5) and at == pytest.approx(54, abs=0.5) and width == 320
    server.__exit__(None)  # so that its log is complete
    statuses = logged(server)
    lines = [line for line in server.log_path.read_text().splitlines() if f"film.{kind}" in line]
    server.__enter__()
    assert set(statuses) <= {200, 206} and sum(" 206 " in line for line in lines) >= 2, lines
    figure(f"Chromium seeks in 60 s of {kind}", f"{len(lines)} x 206")
