"""Fixtures: world (one test), shared_world (all tests of one file),
own_network (an empty network namespace; name it before world)."""

import pytest

import network
from world import World

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
