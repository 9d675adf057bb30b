# SPDX-License-Identifier: Apache-2.0
"""Metered routes: prepaid credit, taken once a success (402), whatever happens meanwhile."""
import concurrent.futures
import json
import random
import subprocess
import time

import pytest

from earnest_server import PROGRAM, Wire, secret
from scenario import Site, files_route, get, wait_until

KEY = secret("0123456789-a-secret-of-ann")


class Shop(Site):
    """A server whose files cost; what it keeps outlives it."""

    def __init__(self, folder, root, price=1, more="", top=""):
        self.admin = folder / "admin.sock"
        config = (f'state = "{folder}/state"\nadmin = "{self.admin}"\n{top}\n'
                  + files_route(root, f'price = {price} pay = "https://pay.example/" {more}'))
        super().__init__(folder, config)

    def credit(self, *words, stdin=None, code=0):
        done = subprocess.run([PROGRAM, "credit", "--admin", str(self.admin), *map(str, words)],
                              input=stdin, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def balance(self, key=KEY):
        return self.credit(key)[0]["balance"]

    def log(self):
        return self.log_path.read_bytes()

    def ask(self, path=b"/a.txt", key=KEY, method=b"GET", fields=b"", content=b"", wire=None):
        fields = b"X-API-Key: %s\r\n%s" % (key.encode(), fields)
        if wire:
            wire.send(get(path, method, fields) + content)
            return wire.answer(method.decode())
        with Wire(self.port) as own:
            own.send(get(path, method, fields, close=True) + content)
            return own.answer(method.decode())


def test_each_success_costs_once(tmp_path, root):
    with Shop(tmp_path, root, price=3) as shop, Wire(shop.port) as wire:
        assert shop.ask(wire=wire).status == 402
        assert shop.credit("add", KEY, 7)[0]["balance"] == 7
        for balance in (4, 1):
            answer = shop.ask(wire=wire)
            assert (answer.status, shop.balance()) == (200, balance)
            assert answer.field("cache-control") == "private"
        answer = shop.ask(wire=wire)
        problem = answer.problem()
        assert (answer.status, problem["price"], problem["balance"]) == (402, 3, 1)
        assert answer.field("link") == '<https://pay.example/>; rel="payment"'
        assert shop.credit("add", KEY, 2)[0]["balance"] == 3
        assert shop.ask(wire=wire, fields=b"Range: bytes=0-0\r\n").status == 206
        assert shop.balance() == 0


@pytest.mark.parametrize("path, method, fields, status", [
    (b"/missing", b"GET", b"", 404),
    (b"/a.txt", b"HEAD", b"", 200),
    (b"/a.txt", b"OPTIONS", b"", 204),
    (b"/a.txt", b"DELETE", b"", 405),
    (b"/a.txt", b"GET", b"If-None-Match: *\r\n", 304),
    (b"/a.txt", b"GET", b"If-Match: \"x\"\r\n", 412),
    (b"/a.txt", b"GET", b"Range: bytes=999999-\r\n", 416),
    (b"/a.txt", b"GET", b"Accept: image/png\r\n", 406),
])
def test_what_is_no_success_costs_nothing(tmp_path, root, path, method, fields, status):
    with Shop(tmp_path, root, more='negotiate = "strict"') as shop:
        shop.credit("add", KEY, 1)
        assert shop.ask(path, method=method, fields=fields).status == status
        assert shop.balance() == 1
        assert shop.ask().status == 200 and shop.balance() == 0  # and nothing was kept back


def test_writing_costs_when_it_is_done(tmp_path, root):
    put = {"method": b"PUT", "fields": b"Content-Length: 3\r\n", "content": b"new"}
    with Shop(tmp_path, root, more="write = true") as shop:
        assert shop.ask(b"/new.txt", **put).status == 402 and not (root / "new.txt").exists()
        shop.credit("add", KEY, 1)
        assert shop.ask(b"/no/such/folder.txt", **put).status == 409 and shop.balance() == 1
        assert shop.ask(b"/new.txt", **put).status == 201 and shop.balance() == 0
        assert (root / "new.txt").read_bytes() == b"new"


def test_many_at_once_get_what_there_is(tmp_path, root):
    with Shop(tmp_path, root) as shop:
        shop.credit("add", KEY, 20)
        shop.credit("add", "another", 5)
        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            asked = [(key, threads.submit(shop.ask, key=key))
                     for key in [KEY, "another"] * 40]
            found = {key: sorted(f.result().status for k, f in asked if k == key)
                     for key in (KEY, "another")}
        assert found == {KEY: [200] * 20 + [402] * 20, "another": [200] * 5 + [402] * 35}
        assert (shop.balance(), shop.balance("another")) == (0, 0)


def test_a_repetition_costs_nothing(tmp_path, root):
    once = b'Idempotency-Key: "one"\r\n'
    with Shop(tmp_path, root) as shop:
        shop.credit("add", KEY, 2)
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(shop.ask, fields=once) for _ in range(16)]
            statuses = [f.result().status for f in asked]
        assert statuses == [200] * 16 and shop.balance() == 1
        assert shop.ask(fields=once).status == 200 and shop.balance() == 1
        # It is a receipt for that request of that key alone.
        assert shop.ask(fields=b'Idempotency-Key: "two"\r\n').status == 200 and shop.balance() == 0
        assert shop.ask(fields=once).status == 200
        assert shop.ask(b"/", fields=once).status == 402
        assert shop.ask(key="another", fields=once).status == 402


def test_a_receipt_ends(tmp_path, root):
    once = b"Idempotency-Key: one\r\n"
    with Shop(tmp_path, root, top="limits { receipt_seconds = 2 }") as shop:
        shop.credit("add", KEY, 2)
        assert [shop.ask(fields=once).status for _ in range(2)] == [200, 200]
        assert shop.balance() == 1
        time.sleep(2.5)
        assert shop.ask(fields=once).status == 200 and shop.balance() == 0


def buy(shop, name, bought, refused):
    """Asks until it is answered, as a client does that was cut off: with the same key."""
    while True:
        try:
            answer = shop.ask(fields=b"Idempotency-Key: %d\r\n" % name)
        except (OSError, AssertionError):
            time.sleep(0.02)
            continue
        (bought if answer.status == 200 else refused).append(name)
        return


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(tmp_path, root, seed):
    """kill -9 of all processes, again and again, while many buy: whoever was served has paid, once."""
    dice = random.Random(seed)
    credit, wanted = 60, 80
    bought, refused = [], []
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        with Shop(tmp_path, root) as shop:
            shop.credit("add", KEY, credit)
            done = [threads.submit(buy, shop, name, bought, refused) for name in range(wanted)]
            for _ in range(6):
                time.sleep(dice.uniform(0.005, 0.06))
                shop.kill()
                shop.__enter__()  # pylint: disable=unnecessary-dunder-call
            for future in done:
                future.result(60)
            left = shop.balance()
        assert len(bought) == len(set(bought)) == credit
        assert len(refused) == wanted - credit
        assert left == 0


def test_a_reload_keeps_accounts(tmp_path, root):
    with Shop(tmp_path, root) as shop:
        shop.credit("add", KEY, 2)
        assert shop.ask().status == 200
        shop.reload()
        assert shop.ask().status == 200 and shop.ask().status == 402


def test_no_key_is_kept_or_told(tmp_path, root):
    with Shop(tmp_path, root) as shop:
        assert shop.credit("add", "-", 5, stdin=KEY + "\n")[0]["balance"] == 5
        account = shop.credit("-", stdin=KEY + "\n")[0]
        assert shop.credit() == [account] and account["balance"] == 5
        shop.ask()
        wait_until(lambda: b"GET /a.txt" in shop.log())
        kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
        for text in (shop.log(), shop.stderr().encode(), kept):
            assert KEY.encode() not in text
        assert shop.credit("unknown", code=1) == []


@pytest.mark.parametrize("words", [("add", KEY, 0), ("add", KEY, "1x"), ("add", KEY),
                                   ("add", KEY, 10**16), ("take", KEY, 1)])
def test_what_is_no_credit(tmp_path, root, words):
    with Shop(tmp_path, root) as shop:
        assert shop.credit(*words, code=1) == []
        assert shop.credit() == []


def test_early_data_costs_nothing(tmp_path, root):
    """A gateway says that it may come again: then it is not for sale (RFC 8470 5.1)."""
    with Shop(tmp_path, root, top='trusted = { "127.0.0.1" }') as shop:
        shop.credit("add", KEY, 1)
        assert shop.ask(fields=b"Early-Data: 1\r\n").status == 425
        assert shop.balance() == 1
