"""A shell that is told one line after the other, as somebody types them."""

import os
import re
import subprocess

from world import wait_until, within


class Shell:
    """COMMAND ends in a bash; what it says is in FOLDER/shell."""

    def __init__(self, command, folder, **how):
        self.output = os.path.join(folder, "shell")
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output,
                stderr=subprocess.STDOUT, cwd=folder, text=True,
                start_new_session=True, **how)
        self.number = 0

    def said(self):
        with open(self.output, errors="replace") as file:
            return file.read()

    def run(self, line):
        """What the line says, and its exit status."""
        self.number += 1
        before, mark = len(self.said()), f"=== {self.number}"
        self.process.stdin.write(f"{line}\nprintf '\\n{mark} %s\\n' $?\n")
        self.process.stdin.flush()
        end = re.compile(rf"\n{mark} (\d+)$", re.M)
        wait_until(lambda: end.search(self.said()) or
                   self.process.poll() is not None, within(60), line,
                   pause=0.01)
        found = end.search(self.said())
        assert found, f"{line}: the shell has ended: {self.said()[before:]}"
        return self.said()[before:found.start()], int(found[1])

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=within(40))
