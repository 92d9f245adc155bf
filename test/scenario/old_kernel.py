"""Run a program as on a kernel that lacks something.

    python3 old_kernel.py landlock=ENOSYS,seccomp=EINVAL PROGRAM ARGUMENTS...

The calls named end with that error for the program and all it starts."""

import ctypes
import errno
import os
import struct
import sys

NUMBERS = {
    "landlock": [444, 445, 446],
    "seccomp": [{"x86_64": 317, "aarch64": 277}.get(os.uname().machine)],
}


def deny(calls):
    """CALLS: {number of a call: error}."""
    steps = [(0x20, 0, 0, 0)]                   # load the number
    for number, error in calls.items():
        steps += [(0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | error)]
    steps.append((0x06, 0, 0, 0x7fff0000))
    program = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *step) for step in steps))
    filter = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    # no new privileges; a filter
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter, 0, 0):
        sys.exit("no seccomp")


if __name__ == "__main__":
    deny({number: getattr(errno, error)
          for what, error in (word.split("=")
                              for word in sys.argv[1].split(","))
          for number in NUMBERS[what]})
    os.execv(sys.argv[2], sys.argv[2:])
