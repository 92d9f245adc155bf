"""An authenticator app: RFC 6238 written anew, so that the server's library is
not its own judge.

    phone = Phone(api.post("/session/totp", None, 201).json["secret"])
    phone.code()        one that the server has not seen and takes now
    phone.shown(at)     what is on the display at that time
"""

import base64
import hashlib
import hmac
import struct
import time

from world import wait_until

STEP = 30


class Phone:
    def __init__(self, secret):
        self.key = base64.b32decode(secret)
        self.given = 0          # the step of the last code

    def of_step(self, step):
        digest = hmac.digest(self.key, struct.pack(">Q", step), hashlib.sha1)
        offset = digest[-1] & 15
        number, = struct.unpack(">I", digest[offset:offset + 4])
        return f"{(number & 0x7fffffff) % 1000000:06}"

    def shown(self, at=None):
        return self.of_step(int(time.time() if at is None else at) // STEP)

    def code(self):
        """The server takes the next step's, too: of each half minute two
        codes can be given without waiting."""
        now = int(time.time()) // STEP
        self.given = max(self.given + 1, now)
        wait_until(lambda: int(time.time()) // STEP >= self.given - 1, 40,
                   "the phone's next code", pause=0.2)
        return self.of_step(self.given)

    def is_over(self):
        """The last code is one of before the two half minutes that count."""
        return int(time.time()) // STEP > self.given + 1

    def wrong(self):
        """None of those the server would take, now or soon."""
        now = int(time.time()) // STEP
        right = {self.of_step(now + i) for i in range(-3, 20)}
        return next(code for code in (f"{n:06}" for n in range(100))
                    if code not in right)
