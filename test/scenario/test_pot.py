# SPDX-License-Identifier: Apache-2.0
"""The pot: what it does as time goes by, who shares it, and what doc/resource.md says about it."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from earnest_server import SOURCES
from scenario import Site, wait_until

DOC = (SOURCES / "doc/resource.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)


def blocks(language):
    return [text for kind, text in BLOCK.findall(DOC) if kind == language]


def brew(site, path="/pot", what=b"start", method=b"BREW", kind=b"message/coffeepot", more=b""):
    with site.connect() as wire:
        wire.send(b"%s %s HTTP/1.1\r\nHost: a.example\r\nContent-Type: %s\r\n%s"
                  b"Content-Length: %d\r\n\r\n%s" %
                  (method, path.encode(), kind, more, len(what), what))
        return wire.answer(method.decode())


def look(site, path="/pot"):
    with site.connect() as wire:
        wire.send(b"GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n" % path.encode())
        return json.loads(wire.answer("GET").content)


def coffee(brew_time="300ms", more=""):
    return f'route "/pot" {{ pot = "coffee" brew_time = "{brew_time}" {more} }}'


def test_it_takes_its_time(tmp_path):
    with Site(tmp_path, coffee()) as site:
        begun = time.monotonic()
        answer = brew(site)
        assert answer.status == 202
        assert (answer.field("location"), answer.field("retry-after")) == ("/pot", "1")
        while (answer := brew(site)).status == 202:
            time.sleep(0.01)
        assert 0.25 < time.monotonic() - begun < 5
        said = json.loads(answer.content)
        assert answer.status == 200
        assert said["served"] and said["drink"]["strength"] == 100
        assert look(site)["state"] == "idle"


def test_it_is_out_and_filled_again(tmp_path):
    with Site(tmp_path, coffee("1h", 'servings = 2 refill_time = "1500ms"')) as site:
        for left in (1, 0):
            assert json.loads(brew(site).content)["servings"] == left
            assert brew(site, what=b"stop").status == 200
        answer = brew(site)
        assert (answer.status, answer.field("retry-after")) in [(503, "1"), (503, "2")]
        assert answer.problem()["rule"] == "unavailable"
        time.sleep(int(answer.field("retry-after")))  # what it says is enough
        assert brew(site).status == 202


def test_a_drink_that_nobody_takes_is_poured_away(tmp_path):
    with Site(tmp_path, coffee("1ms", 'keep_time = "50ms"')) as site:
        assert brew(site).status == 202
        wait_until(lambda: look(site)["state"] == "idle")
        assert look(site)["servings"] == 7


def test_it_outlives_a_reload_and_a_crash(tmp_path):
    with Site(tmp_path, coffee("1h")) as site:
        assert brew(site).status == 202
        first = site.children()
        site.process.send_signal(signal.SIGHUP)
        wait_until(lambda: site.children() and site.children()[-1] not in first)
        assert look(site)["state"] == "brewing"
        crashed = site.children()
        for pid in crashed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: site.children() and not set(site.children()) & set(crashed))
        assert look(site)["state"] == "brewing"
        assert brew(site, what=b"stop").status == 200


def test_another_configuration_is_another_pot(tmp_path):
    with Site(tmp_path, coffee("1h", 'additions = { "Cream" }')) as site:
        assert brew(site).status == 202
        text = site.config_path.read_text(encoding="utf-8")
        site.config_path.write_text(text.replace("Cream", "Sugar"), encoding="utf-8")
        site.process.send_signal(signal.SIGHUP)
        wait_until(lambda: look(site)["state"] == "idle")


def test_many_at_once_have_one_pot(tmp_path):
    """Of twenty clients on several threads one starts it, and as many are served as there are drinks."""
    site = Site(tmp_path, coffee("1ms", 'servings = 5 refill_time = "1h"'))
    text = site.config_path.read_text(encoding="utf-8").replace("workers = 1", "workers = 4")
    site.config_path.write_text(text, encoding="utf-8")
    with site:
        statuses = []

        def drink():
            while statuses.count(503) < 20:
                statuses.append(brew(site).status)

        threads = [threading.Thread(target=drink) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses.count(200) == 5
        assert set(statuses) <= {200, 202, 503}


def test_bengali(tmp_path):
    with Site(tmp_path, coffee("1h", 'additions = { "Cream" }')) as site:
        answer = brew(site, more=b"Accept-Language: bn\r\nAccept-Additions: Rum\r\n")
        assert answer.status == 406
        assert "মেশানো" in answer.problem()["detail"] and "Cream" in answer.problem()["detail"]


@pytest.mark.parametrize("code", blocks("c"), ids=lambda code: re.findall(r"\w+", code)[1])
def test_the_page_shows_the_code_as_it_is(code):
    assert code.strip() in (SOURCES / "src/res/pot_resource.c").read_text(encoding="utf-8")


def test_the_commands_of_the_page(tmp_path):
    with Site(tmp_path, "\n".join(blocks("conf"))) as site:
        for block in blocks("console"):
            for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                command = command.replace("localhost:8080", f"127.0.0.1:{site.port}")
                done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=True)
                assert done.stdout.decode().replace("\r", "") == wanted, command


def test_the_page_names_files_that_are_there():
    for name in re.findall(r"\]\(\.\./([^)]+)\)|`(test/[\w./]+)`", DOC):
        assert (SOURCES / (name[0] or name[1])).exists(), name
