# SPDX-License-Identifier: Apache-2.0
"""The intake: what a browser sends becomes one line, on the disk before the answer, whatever stops the
server; and what is sent to do harm does none."""
import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid

import pytest

from scenario import Site, counts, wait_until

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


class Intake(Site):
    def __init__(self, folder, place=None, more="", limits=""):
        self.lines_path = (place or folder) / "entries.jsonl"
        self.files_path = (place or folder) / "entries.jsonl.files"
        limits = f"limits {{ {limits} }}\n" if limits else ""
        super().__init__(folder, f'{limits}route "/entry" {{ intake = "{self.lines_path}" {more} }}')

    def lines(self):
        """What stands in the file, which is whole lines of JSON and nothing else."""
        data = self.lines_path.read_bytes()
        assert data == b"" or data.endswith(b"\n")
        return [json.loads(line) for line in data.splitlines()]

    def stored(self, entry):
        """The content of a file of a form."""
        assert "/" not in entry["file"]
        return (self.files_path / entry["file"]).read_bytes()

    def staged(self):
        return list((self.files_path / ".earnest").iterdir())

    def post(self, content, kind=URLENCODED, key=None, more=b""):
        with self.connect() as wire:
            wire.send(head(content, kind, key, more) + content)
            return wire.answer("POST")

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", *arguments,
                               f"http://127.0.0.1:{self.port}/entry"], capture_output=True, check=True)
        return int(done.stdout)


def head(content, kind=URLENCODED, key=None, more=b""):
    return (f"POST /entry HTTP/1.1\r\nHost: a.example\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(content)}\r\n" + (f'Idempotency-Key: "{key}"\r\n' if key else "")
            ).encode() + more + b"\r\n"


def part(name, content=b"", more=b""):
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"' + more + b"\r\n\r\n" + content + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + b"--b--\r\n"


# ---- what browsers send -----------------------------------------------------------------------------

def test_forms_as_browsers_send_them(tmp_path):
    photo = tmp_path / 'a"b\\ আলো.png'
    photo.write_bytes(bytes(range(256)) * 2000)
    name = str(photo).replace("\\", "\\\\").replace('"', '\\"')
    with Intake(tmp_path) as site:
        assert site.curl("-d", "name=Ada+Lovelace", "--data-urlencode", "mail=ada@example.org\n") == 205
        assert site.curl("-F", "name=Ada", "-F", "tag=a", "-F", "tag=b",
                         "-F", f'photo=@"{name}";type=image/png') == 205
        first, second = site.lines()
        assert first["fields"] == {"name": "Ada Lovelace", "mail": "ada@example.org\n"}
        assert first["at"][:4].isdecimal() and first["at"].endswith("Z")
        fields = second["fields"]
        assert (fields["name"], fields["tag"]) == ("Ada", ["a", "b"])
        assert fields["photo"]["type"] == "image/png"
        assert fields["photo"]["bytes"] == 512000
        assert fields["photo"]["name"].startswith('a"b') and "আলো.png" in fields["photo"]["name"]
        assert site.stored(fields["photo"]) == photo.read_bytes()
        assert site.staged() == []


def test_then(tmp_path):
    with Intake(tmp_path, more='then = "/thanks?a=b"') as site:
        answer = site.post(b"a=1")
        assert (answer.status, answer.field("location")) == (303, "/thanks?a=b")
        assert len(site.lines()) == 1


def test_the_file_may_be_put_away(tmp_path):
    with Intake(tmp_path) as site:
        assert site.post(b"a=1").status == 205
        site.lines_path.rename(tmp_path / "old.jsonl")
        assert site.post(b"a=2").status == 205
        assert [line["fields"] for line in site.lines()] == [{"a": "2"}]


def test_the_field_is_named_in_bengali(tmp_path):
    with Intake(tmp_path) as site:
        answer = site.post("a=1&নাম=%ff".encode(), more=b"Accept-Language: bn\r\n")
        assert answer.status == 422
        assert "ফিল্ডটির নাম নাম।" in answer.problem()["detail"]


# ---- Idempotency-Key --------------------------------------------------------------------------------

def test_a_key_outlives_a_restart(tmp_path):
    with Intake(tmp_path) as site:
        assert site.post(b"a=1", key="k").status == 205
    with Intake(tmp_path) as site:
        assert site.post(b"a=1", key="k").status == 205
        assert site.post(b"a=2", key="k").status == 422
        assert site.post(multipart(part(b"a", b"1")), MULTIPART, key="k").status == 205
        assert len(site.lines()) == 1


def test_a_key_is_forgotten_in_time(tmp_path):
    with Intake(tmp_path, limits='form_key_seconds_max = "1s"') as site:
        assert site.post(b"a=1", key="k").status == 205
        wait_until(lambda: site.post(b"a=2", key="k").status == 205)
        assert len(site.lines()) == 2


def test_a_key_in_use_is_a_conflict(tmp_path):
    with Intake(tmp_path) as site, site.connect() as first:
        first.send(head(b"a=1", key="k", more=b"Expect: 100-continue\r\n"))
        assert first.answer("POST", interim=(100,)).status == 100
        second = site.post(b"a=1", key="k")
        assert (second.status, second.problem()["rule"]) == (409, "conflict")
        assert "Idempotency-Key" in second.problem()["detail"]
        first.send(b"a=1")
        assert first.answer("POST").status == 205
        assert site.post(b"a=1", key="k").status == 205
        assert len(site.lines()) == 1


def test_a_key_is_free_when_its_client_goes(tmp_path):
    with Intake(tmp_path) as site:
        with site.connect() as first:
            first.send(head(b"a=1", key="k", more=b"Expect: 100-continue\r\n"))
            assert first.answer("POST", interim=(100,)).status == 100
        wait_until(lambda: site.post(b"a=2", key="k").status == 205)
        assert [line["fields"] for line in site.lines()] == [{"a": "2"}]


def test_many_with_one_key_are_one_line(tmp_path):
    statuses = []
    site = Intake(tmp_path)
    text = site.config_path.read_text(encoding="utf-8").replace("workers = 1", "workers = 4")
    site.config_path.write_text(text, encoding="utf-8")
    with site:
        def send():
            for _ in range(10):
                statuses.append(site.post(b"a=1", key="k").status)

        threads = [threading.Thread(target=send) for _ in range(16)]
        for thread in threads:
            thread.start()
        site.process.send_signal(signal.SIGHUP)
        for thread in threads:
            thread.join()
        assert set(statuses) <= {205, 409} and 205 in statuses
        assert len(site.lines()) == 1


# ---- what stops it ----------------------------------------------------------------------------------

class Senders:
    """Clients that send numbered forms, with a file each, until the server is no more."""

    def __init__(self, site, n):
        self.site, self.acknowledged, self.stopped = site, set(), False
        self.name = uuid.uuid4().hex
        self.threads = [threading.Thread(target=self.send, args=(i,)) for i in range(n)]

    def send(self, number):
        for i in range(100000):
            name = f"{self.name}.{number}.{i}"
            content = multipart(part(b"n", name.encode()),
                                part(b"f", name.encode() * 3000, b'; filename="f"'))
            with contextlib.suppress(AssertionError, OSError):
                if self.stopped:
                    return
                if self.site.post(content, MULTIPART).status == 205:
                    self.acknowledged.add(name)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        for thread in self.threads:
            thread.join()


def check_all_is_there(site, acknowledged):
    lines = site.lines()
    names = [line["fields"]["n"] for line in lines]
    assert len(names) == len(set(names)), "a form is there twice"
    assert acknowledged <= set(names), f"lost: {acknowledged - set(names)}"
    for line in lines:
        assert site.stored(line["fields"]["f"]) == line["fields"]["n"].encode() * 3000
    kept = {line["fields"]["f"]["file"] for line in lines}
    assert {path.name for path in site.files_path.iterdir()} - {".earnest"} == kept, "files of no form"
    assert site.staged() == []


@pytest.mark.parametrize("rounds", counts(6, 60))
def test_killed_at_any_moment(tmp_path, rounds, figure):
    """kill -9 of all processes: each line is whole, and none is lost that was acknowledged."""
    acknowledged = set()
    for _ in range(rounds):
        site = Intake(tmp_path)
        site.__enter__()
        with Senders(site, 6) as senders:
            time.sleep(random.uniform(0.05, 0.3))
            site.kill()
        acknowledged |= senders.acknowledged
    with Intake(tmp_path) as site:
        check_all_is_there(site, acknowledged)
        figure("acknowledged", len(acknowledged))
        figure("kept", len(site.lines()))
    assert len(acknowledged) >= rounds


def test_it_goes_on_after_a_crash(tmp_path):
    with Intake(tmp_path) as site:
        with Senders(site, 4) as senders:
            for _ in range(3):
                time.sleep(0.2)
                before = site.children()
                for pid in before:
                    os.kill(pid, signal.SIGKILL)
                wait_until(lambda: site.children() and not set(site.children()) & set(before))
            wait_until(lambda: site.post(b"n=end").status == 205)
        lines = [line for line in site.lines() if line["fields"]["n"] != "end"]
        names = {line["fields"]["n"] for line in lines}
        assert senders.acknowledged <= names
        for line in lines:
            assert site.stored(line["fields"]["f"]) == line["fields"]["n"].encode() * 3000


def test_a_line_that_was_cut_is_taken_away(tmp_path):
    with Intake(tmp_path) as site:
        assert site.post(b"a=1").status == 205
        with site.lines_path.open("ab") as lines:
            lines.write(b'{"at":"2026-01-01T00:00:00Z","id":"')
        assert site.post(b"a=2").status == 205
        assert [line["fields"]["a"] for line in site.lines()] == ["1", "2"]


@pytest.fixture(name="disk")
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False,
                          capture_output=True)
    if done.returncode:
        pytest.skip("to mount a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk(tmp_path, disk):
    """507, whether the content, the file or the line finds no room; and what was there is as it was."""
    with Intake(tmp_path, disk) as site:
        assert site.post(b"a=first").status == 205
        answer = site.post(multipart(part(b"f", os.urandom(300000), b'; filename="f"')), MULTIPART)
        assert (answer.status, answer.problem()["rule"]) == (507, "no_room")
        wait_until(lambda: site.staged() == [])
        fill = disk / "fill"
        with contextlib.suppress(OSError), fill.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        kept = len(site.lines())
        while (answer := site.post(b"a=" + b"y" * 1000)).status == 205:
            kept += 1
        assert (answer.status, len(site.lines())) == (507, kept)
        assert site.post(multipart(part(b"f", b"x", b'; filename="f"')), MULTIPART).status == 507
        fill.unlink()
        assert site.post(b"a=last").status == 205
        lines = site.lines()
        assert (lines[0]["fields"], lines[-1]["fields"]) == ({"a": "first"}, {"a": "last"})
        assert len(lines) == kept + 1


# ---- what means harm --------------------------------------------------------------------------------

def test_ten_thousand_parts(tmp_path):
    with Intake(tmp_path) as site:
        begun = time.monotonic()
        answer = site.post(multipart(*[part(b"n%d" % i) for i in range(10000)]), MULTIPART)
        assert (answer.status, answer.problem()["limit"]["name"]) == (413, "form_fields_max")
        answer = site.post(multipart(*[part(b"n", b"", b'; filename="f"')] * 10000), MULTIPART)
        assert (answer.status, answer.problem()["limit"]["name"]) == (413, "form_files_max")
        assert time.monotonic() - begun < 5
        assert site.lines() == [] and site.staged() == []


@pytest.mark.parametrize("content", [
    b"--b\r\n" * 200000,
    part(b"a", b"\r\n--" * 2000000),
    part(b"a", b"\r\n--b-" * 1000000),
    part(b"a", b"\r" * 8000000),
    b"\r\n" * 4000000 + b"--b",
    b"--b\r\n" + b"\r\n" * 1000000,
    part(b"a") + b"--b\r\nContent-Disposition: form-data; name=\"" + b"a" * 1000000,
    b"--b\r\nContent-Disposition: form-data; name=\"a" + b";" * 1000000,
], ids=range(8))
def test_boundaries_without_an_end(tmp_path, content):
    with Intake(tmp_path, limits='form_field_bytes_max = "16M"') as site:
        begun = time.monotonic()
        answer = site.post(content, MULTIPART)
        assert (answer.status, answer.problem()["rule"]) == (400, "content_illformed")
        assert time.monotonic() - begun < 5
        assert site.post(b"a=1").status == 205
        assert len(site.lines()) == 1


@pytest.mark.parametrize("content, status, rule", [
    (multipart(b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
               b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"),
     422, "content_invalid"),
    (multipart(b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; '
               b'name="b"\r\n\r\nx\r\n'), 400, "content_illformed"),
    (multipart(b'--b\r\nContent-Disposition: form-data; name="a\r\nX: y"\r\n\r\nx\r\n'),
     400, "content_illformed"),
    (multipart(b"--b\r\nX: " + b"y" * 3000 + b"\r\n\r\nx\r\n"), 413, "content_grew"),
    (multipart(part(b"a", b"x", b'; filename="\xff"')), 422, "content_invalid"),
], ids=["nested", "twice", "crlf", "long_head", "utf8"])
def test_parts_that_are_no_fields(tmp_path, content, status, rule):
    with Intake(tmp_path) as site:
        answer = site.post(content, MULTIPART)
        assert (answer.status, answer.problem()["rule"]) == (status, rule)
        assert site.lines() == []


@pytest.mark.parametrize("name", [
    b"../../../etc/passwd", b"a%0D%0A{}%0D%0Ab", b"..\\..\\a", b".", b"", b"a%00b", b"x" * 1500, b"a\xe2\x80\xa8b",
], ids=range(8))
def test_names_of_files_lead_nowhere(tmp_path, name):
    """The name that a client gives is text of the line, and of nothing else."""
    with Intake(tmp_path) as site:
        assert site.post(multipart(part(b"f", b"x", b'; filename="' + name + b'"')), MULTIPART).status == 205
        (line,) = site.lines()
        entry = line["fields"]["f"]
        assert entry["name"] == name.decode().replace("%0D%0A", "\r\n")
        assert site.stored(entry) == b"x"
        assert {p.name for p in site.files_path.iterdir()} == {".earnest", entry["file"]}


@pytest.mark.parametrize("content, status", [
    (b"[" * 900000, 413), (b'{"a":' * 180000, 413), (b'{"a":' * 33 + b"1" + b"}" * 33, 413),
    (b'{"a":' * 32 + b"1" + b"}" * 32, 205), (b'{"a":"' + b"[" * 33 + b'"}', 205),
    (b'{"a":1e999}', 400), (b'{"a":"\\ud800"}', 400), (b"{" + b",".join(b'"%d":1' % i for i in range(300)) + b"}", 413),
    (b'{"a":"%s"}' % (b"x" * 70000), 413), (b'{"a":[%s1]}' % (b"1," * 40000), 413),
], ids=range(10))
def test_json_that_means_harm(tmp_path, content, status):
    with Intake(tmp_path) as site:
        assert site.post(content, "application/json").status == status
        assert len(site.lines()) == (status == 205)


def test_lines_of_another_are_not_keys(tmp_path):
    """A form cannot write what would be read as the key of another."""
    fake = '{"at":"2026-01-01T00:00:00Z","id":"' + "0" * 32 + '","key":"' + "0" * 32 + '"}'
    with Intake(tmp_path) as site:
        assert site.post(f'{{"a":{fake}}}'.encode(), "application/json").status == 205
        assert site.post(b"a=" + b"%0A" + fake.encode()).status == 205
        assert len(site.lines_path.read_bytes().splitlines()) == 2
