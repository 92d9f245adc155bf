"""Fixtures: world (one test), shared_world (all tests of one file),
own_network (an empty network namespace; name it before world).

Tests that share servers with their file stay on one of pytest's workers
(--dist loadgroup), and those with a browser on a few workers, which have one
each; every other test goes to whichever worker is free.  One that takes half a
minute, and needs no more of its file than servers like these, goes apart, before
the others:

    @pytest.mark.apart

What proves the same once more, in another language, look or size, is tried by
`./dev test --all` alone (SPLITMAIL_ALL=1), as continuous integration does:

    @pytest.mark.long
    pytest.param("fr", marks=pytest.mark.long)
"""

import contextlib
import os
import resource
import sys
import zlib

import pytest

import network
from world import World, descendants

# Of all workers together: to start one is dear.
BROWSERS = 4 if os.environ.get("SPLITMAIL_ALL") else 6

living = []


def lived():
    world = World()
    living.append(world)
    try:
        yield world
    finally:
        living.remove(world)
        world.end()


@pytest.fixture
def world():
    yield from lived()


@pytest.fixture(scope="module")
def shared_world():
    yield from lived()


@pytest.fixture
def own_network():
    with network.own_network():
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of each server's log."""
    report = (yield).get_result()
    if report.failed:
        for each in living:
            report.sections += each.logs()


def pytest_unconfigure():
    if "browser" in sys.modules:
        sys.modules["browser"].end_all()


# ---- who runs where, and when

def shared(item):
    """The fixtures it has in common with other tests of its file."""
    return [(name, each[-1]) for name, each
            in item._fixtureinfo.name2fixturedefs.items()
            if each[-1].scope == "module"]


def has_browser(item):
    return hasattr(item.module, "Browser") or hasattr(item.module,
                                                      "open_browser")


def is_apart(item):
    return item.get_closest_marker("apart") is not None


def pytest_configure(config):
    config.addinivalue_line("markers", "apart: on a worker of its own choice, "
                            "with servers of its own")
    config.addinivalue_line("markers", "long: only with SPLITMAIL_ALL=1, as "
                            "`./dev test --all` has it")


def pytest_itemcollected(item):
    if has_browser(item):
        number = zlib.crc32(item.path.stem.encode()) % BROWSERS
        item.add_marker(pytest.mark.xdist_group(f"browser-{number}"))
    elif shared(item) and not is_apart(item):
        # A fixture's parameters are so many fixtures.
        parameters = [str(item.callspec.params[name])
                      for name, definition in shared(item)
                      if definition.params]
        item.add_marker(pytest.mark.xdist_group(
            "-".join([item.path.stem] + parameters)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """What is left for the long run goes, no "skipped" is said of it.  What
    takes its time and what cannot be divided comes first, so that no worker is
    left with it at the end."""
    if not os.environ.get("SPLITMAIL_ALL"):
        left = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    items.sort(key=lambda item: 0 if is_apart(item) else
               1 if shared(item) or has_browser(item) else 2)


# ---- what it costs

def lived_seconds(pid):
    """Of a process that lives, and of those it has seen the end of."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat") as file:
            times = file.read().rpartition(")")[2].split()[11:15]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    return 0


def processor_seconds():
    """Of this worker and of whatever it has started."""
    return sum(usage.ru_utime + usage.ru_stime for usage in (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN))) + sum(
        map(lived_seconds, descendants(os.getpid())))


SPENT = pytest.StashKey()       # up to the end of the test before


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    yield
    before = item.config.stash.get(SPENT, 0)
    item.config.stash[SPENT] = processor_seconds()
    item.user_properties.append(
        ("processor", item.config.stash[SPENT] - before))


def pytest_terminal_summary(terminalreporter, config):
    """By processor: what makes the whole slow on any machine.  pytest's own
    --durations says what waits."""
    costs = [(dict(report.user_properties).get("processor", 0), report.nodeid)
             for report in terminalreporter.getreports("")
             if report.when == "teardown"]
    if not config.option.durations or not costs:
        return
    terminalreporter.section("dearest 25 by processor seconds")
    for cost, test in sorted(costs, reverse=True)[:config.option.durations]:
        terminalreporter.line(f"{cost:8.2f}s {test}")
    terminalreporter.line(f"{sum(cost for cost, _ in costs):8.0f}s processor "
                          f"time of {len(costs)} tests")
