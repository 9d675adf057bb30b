# SPDX-License-Identifier: Apache-2.0
"""Of two rules that hold at once the one that stands first in rules.def decides (doc/adr/0004); and a path
is judged as what it names, however it is spelled (R-15)."""
import itertools
import random
import re
import subprocess

import pytest

from earnest_server import PROGRAM, SOURCES
from scenario import Site, get

RULES = re.findall(r"^RULE\( *\d+, (\w+),", (SOURCES / "src/decide/rules.def").read_text(), re.M)
ANN = '"$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4"'
LOGIN = b"Authorization: Basic YW5uOnNlY3JldA==\r\n"  # ann:secret

# Each makes its rule hold: lines of the route, fields, a method before or instead of GET, a path.
CAUSES = {
    "rate_limit": {"route": 'limit { requests = 1 per = "1h" }', "asks_before": True},
    "unknown_method": {"method": b"GETS"},
    "expectation": {"fields": b"Expect: the-unexpected\r\n"},
    "path_escapes": {"path": b"/r/../../x"},
    "unavailable": {"pauses": True},
    "upgrade_required": {"route": 'require = "tls"'},
    "too_early": {"route": 'early_data = "refuse"', "fields": b"Early-Data: 1\r\n"},
    "unauthenticated": {"route": 'auth = "basic"', "login": False},
    "user_rate": {"route": 'limit { requests = 1 per = "1h" by = "user" }', "asks_before": True},
    "forbidden": {"route": 'allow = { "10.0.0.0/8" }'},
    "forbidden_hidden": {"route": 'allow = { "10.0.0.0/8" } hide = true'},
    "withheld": {"path": b"/r/.hidden"},
    "legal": {"top": "legal"},
    "method_not_allowed": {"method": b"DELETE"},
    "not_extended": {"prefix": b"M-"},
    "payment": {"route": 'price = 1 pay = "/pay"'},
    "content_too_large": {"fields": b"Content-Length: 9999999\r\n"},
    "missing": {"path": b"/r/missing"},
    "not_acceptable": {"route": 'negotiate = "strict"', "fields": b"Accept: image/png\r\n"},
    "if_match": {"fields": b'If-Match: "x"\r\n'},
    "if_none_match": {"fields": b"If-None-Match: *\r\n"},
    "unsatisfiable": {"fields": b"Range: bytes=99999-\r\n"},
}
SHOWN = {"forbidden_hidden": "missing"}
# These can not hold at once: they want another method, another path, or the opposite.
APART = [{"unknown_method", "method_not_allowed"}, {"unknown_method", "not_extended"},
         {"path_escapes", "withheld"}, {"path_escapes", "missing"}, {"withheld", "missing"},
         {"forbidden", "forbidden_hidden"}, {"rate_limit", "user_rate"},
         # A path that leads out is judged as what it would be at the root, where other routes are.
         *({"path_escapes", name} for name in CAUSES if "route" in CAUSES[name]),
         {"path_escapes", "legal"}]
# Preconditions and ranges are for what there is, and for GET.
LATE = {"not_acceptable", "if_match", "if_none_match", "unsatisfiable"}
APART += [{late, name} for late in LATE for name in ("missing", "unknown_method", "path_escapes",
                                                     "method_not_allowed", "withheld")]


def pairs():
    for pair in itertools.combinations(CAUSES, 2):
        if not any(apart <= set(pair) for apart in APART):
            yield pytest.param(*pair, id="-".join(pair))


class Both(Site):
    """A server where all these causes hold for the request that ask() makes."""

    def __init__(self, folder, root, names):
        self.causes = [CAUSES[name] for name in names]
        self.admin = folder / "admin.sock"
        (folder / "demands.conf").write_text(
            'demand "R 1" { path = "/r/" authority = "https://court.example/1" }')
        (root / ".hidden").write_text("x")
        more = " ".join(cause.get("route", "") for cause in self.causes)
        if any("login" in cause for cause in self.causes) or "user_rate" in names:
            more += "" if 'auth = "basic"' in more else ' auth = "basic"'
        if more.count("early_data") == 0:
            more += ' early_data = "safe"'
        top = f'legal = "{folder}/demands.conf"\n' if "legal" in names else ""
        super().__init__(folder, f'{top}admin = "{self.admin}"\nstate = "{folder}/state"\n'
                         f'trusted = {{ "127.0.0.1" }}\nuser "ann" {{ password = {ANN} }}\n'
                         f'route "/r/" {{ files = "{root}" {more} }}\n')

    def request(self):
        method, prefix, path, fields = b"GET", b"", b"/r/a.txt", b""
        for cause in self.causes:
            method = cause.get("method", method)
            prefix = cause.get("prefix", prefix)
            path = cause.get("path", path)
            fields += cause.get("fields", b"")
        if not any("login" in cause for cause in self.causes):
            fields += LOGIN
        return get(path, prefix + method, fields, close=True)

    def ask(self):
        if any("pauses" in cause for cause in self.causes):
            subprocess.run([PROGRAM, "pause", "-", "--admin", self.admin], check=True,
                           capture_output=True, timeout=30)
        if any("asks_before" in cause for cause in self.causes):
            assert self.status(b"/r/a.txt", fields=LOGIN) != 429
        with self.connect() as wire:
            wire.send(self.request())
            return wire.answer("GET")


@pytest.mark.parametrize("first, second", pairs())
def test_the_first_decides(tmp_path, root, first, second):
    wanted = min(first, second, key=RULES.index)
    with Both(tmp_path, root, (first, second)) as site:
        answer = site.ask()
        if wanted == "if_none_match":
            assert answer.status == 304
        else:
            assert answer.problem()["rule"] == SHOWN.get(wanted, wanted)


@pytest.mark.parametrize("name", CAUSES)
def test_each_alone(tmp_path, root, name):
    """Else a pair would prove nothing."""
    with Both(tmp_path, root, (name,)) as site:
        answer = site.ask()
        if name == "if_none_match":
            assert answer.status == 304
        else:
            assert answer.problem()["rule"] == SHOWN.get(name, name)


def spellings(path, dice, n):
    """Ways to write a path that name the same."""
    for _ in range(n):
        parts = []
        for part in path.strip("/").split("/"):
            while dice.random() < 0.3:
                parts.append(dice.choice([".", "%2e", "x/..", "x/%2e%2E", "y/z/../.%2e"]))
            parts.append("".join(f"%{ord(c):02{dice.choice('xX')}}" if dice.random() < 0.3 else c
                                 for c in part))
        yield "/" + "/".join(parts)


@pytest.mark.parametrize("names, rule", [(("forbidden",), "forbidden"), (("legal",), "legal"),
                                         (("unauthenticated",), "unauthenticated"),
                                         (("payment",), "payment")])
@pytest.mark.parametrize("n", [2000, pytest.param(250_000, marks=pytest.mark.exam)])
def test_r15_however_it_is_spelled(tmp_path, root, names, rule, n, figure):
    dice = random.Random(15)
    count = 0
    with Both(tmp_path, root, names) as site, site.connect() as wire:
        paths = spellings("/r/a.txt", dice, n)
        while block := list(itertools.islice(paths, 50)):
            wire.send(b"".join(get(path.encode()) for path in block))
            for path in block:
                assert wire.answer("GET").problem()["rule"] == rule, path
            count += len(block)
        figure("spellings that were judged alike", count)
