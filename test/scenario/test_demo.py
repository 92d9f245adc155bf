"""What a newcomer sees first works."""

import os
import subprocess
import sys

from splitmail import ROOT, binary


def test_every_message_is_where_it_belongs():
    done = subprocess.run(
        [sys.executable, "test/demo/demo.py", "--once"], cwd=ROOT, text=True,
        capture_output=True, timeout=150, stdin=subprocess.DEVNULL,
        env=dict(os.environ, SPLITMAIL_BINARY=binary()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 of 8 messages are where they belong" in done.stdout
