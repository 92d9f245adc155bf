"""splitmail-sim, the tool: its worlds come again to the byte, whichever way they
are lived, and one that is wrong is made small.

SPLITMAIL_SIM names the binary (build-sim's); planted faults are those of
build-mutants/, where that is built."""

import os
import re
import subprocess

import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SIM = os.environ.get("SPLITMAIL_SIM", f"{ROOT}/build-sim/test/sim/splitmail-sim")
MUTANTS = f"{ROOT}/build-mutants/test/sim/splitmail-sim"
SEED = 4000     # of any worlds: whether they are right is not asked here


def sim(*words, program=SIM, status=(0, 1)):
    if not os.path.exists(program):
        pytest.skip(f"{os.path.relpath(program, ROOT)} is not built")
    done = subprocess.run([program, *map(str, words)], capture_output=True,
                          timeout=200)
    assert done.returncode in status, done.stdout + done.stderr
    return done.stdout


def figures(said):
    """The last line, without the time it took."""
    return re.sub(rb" in [0-9.]+ s", b"", said.splitlines()[-1])


def plan(story):
    """Its lines: all that is told at the first instant."""
    begin = b"    0.000 localhost "
    return [line[len(begin):] for line in story.splitlines()
            if line.startswith(begin)]


@pytest.mark.parametrize("seed", [SEED, SEED + 1, SEED + 2])
def test_two_runs_of_one_seed_are_equal_to_the_byte(seed):
    first = sim("--show", seed, "--log")
    assert first == sim("--show", seed, "--log")
    assert len(first) > 1000


def test_neither_the_worlds_before_it_nor_its_worker_change_a_world():
    together = figures(sim("--seed", SEED, "--worlds", 30, "--shrink", 0))
    assert together == figures(sim("--seed", SEED, "--worlds", 30, "--shrink", 0,
                                   "--jobs", 3))
    assert together != figures(sim("--seed", SEED, "--worlds", 29, "--shrink", 0))
    assert together.startswith(b"30 worlds")


def test_what_is_left_out_of_a_plan_leaves_the_rest_as_it_is():
    whole = plan(sim("--show", SEED))
    client = [line.split()[0] for line in whole if b" is a client" in line][0]
    less = plan(sim("--show", SEED, "--without", client.decode()))
    assert len(less) < len(whole)
    assert less == [line for line in whole
                    if not re.match(client + rb"[ .]", line)]


def test_a_name_that_is_not_in_the_plan_is_said():
    assert sim("--show", SEED, "--without", "c0,q9", status=(2,)) == b""


def test_minutes_end_with_the_figures():
    said = sim("--seed", SEED, "--minutes", 0.02, "--shrink", 0).decode()
    worlds, seconds = re.search(r"^(\d+) worlds \(\d+ twice\) in ([0-9.]+) s.*; "
                                r"\d+ wrong$", said, re.M).groups()
    assert int(worlds) >= 1 and float(seconds) >= 1.2


@pytest.mark.parametrize("mutant", ["fourth_recipient_is_forgotten",
                                    "fifth_by_expansion_is_lost"])
def test_a_world_with_a_planted_fault_is_made_small(mutant):
    said = sim("--mutant", mutant, "--worlds", 60, "--shrink", 60,
               program=MUTANTS, status=(1,)).decode()
    first = re.search(r"^WRONG in world (\d+): [0-9.]+ s: (.*)$", said, re.M)
    small = re.search(r"^made small: (\d+) of (\d+) entries are left, \d+ worlds "
                      r"in ([0-9.]+) s$", said, re.M)
    seed, names = re.search(r"--show (\d+) --without (\S+)$", said, re.M).groups()
    assert "ANOTHER WORLD" not in said
    assert seed == first[1]
    assert int(small[1]) * 4 <= int(small[2]) and float(small[3]) < 90
