"""Planted faults (src/base/mutants.h) are in no binary but those made for
them."""

import os
import re

import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def traces():
    """What a binary with mutants in it has, and no other."""
    with open(f"{ROOT}/src/base/mutants.def", encoding="utf-8") as table:
        names = re.findall(r"^PLANTED\((\w+),", table.read(), re.M)
    assert len(names) >= 20
    return [name.encode() for name in names + ["SPLITMAIL_MUTANT",
                                               "mutant_alive"]]


@pytest.mark.parametrize("binary", ["build-test/splitmail", "build/splitmail",
                                    "build-test/test/sim/sim_engine_test"])
def test_no_binary_has_a_mutant_in_it(binary):
    path = f"{ROOT}/{binary}"
    if not os.path.exists(path):
        pytest.skip(f"{binary} is not built")
    with open(path, "rb") as file:
        code = file.read()
    assert b"deliver_accept" in code or not binary.startswith("build-test")
    # As a string of C: the manual, which is in it, may speak of one.
    assert [trace for trace in traces()
            if b"\0" + trace + b"\0" in code] == []
