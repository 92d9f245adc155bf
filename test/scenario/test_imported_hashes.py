"""Passwords that come from another system as hashes: each one that is taken
lets its user in, whichever Dovecot is here; every other is refused in words."""

import base64
import ctypes
import ctypes.util
import hashlib
import imaplib
import os
import sqlite3
import subprocess

import pytest

from api import Api
from world import processor_seconds

PASSWORD = "Geheim-42 (neu)"
SALT = b"\x00salt\xff12"
BLOWFISH = "$2y$05$abcdefghijklmnopqrstuu"     # as PHP writes it


def by_doveadm(scheme):
    return subprocess.run(["doveadm", "-O", "pw", "-s", scheme,
                           "-p", PASSWORD], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def digest(scheme, kind, salt=b"", encode=base64.b64encode):
    raw = hashlib.new(kind, PASSWORD.encode() + salt).digest() + salt
    return "{%s}%s" % (scheme, encode(raw).decode())


def crypted(scheme, setting):
    """By crypt(3)."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    made = library.crypt(PASSWORD.encode(), setting.encode()).decode()
    assert made.startswith(setting), made
    return "{%s}%s" % (scheme, made)


def argon2(mib, passes=3):
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    sodium.sodium_init()
    hash_of = sodium.crypto_pwhash_str_alg
    hash_of.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulonglong,
                        ctypes.c_ulonglong, ctypes.c_size_t, ctypes.c_int]
    out = ctypes.create_string_buffer(128)
    word = PASSWORD.encode()
    assert hash_of(out, word, len(word), passes, mib << 20, 2) == 0
    return "{ARGON2ID}" + out.value.decode()


TAKEN = {
    "openldap": lambda: digest("SSHA", "sha1", SALT),
    "small letters": lambda: digest("ssha", "sha1", SALT),
    "in hex": lambda: digest("SSHA.HEX", "sha1", SALT, base64.b16encode),
    "b64 said": lambda: digest("SSHA256.b64", "sha256", SALT),
    "base64 said": lambda: digest("SHA.BASE64", "sha1"),
    "sha": lambda: digest("SHA", "sha1"),
    "sha in hex": lambda: digest("SHA", "sha1", b"", base64.b16encode),
    "sha1": lambda: digest("SHA1", "sha1"),
    "sha256": lambda: digest("SHA256", "sha256"),
    "sha512": lambda: digest("SHA512", "sha512"),
    "ssha256": lambda: digest("SSHA256", "sha256", SALT),
    "ssha512": lambda: digest("SSHA512", "sha512", SALT),
    "a salt of one byte": lambda: digest("SSHA", "sha1", b"x"),
    "a salt of 64 bytes": lambda: digest("SSHA", "sha1", SALT * 8),
    "smd5": lambda: digest("SMD5", "md5", SALT),
    "ldap-md5": lambda: digest("LDAP-MD5", "md5"),
    "plain-md5": lambda: "{PLAIN-MD5}" + hashlib.md5(
        PASSWORD.encode()).hexdigest(),
    "md5 of either kind": lambda: "{MD5}" + hashlib.md5(
        PASSWORD.encode()).hexdigest(),
    "shadow": lambda: crypted("CRYPT", "$6$saltsalt$"),
    "shadow of today": lambda: crypted("CRYPT",
                                       "$y$j9T$AbCdEfGhIjKlMnOpQrStU/$"),
    "rounds": lambda: crypted("SHA512-CRYPT", "$6$rounds=20000$salt$"),
    "sha256-crypt": lambda: crypted("SHA256-CRYPT", "$5$0123456789abcdef$"),
    "md5-crypt": lambda: crypted("MD5-CRYPT", "$1$saltsalt$"),
    "des": lambda: crypted("CRYPT", "ab"),
    "blowfish": lambda: crypted("BLF-CRYPT", BLOWFISH),
    "blowfish by crypt": lambda: crypted("CRYPT", BLOWFISH),
    "argon2id": lambda: argon2(64),
    "argon2id, as large as may be": lambda: argon2(192, 1),
} | {scheme.lower() + " of dovecot": lambda scheme=scheme: by_doveadm(scheme)
     for scheme in ("PBKDF2", "ARGON2I", "CRAM-MD5", "HMAC-MD5", "PLAIN-MD4",
                    "SCRAM-SHA-1", "SCRAM-SHA-256", "BLF-CRYPT", "DES-CRYPT")}

REFUSED = {
    "another's scheme": ("{PBKDF2-SHA256}27500$c2FsdA==$aGFzaA==", "is no "
                         "scheme that Dovecot has here"),
    "locked in shadow": ("{CRYPT}!$6$salt$" + 86 * "a", "no hash of {CRYPT}"),
    "cut off": ("{SSHA512}abcd", "no hash of {SSHA512}"),
    "readable": ("{PLAIN.b64}c2VjcmV0", "can be read from {PLAIN.b64}"),
    "of a login name": ("{DIGEST-MD5}" + "0" * 32, "one login name only"),
    "too large": (argon2(256, 1), "too much memory"),
}


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("a", cheap_passwords=False)
    server.cli("domain", "create", "example.test")
    return server


@pytest.mark.parametrize("name", TAKEN)
def test_it_lets_its_user_in(server, name):
    user = f"u{list(TAKEN).index(name)}@example.test"
    server.cli("user", "create", user)
    server.cli("user", "set", user, "password_hash=" + TAKEN[name]())
    server.imap(user, PASSWORD).logout()


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words(server, name):
    value, words = REFUSED[name]
    server.run("user", "create", "refused@example.test")
    assert words in server.refused("user", "set", "refused@example.test",
                                   "password_hash=" + value)
    assert server.cli("user", "show",
                      "refused@example.test")["password"] == "none"


def test_another_password_does_not(server):
    server.cli("user", "create", "one@example.test")
    server.cli("user", "set", "one@example.test",
               "password_hash=" + digest("SSHA", "sha1", SALT))
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("one@example.test", PASSWORD + "!")


def test_an_administrators_name_is_not_told_by_the_time(server):
    """Nor that of one whose hash was imported before that was refused: as slow
    as a name that is none, and no way in."""
    name, other = "old@example.test", "new@example.test"
    server.cli("user", "create", other)
    server.cli("admin", "create", other, "--role", "delegate", "--domain",
               "example.test", "--password-stdin", input="another one\n")
    server.cli("user", "create", name)
    server.cli("admin", "create", name, "--role", "delegate", "--domain",
               "example.test")
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=120) as db:
        db.execute("UPDATE holder SET password = ? WHERE login = ?",
                   (digest("SSHA", "sha1", SALT), name))
    # By the console's processor: the machine may be busy.
    took, pid = {name: 0, other: 0, "nobody@example.test": 0}, \
        server.console_pid()
    for number in range(5):
        for each in took:
            api = Api(server, source=f"127.7.{number}.{len(each)}")
            before = processor_seconds(pid)
            api.sign_in(each, PASSWORD, status=401)
            took[each] += processor_seconds(pid) - before
    assert min(took.values()) > max(took.values()) / 4 > 0, took
