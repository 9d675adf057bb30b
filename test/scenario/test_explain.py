# SPDX-License-Identifier: Apache-2.0
"""`earnest explain` says of each rule whether this version can get there; the vectors know better."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
EARNEST = os.environ.get("EARNEST", ROOT / "build/debug/src/main/earnest")

# Reached by no vector, but by a disk that fails (test/fault), a clock (test/dav), or a second process
# (unit/serve/meter_test.c).
WITHOUT_VECTOR = {"broke", "credit_gone", "if_match_missing", "no_room",
                  "state_unreachable"}
INTERIM = {"100": "continue", "102": "processing", "103": "hints", "104": "resumable"}



def explain(*arguments):
    done = subprocess.run([EARNEST, "explain", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def rules():
    """All rules that explain knows, by name: can this version get there?"""
    codes = [row["code"] for row in json.loads(explain("--json")[1])]
    assert len(codes) == 64
    pages = [json.loads(explain("--json", str(code))[1]) for code in codes]
    return {rule["name"]: rule["reachable"] for page in pages for rule in page["rules"]}


def served():
    """The rules that decide a vector over a socket."""
    found = set()
    for path in (ROOT / "test/codes").rglob("*.http"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if "engine" not in lines:
            found |= {line.split()[2] for line in lines if line.startswith("! rule")}
            found |= {INTERIM[line[2:5]] for line in lines if line.startswith("< 1") and
                      line[2:5] in INTERIM}
    return found


def test_what_explain_calls_reachable_is_what_the_vectors_reach():
    can = {name for name, reachable in rules().items() if reachable}
    assert served() - can == {"relayed"}  # whose status is another's: it is on no page
    assert can - served() == WITHOUT_VECTOR


def test_a_code_is_explained_in_two_languages():
    assert "Precondition Failed" in explain("412")[1]
    assert "অর্থ" in explain("--lang=bn", "412")[1]


def test_unregistered_and_wrong_arguments():
    assert explain("306")[0] == 0
    assert explain("299")[0] == 1
    assert explain("x")[0] == 2
