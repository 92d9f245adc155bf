"""An administrator's second factor, by the HTTP API: from the secret to the
lost phone."""

import concurrent.futures
import contextlib
import os
import shutil
import sqlite3

import pytest

from api import Api
from phone import Phone
from splitmail import ROOT

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def a(shared_world):
    server = shared_world.server("a")
    server.cli("domain", "create", "d.test", "--relay", "192.0.2.1")
    return server


@pytest.fixture
def root(a):
    api = Api(a, "127.7.1.1")
    api.sign_in("admin0", a.admin_password)
    return api


counter = iter(range(1, 1000))


class Administrator:
    """One with a second factor; api is the session that switched it on.  He
    has an address of his own, so that nobody's failures hinder him."""

    def __init__(self, root, role="domain-admin"):
        self.server = root.server
        number = next(counter)
        self.name, self.place = f"n{number}@d.test", f"127.7.0.{number}"
        self.path = f"/administrators/{self.name}"
        root.put(self.path, {
            "role": role, "password": PASSWORD,
            "domain": None if role == "superadmin" else "d.test"}, status=201)
        self.api = self.sign_in()

    def sign_in(self, code=None, status=201, source=None, **more):
        api = Api(self.server, source or self.place)
        api.answer = api.sign_in(self.name, PASSWORD, code, status, **more)
        return api

    def begin(self):
        self.begun = self.api.post("/session/totp", None, 201).json
        self.phone = Phone(self.begun["secret"])

    def switch_on(self):
        self.begin()
        self.recovery_codes = self.api.put("/session/totp", {
            "password": PASSWORD, "code": self.phone.code()},
            status=200).json["recovery_codes"]
        return self


def off(api, password, code, status=204):
    return api.request("DELETE", "/session/totp",
                       {"password": password, "code": code}, status)


# ---- on --------------------------------------------------------------------

def test_it_is_on_when_password_and_code_were_given(a, root):
    one = Administrator(root)
    other = one.sign_in()
    proof = {"password": PASSWORD, "code": "123456"}
    one.api.refused("PUT", "/session/totp", proof, None, "Begin")
    one.begin()
    assert one.begun["uri"] == (
        f"otpauth://totp/Splitmail%20{a.hostname}:{one.name}?secret="
        f"{one.begun['secret']}&issuer=Splitmail%20{a.hostname}")
    forgotten = one.phone
    one.begin()
    one.api.refused("PUT", "/session/totp", dict(proof, password="no"),
                    "password")
    for code in (one.phone.wrong(), forgotten.shown(), ""):
        one.api.refused("PUT", "/session/totp", dict(proof, code=code),
                        "code", "wrong")
    for body in ({"code": one.phone.shown()}, {"password": PASSWORD}, {},
                 dict(proof, code=123456)):
        one.api.put("/session/totp", body, status=400)
    one.sign_in()
    assert one.api.get("/session").json["totp"] is False

    # Another begins as well: the last one counts, and it is on.
    codes = one.api.put("/session/totp", dict(proof, code=one.phone.code()),
                        status=200).json["recovery_codes"]
    assert len(set(codes)) == 10
    session = one.api.get("/session").json
    assert session["totp"] is True and session["recovery_codes"] == 10
    other.get("/session", status=401)
    one.api.request("POST", "/session/totp", status=422)
    one.api.refused("PUT", "/session/totp", proof, None, "already")
    assert root.get(one.path).json["totp"] == "on"


def test_a_code_is_asked_for_after_the_right_password_only(root):
    one = Administrator(root).switch_on()
    api = Api(root.server, one.place)
    wrong = api.sign_in(one.name, "wrong", status=401)
    nobody = api.sign_in("nobody@d.test", "wrong", status=401)
    guess = api.sign_in(one.name, "wrong", one.phone.shown(), status=401)
    assert wrong.json == nobody.json == guess.json
    assert "field" not in wrong.json and "set-cookie" not in wrong.headers
    for code in (None, ""):
        asked = one.sign_in(code, status=401).answer
        assert asked.json["field"] == "code"
        assert "set-cookie" not in asked.headers
    refused = one.sign_in(one.phone.wrong(), status=401).answer
    assert refused.json["field"] == "code"
    assert refused.json["detail"] == "The code is wrong."
    api.post("/session", {"name": one.name, "password": PASSWORD, "code": 1},
             400)
    # One without a second factor may give any.
    Administrator(root).sign_in("123456")


def test_a_new_session_at_sign_in_with_a_code(root):
    one = Administrator(root).switch_on()
    api = Api(root.server, one.place)
    api.cookie, api.csrf = "x" * 52, "y" * 52
    api.sign_in(one.name, PASSWORD, one.phone.code())
    first = api.cookie
    assert first != "x" * 52
    # The attempt without a code neither makes nor ends one.
    api.sign_in(one.name, PASSWORD, status=401)
    api.get("/session")
    api.sign_in(one.name, PASSWORD, one.recovery_codes[0])
    assert api.cookie != first
    api.cookie = first
    api.get("/session", status=401)


def test_a_session_without_a_code_does_not_outlive_it(root):
    """Whoever signed in by the password alone is out, however it came."""
    one = Administrator(root)
    others = [one.sign_in() for _ in range(3)]
    one.switch_on()
    for api in others:
        api.get("/session", status=401)
    one.api.get("/session")


# ---- each code once --------------------------------------------------------

def test_a_code_is_taken_once(root):
    one = Administrator(root).switch_on()
    of_confirmation = one.phone.of_step(one.phone.given)
    refused = one.sign_in(of_confirmation, status=401).answer
    assert "used already" in refused.json["detail"]
    code = one.phone.code()
    # A preview is undone, but no code is given back by it.
    one.sign_in(f" {code[:3]} {code[3:]} ", preview="true")
    assert "used already" in one.sign_in(code, status=401).answer.json[
        "detail"]
    one.sign_in(one.phone.of_step(one.phone.given - 10), status=401)


@pytest.mark.parametrize("kind", ["code", "recovery code"])
def test_a_race_for_a_code_has_one_winner(root, kind):
    one = Administrator(root).switch_on()
    code = one.phone.code() if kind == "code" else one.recovery_codes[0]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        tries = [pool.submit(one.sign_in, code, status=(201, 401, 429))
                 for _ in range(6)]
    statuses = [each.result().answer.status for each in tries]
    assert statuses.count(201) == 1, statuses


def test_a_recovery_code_is_taken_once(root):
    one = Administrator(root).switch_on()
    code = one.recovery_codes[0]
    api = one.sign_in(code)
    assert api.answer.json["recovery_codes"] == 9
    assert api.get("/session").json["recovery_codes"] == 9
    one.sign_in(code, status=401)
    one.sign_in(one.recovery_codes[1].upper().replace("-", " "))
    used = root.get("/changes", subject=one.name).json["items"][0]
    assert (used["field"], used["new"]) == ("recovery_code", "used")
    assert used["who"] == f"console:{one.name}"


def test_new_recovery_codes(root):
    one = Administrator(root)
    path = "/session/totp/recovery-codes"
    proof = {"password": PASSWORD, "code": "123456"}
    one.api.refused("POST", path, proof, None, "No second factor")
    one.switch_on()
    one.api.refused("POST", path, dict(proof, password="no"), "password")
    one.api.refused("POST", path, dict(proof, code=one.phone.wrong()), "code")
    fresh = one.api.post(path, dict(proof, code=one.recovery_codes[0]),
                         200).json["recovery_codes"]
    assert not set(fresh) & set(one.recovery_codes)
    assert one.api.get("/session").json["recovery_codes"] == 10
    one.sign_in(one.recovery_codes[1], status=401)
    one.sign_in(fresh[1])
    assert root.get("/changes", subject=one.name).json["items"][1][
        "new"] == "new"


# ---- trying out ------------------------------------------------------------

def test_codes_are_throttled_as_passwords_are(root):
    one = Administrator(root).switch_on()
    statuses = []
    for _ in range(8):
        # To be asked for the code is no success that forgives the rest.
        one.sign_in(status=(401, 429))
        statuses.append(one.sign_in(one.phone.wrong(),
                                    status=(401, 429)).answer.status)
    assert statuses[:5] == [401] * 5 and 429 in statuses, statuses
    # Now neither the right code helps, nor a recovery code.
    one.sign_in(one.phone.code(), status=429)
    refused = one.sign_in(one.recovery_codes[0], status=429).answer
    assert int(refused.headers["retry-after"]) >= 1
    assert off(one.api, PASSWORD, one.phone.shown(), 429)
    Administrator(root).sign_in()


def test_codes_are_throttled_in_the_account_too(root):
    one = Administrator(root).switch_on()
    for _ in range(3):
        assert off(one.api, PASSWORD, one.phone.wrong(),
                   422).json["field"] == "code"
        assert off(one.api, "wrong", one.phone.shown(),
                   422).json["field"] == "password"
    off(one.api, PASSWORD, one.phone.wrong(), 429)
    one.sign_in(one.phone.code(), status=429)


def test_nobody_is_locked_out_by_others(root):
    """A net of machines that has the password tries codes: it has to wait,
    he has not, where he has signed in before."""
    one = Administrator(root).switch_on()
    home, elsewhere = "127.8.0.1", "127.8.0.2"
    one.sign_in(one.recovery_codes[0], source=home)
    for i in range(11):
        for _ in range(5):
            one.sign_in(one.phone.wrong(), status=(401, 429),
                        source=f"127.8.1.{i}")
    one.sign_in(one.recovery_codes[1], status=429, source=elsewhere)
    one.sign_in(one.recovery_codes[2], source=home)


# ---- off -------------------------------------------------------------------

def test_off_by_password_and_code(root):
    one = Administrator(root)
    off(one.api, PASSWORD, "123456", 422)
    one.switch_on()
    other = one.sign_in(one.recovery_codes[0])
    one.api.request("DELETE", "/session/totp", {"password": PASSWORD}, 400)
    off(one.api, PASSWORD, one.recovery_codes[0], 422)
    off(one.api, PASSWORD, one.phone.code())
    assert one.api.get("/session").json["totp"] is False
    other.get("/session", status=401)
    one.sign_in()
    fields = [(c["field"], c["new"]) for c in
              root.get("/changes", subject=one.name).json["items"]]
    assert fields[:3] == [("totp", "off"), ("recovery_code", "used"),
                          ("totp", "on")]
    # And on again, with another secret; the old codes are gone.
    before = one.begun["secret"], one.recovery_codes[1]
    one.switch_on()
    assert one.begun["secret"] != before[0]
    one.sign_in(before[1], status=401)
    off(one.api, PASSWORD, one.recovery_codes[9])


def test_a_superadministrator_helps_who_lost_his_phone(a, root):
    one = Administrator(root).switch_on()
    shown = root.get(one.path)
    root.refused("PATCH", one.path, {"totp": "on"}, "totp")
    assert root.patch(one.path, {"totp": "off"}, headers={
        "If-Match": shown.etag}).json["totp"] == "off"
    one.api.get("/session", status=401)
    one.sign_in()
    last = root.get("/changes", subject=one.name).json["items"][0]
    assert (last["who"], last["field"], last["new"]) == (
        "console:admin0", "totp", "off")


def test_nobody_else_does(root):
    victim = Administrator(root).switch_on()
    for role in ("domain-admin", "delegate"):
        api = Administrator(root, role).api
        api.patch(victim.path, {"totp": "off"}, status=403)
        api.put(victim.path, {"totp": "off"}, status=403)
    # The own one goes with password and code only, for a superadministrator
    # and his scripts, too.
    chief = Administrator(root, "superadmin").switch_on()
    for method in ("PATCH", "PUT"):
        chief.api.refused(method, chief.path, {
            "totp": "off", "role": "superadmin"}, "totp", "DELETE")
    script = Api(root.server)
    script.token = chief.api.new_token(
        "script", "write", code=chief.recovery_codes[0]).json["token"]
    script.refused("PATCH", chief.path, {"totp": "off"}, "totp")
    assert chief.api.get("/session").json["totp"] is True
    root.delete(chief.path)


def test_whoever_has_the_machine_has_the_keys(a, root):
    chief = Administrator(root, "superadmin").switch_on()
    a.cli("admin", "set", chief.name, "totp=off")
    chief.sign_in()
    admin0 = Api(a)
    admin0.sign_in("admin0", a.admin_password)
    phone = Phone(admin0.post("/session/totp", None, 201).json["secret"])
    admin0.put("/session/totp", {"password": a.admin_password,
                                 "code": phone.code()}, status=200)
    try:
        Api(a).sign_in("admin0", a.admin_password, status=401)
        shown = {each["name"]: each for each in a.cli("admin", "list")}
        assert shown["admin0"]["totp"] == "on"
    finally:
        a.cli("admin", "set", "admin0", "totp=off")
    Api(a).sign_in("admin0", a.admin_password)


# ---- beside it -------------------------------------------------------------

def test_scripts_go_on(root):
    one = Administrator(root)
    token = one.api.new_token("t", "write").json
    one.switch_on()
    script = Api(root.server, one.place)
    script.token = token["token"]
    assert script.get("/session").json["totp"] is True
    # ... but have no say in it.
    script.request("POST", "/session/totp", status=403)
    for method in ("PUT", "DELETE"):
        script.request(method, "/session/totp",
                       {"password": PASSWORD, "code": "1"}, 403)
    # A new one wants a code as well.
    one.api.new_token("without a code", status=400)
    refused = one.api.new_token("a guess", status=422, code="wrong")
    assert refused.json["field"] == "code"
    one.api.new_token("with a code", code=one.recovery_codes[0])


def test_the_own_password_goes_with_the_present_one(root):
    one = Administrator(root, "superadmin")
    for method in ("PATCH", "PUT"):
        one.api.refused(method, one.path, {
            "password": "taken over", "role": "superadmin"}, "password",
            "present one")
    one.sign_in()
    root.delete(one.path)


def test_a_user_as_administrator(root):
    one = Administrator(root)
    root.delete(one.path)
    root.put(f"/users/{one.name}", {"password": PASSWORD}, status=201)
    root.put(one.path, {"domain": "d.test"}, status=201)
    one.api = one.sign_in()
    one.switch_on()
    one.sign_in(status=401)
    one.sign_in(one.phone.code())
    # Another password of the user's is another proof: he is out.
    root.patch(f"/users/{one.name}", {"password": "another one"})
    one.api.get("/session", status=401)
    Api(root.server, one.place).sign_in(one.name, "another one", status=401)
    Api(root.server, one.place).sign_in(one.name, "another one", one.recovery_codes[0])


def test_a_deleted_administrator_leaves_nothing(a, root):
    one = Administrator(root).switch_on()
    root.delete(one.path)
    one.api.get("/session", status=401)
    one.sign_in(one.phone.code(), status=401)
    root.put(one.path, {"domain": "d.test", "password": PASSWORD}, status=201)
    one.api.get("/session", status=401)
    assert root.get(one.path).json["totp"] == "off"
    one.sign_in()


def test_secrets_are_shown_once(a, root):
    one = Administrator(root).switch_on()
    one.sign_in(one.recovery_codes[0])
    one.sign_in(one.phone.code())
    one.sign_in(one.recovery_codes[1] + "x", status=401)
    root.patch(one.path, {"password": "a new one"})
    secrets = [one.begun["secret"], *one.recovery_codes,
               *(code.replace("-", "") for code in one.recovery_codes)]
    seen = [root.get(path).text for path in (
        "/session", "/administrators", one.path, "/tokens", "/overview")]
    seen.append(root.get("/changes", limit=500).text)
    seen.append(one.server.log())
    for text in seen:
        for secret in secrets:
            assert secret not in text
    path = os.path.join(a.data, "directory.db")
    assert os.stat(path).st_mode & 0o077 == 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        dump = "\n".join(db.iterdump())
    for code in secrets[1:]:
        assert code not in dump


SCHEMA = os.path.join(ROOT, "src", "directory", "schema.sql")


def make_older(path, version):
    """The directory at PATH as one of that version: who administrates it, and
    nothing else."""
    with open(SCHEMA) as file:
        schema = file.read().split(f"\n-- version {version + 1}\n")[0]
    old = path + ".new"
    os.rename(path, old)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(schema + f"""
            ATTACH '{old}' AS now;
            INSERT INTO node (only_one, id, key)
                SELECT only_one, id, key FROM now.node;
            INSERT INTO admin (name, role, password)
                SELECT name, role, password FROM now.admin;
            PRAGMA application_id = 1397771348;
            PRAGMA user_version = {version};""")
    shutil.copystat(old, path)
    owner = os.stat(old)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.unlink(old)


@pytest.mark.parametrize("version", [2, 5])
def test_a_directory_of_a_version_before(world, version):
    """It is brought up to date by whoever looks into it first."""
    b = world.server("b")
    b.stop()
    make_older(os.path.join(b.data, "directory.db"), version)
    assert b.cli("admin", "list")[0]["totp"] == "off"
    b.serve()
