# SPDX-License-Identifier: Apache-2.0
"""The tour, and its table of recipes.

    with Tour(folder) as tour:
        status, fields, content = tour.ask("GET", "/tour/412")
        steps = tour.play(412, near=0)
"""
import gzip
import http.client
import json
import os
import re
import select
import signal
import subprocess

from earnest_server import PATIENCE_S, PROGRAM, SOURCES, free_port

TABLE = SOURCES / "src/main/tour/recipes.txt"
ANSWERED = re.compile(r"^< (\d{3}) (\w+)$", re.M)
STATUSES = re.compile(r"^HTTP/1\.1 (\d{3})|^< {3}:status: (\d{3})|>HTTP/1\.1 (\d{3}) ", re.M)
RULE = re.compile(r'"rule":"(\w+)"')
NEVER = {306}  # what nothing earns, and the pages say so


def codes():
    """All codes of the registry."""
    table = (SOURCES / "src/code/status.def").read_text(encoding="utf-8")
    return [int(code) for code in re.findall(r"^STATUS\((\d+),", table, re.M)]


def recipes():
    """{code: (the last answer of the recipe, [that of each near miss])}, an answer being (status, rule)."""
    found = {}
    for part in re.split(r"^(?=code )", TABLE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        main, *nears = re.split(r"^near\b", part, flags=re.M)
        answers = [(int(status), rule) for status, rule in ANSWERED.findall(main)]
        found[int(part.split()[1])] = (answers[-1] if answers else None, [
            (int(status), rule) for near in nears for status, rule in ANSWERED.findall(near)])
    return found


def earned(got):
    """The statuses that came: of the answer, of what came before it, and of what it reports on."""
    return [int("".join(found)) for found in STATUSES.findall(got)]


class Tour:
    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None

    def __enter__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [PROGRAM, "tour", "--port", str(self.port)], stdout=subprocess.PIPE,
            stderr=open(self.folder / "tour.errors", "wb"), env={**os.environ, "TMPDIR": str(self.folder)})
        assert select.select([self.process.stdout], [], [], 3 * PATIENCE_S)[0], self.errors()
        said = self.process.stdout.readline().decode()
        assert said == f"The tour begins at http://127.0.0.1:{self.port}/tour/\n", (said, self.errors())
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(3 * PATIENCE_S)  # a slow disk has much to forget
        finally:
            self.process.kill()
            self.process.stdout.close()

    def errors(self):
        return (self.folder / "tour.errors").read_text(encoding="utf-8")

    def ask(self, method, path, content=None, **fields):
        """One answer: status, fields with names in lower case, content as it came over the wire."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        line.request(method, path, content,
                     {name.replace("_", "-"): value for name, value in fields.items()})
        answer = line.getresponse()
        content = answer.read()
        line.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def page(self, path, language):
        """A page that must be there: its fields, its text, and its size on the wire."""
        status, fields, content = self.ask("GET", path, Accept_Language=language, Accept_Encoding="gzip")
        assert status == 200, path
        text = gzip.decompress(content) if fields.get("content-encoding") == "gzip" else content
        return fields, text.decode("utf-8"), len(content)

    def play(self, code, near=None, edited=b"", h2=False):
        """What went over the wire."""
        status, _, content = self.ask(
            "POST", f"/tour/play?code={code}" + ("" if near is None else f"&near={near}") +
            ("&h2=" if h2 else ""), edited,
            Content_Type="message/http")
        assert status == 200, content
        return json.loads(content)["steps"]
