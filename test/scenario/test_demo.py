"""What a newcomer sees first works."""

import json
import os
import re
import signal
import subprocess
import sys

from splitmail import ROOT, binary
from world import wait_until


def test_every_message_is_where_it_belongs():
    done = subprocess.run(
        [sys.executable, "test/demo/demo.py", "--once"], cwd=ROOT, text=True,
        capture_output=True, timeout=280, stdin=subprocess.DEVNULL,
        env=dict(os.environ, SPLITMAIL_BINARY=binary()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 of 8 messages are where they belong" in done.stdout


def handed_over(data):
    said = subprocess.run([binary(), "--data", data, "status", "--json"],
                          capture_output=True, check=True).stdout
    return json.loads(said)["counters"]["splitmail_mails_handed_over_total"]


def test_it_lives_until_it_is_ended():
    demo = subprocess.Popen(
        [sys.executable, "-u", "test/demo/demo.py"], cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        env=dict(os.environ, SPLITMAIL_BINARY=binary()))
    try:
        said = ""
        while "Ctrl-C" not in said:
            line = demo.stdout.readline()
            assert line, f"it ended: {said}"
            said += line
        data = re.search(r"--data (\S+/master/data) ", said)[1]
        before = handed_over(data)
        wait_until(lambda: handed_over(data) > before, 60, "more mail")
    finally:
        demo.send_signal(signal.SIGINT)
        demo.stdout.close()
        assert demo.wait(60) == 0
    assert not os.path.exists(data)
