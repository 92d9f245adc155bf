"""Mails of a seeded generator's making, as odd as they may be and legal.

    for number in range(50):
        letter = odd_mail(seed, number)
        letter.bytes        header and body, CRLF at their ends
        letter.is_utf8      needs SMTPUTF8
"""

import random


class OddMail:
    def __init__(self, number, header, body, is_utf8):
        self.number, self.is_utf8 = number, is_utf8
        self.header, self.body = header, body
        self.bytes = b"".join(header) + b"\r\n" + body


def words(dice, most=12):
    return " ".join(dice.choice(["minutes", "of", "last", "week", "a", "=20",
                                 "--", "From", "1.", "x"])
                    for _ in range(dice.randint(1, most)))


def folded(dice, text):
    """At blanks, by tabs or several blanks."""
    out = []
    for word in text.split(" "):
        if out and dice.random() < 0.3:
            out.append(dice.choice(["\r\n\t", "\r\n ", "\r\n    \t "]) + word)
        else:
            out.append((" " if out else "") + word)
    return "".join(out)


def field(dice, name, text):
    colon = dice.choice([": ", ":", ":  ", ":\t", ": "])
    return (name + colon + folded(dice, text) +
            dice.choice(["", "", " ", "\t "]) + "\r\n").encode()


def header_of(dice, number, is_utf8):
    who = "J\u00fcrgen \u674e" if is_utf8 else "=?utf-8?q?J=C3=BCrgen?="
    fields = [field(dice, "From", f"{who} <j@{DOMAIN}>"),
              field(dice, "To", "<bob@example.test>"),
              field(dice, "Subject", f"{number} {words(dice)}"),
              field(dice, "Date", "Sun, 1 Nov 2026 08:00:00 +0100"),
              field(dice, "Message-ID", f"<{number}@{DOMAIN}>")]
    for _ in range(dice.choice([0, 1, 5])):
        fields.append(field(dice, dice.choice(["X-A", "x-a", "X-B"]),
                            words(dice)))
    if dice.random() < 0.1:
        fields.append(b"X-Long: " + b"\r\n\t".join(
            b"v" * dice.randint(1, 900) for _ in range(40)) + b"\r\n")
    if dice.random() < 0.1:
        fields.append(b"X-Wide: " + b"w" * 990 + b"\r\n")
    if dice.random() < 0.2:
        fields.append(field(dice, "Received", "from a by b; Sun, 1 Nov 2026 "
                            "07:00:00 +0100"))
    if dice.random() < 0.1:
        fields.append(b"X-Empty:\r\n")
    dice.shuffle(fields)
    return fields


LINES = [b"", b".", b"..", b".a", b"a line", b"From here", b"\t", b" ",
         b"a  b \t c", b"trailing \t", b"-- ", b">From", b"x" * 998,
         b"." * 998, b"\xc3\xa4 8 bits", b"a\tb"]


def plain(dice):
    return b"".join(dice.choice(LINES) + b"\r\n"
                    for _ in range(dice.choice([0, 1, 2, 7, 50, 1000])))


def multipart(dice, depth):
    edge = f"edge-{depth}-{dice.randint(0, 10 ** 6)}"
    out = [f"Content-Type: multipart/mixed;\r\n\tboundary=\"{edge}\"\r\n\r\n"
           .encode(), dice.choice([b"", b"preamble\r\n"])]
    for _ in range(dice.randint(0, 3)):
        out.append(f"--{edge}\r\n".encode())
        out.append(multipart(dice, depth - 1) if depth and
                   dice.random() < 0.6 else b"\r\n" + plain(dice))
    out.append(f"--{edge}--\r\n".encode())
    return b"".join(out) + dice.choice([b"", b"epilogue\r\n"])


def body_of(dice, fields):
    kind = dice.choice(["none", "plain", "plain", "multipart", "blanks"])
    if kind == "none":
        return b""
    if kind == "multipart":
        head, _, body = multipart(dice, 4).partition(b"\r\n\r\n")
        fields += [b"MIME-Version: 1.0\r\n", head + b"\r\n"]
        return body
    body = plain(dice)
    return body + b"\r\n" * dice.randint(1, 9) if kind == "blanks" else body


DOMAIN = "odd.test"


def odd_mail(seed, number):
    dice = random.Random(f"{seed}.{number}")
    is_utf8 = dice.random() < 0.2
    fields = header_of(dice, number, is_utf8)
    body = body_of(dice, fields)
    return OddMail(number, fields, body, is_utf8)
