"""What is refused, and why mail goes where it goes: each with its reason and
values, the same for scripts and for pages in any language."""

import itertools
import json
import os
import re
import urllib.parse

import pytest

from api import Api, document, quote
from splitmail import ROOT

PASSWORD = "correct horse"
IMPORTED = "{PLAIN-MD5}" + 32 * "0"


def table(path, macro):
    """id -> names of its values, of a table of sentences."""
    with open(os.path.join(ROOT, "src", path)) as file:
        lines = re.findall(rf"^{macro}\((\w+),((?:.|\n)*?)\)$", file.read(),
                           re.M)
    assert lines
    return {name.replace("_", "-"): set(re.findall(r"\{(\w+)\}", text))
            for name, text in lines}


REFUSALS = table("directory/refusals.def", "REFUSAL")
PROBLEMS = table("console/problems.def", "PROBLEM")
FACTS = table("route/facts.def", "FACT")
TRIALS = table("console/trials.def", "TRIAL")
REMARKS = table("publish/remarks.def", "REMARK")


# ---- the tables and the document -------------------------------------------

def test_the_document_lists_every_reason():
    schemas = document()["components"]["schemas"]
    assert schemas["Reason"]["enum"] == sorted({**REFUSALS, **PROBLEMS})
    assert schemas["Fact"]["enum"] == sorted(FACTS)
    assert schemas["Remark"]["enum"] == sorted(REMARKS)
    report = schemas["RelayTestReport"]["properties"]["items"]["items"]
    assert set(report["properties"]["reason"]["enum"]) == {None, *TRIALS}


def test_a_reason_of_both_tables_means_the_same():
    for reason in set(REFUSALS) & set(PROBLEMS):
        assert REFUSALS[reason] == PROBLEMS[reason], reason


@pytest.mark.parametrize("file, given", [
    ("refusals.en", {**PROBLEMS, **REFUSALS}),
    ("refusals.fr", {**PROBLEMS, **REFUSALS}),
    ("facts.en", FACTS), ("facts.fr", FACTS),
    ("remarks.en", REMARKS), ("remarks.fr", REMARKS),
    ("en", {f"trial_{name}": values for name, values in TRIALS.items()}),
    ("fr", {f"trial_{name}": values for name, values in TRIALS.items()})])
def test_words_use_only_values_that_are_given(file, given):
    path = os.path.join(ROOT, "web", "src", "words", f"{file}.ts")
    with open(path) as words:
        words = re.findall(r'^\t"?([a-z_-]+)"?:\s*"((?:[^"\\]|\\.)*)"',
                           words.read(), re.M)
    words = [(reason, text) for reason, text in words if reason in given]
    assert len(words) > len(given) * 0.8
    for reason, text in words:
        assert set(re.findall(r"\{(\w+)\}", text)) <= given[reason], reason
        if "{n}" in text:
            assert text.count("|") == 1, f"{reason} has no plural"


# ---- each of them, by the API ----------------------------------------------

@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


@pytest.fixture(scope="module")
def root(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


@pytest.fixture(scope="module")
def directory(root):
    """One of everything, for what stands in the way of something."""
    for path, body in [
            ("/domains/a.test", {"relay": "192.0.2.1",
                                 "aliases": ["a2.test"]}),
            ("/domains/alone.test", {}),
            ("/users/alice@a.test", {}),
            ("/users/bob@a.test", {"mail_system": "alternate"}),
            ("/users/post@a.test", {}),
            ("/users/adam@a.test", {}),
            ("/users/ivan@a.test", {"password_hash": IMPORTED}),
            ("/administrators/adam@a.test", {"domain": "a.test"}),
            ("/users/all@alone.test", {}),
            ("/groups/team@a.test", {"members": ["alice@a.test"]}),
            ("/groups/top@a.test", {"members": ["team@a.test"]}),
            ("/systems/gw", {"hosts": "gw.test", "trust": ["192.0.2.0/24"],
                             "smart_host": True}),
            ("/users/carl@a.test", {"mail_system": "alternate",
                                    "system": "gw"}),
            ("/administrators/jane", {"role": "delegate", "domain": "a.test",
                                      "password": PASSWORD}),
    ]:
        root.put(path, body, status=201)
    root.put("/users/alice@a.test/addresses/" + quote("al@*"), {}, status=201)
    root.put("/users/alice@a.test/addresses/one@a2.test", {}, status=201)
    root.patch("/domains/a.test", {"postmaster": "post@a.test"})
    root.patch("/domains/alone.test", {"catch_all": "all@alone.test"})


# Method, path, body, the field at fault, the reason, some of the values.
CASES = [
    # settings
    ("PATCH", "domains a.test", {"relay": "host;id"}, "relay", "bad-hosts",
     {"given": "host;id"}),
    ("PATCH", "domains a.test", {"relay": "x:99999"}, "relay", "bad-hosts",
     {}),
    ("PATCH", "domains a.test", {"relay": ", ".join(
        f"h{n}.test" for n in range(17))}, "relay", "too-many-hosts",
     {"most": 16}),
    ("PATCH", "domains a.test", {"own_senders": "maybe"}, "own_senders",
     "not-one-of", {"words": ["accept", "refuse", "verify"], "given": "maybe"}),
    ("PATCH", "domains a.test", {"max_message_size": "much"},
     "max_message_size", "bad-size", {"given": "much"}),
    ("PATCH", "domains a.test", {"max_message_size": -1},
     "max_message_size", "bad-size", {"given": "-1"}),
    ("PATCH", "domains a.test", {"description": "x" * 1001}, "description",
     "text-too-long", {"most": 1000}),
    ("PATCH", "domains a.test", {"description": "a\tb"}, "description",
     "text-has-control", {}),
    ("PATCH", "domains a.test", {"nosuch": 1}, "nosuch", "unknown-key",
     {"key": "nosuch"}),
    ("PATCH", "domains a.test", {"relay": 1}, "relay", "wrong-type",
     {"key": "relay"}),
    # domains
    ("PUT", "domains no~domain", {}, "name", "bad-domain-name",
     {"given": "no domain"}),
    ("PUT", "domains [192.0.2.1]", {}, "name", "bad-domain-name", {}),
    ("PUT", "domains new.test", {"aliases": ["alone.test"]}, "aliases",
     "domain-exists", {"domain": "alone.test"}),
    ("PUT", "domains new.test", {"aliases": ["a2.test"]}, "aliases",
     "domain-is-alias", {"alias": "a2.test", "domain": "a.test"}),
    ("PUT", "domains new.test", {"aliases": ["new.test"]}, "aliases",
     "own-name-as-alias", {"domain": "new.test"}),
    ("PUT", "domains new.test", {"aliases": [f"a{n}.new.test" for n in
                                             range(1001)]},
     "aliases", "too-many-aliases", {"most": 1000}),
    ("PATCH", "domains a.test", {"aliases": []}, "aliases", "alias-in-use",
     {"n": 1, "alias": "a2.test",
      "addresses": ["one@a2.test (alice@a.test)"]}),
    ("DELETE", "domains alone.test", None, None, "domain-in-use",
     {"n": 1, "names": ["all@alone.test"]}),
    # the split
    ("PATCH", "domains alone.test", {"catch_all": "",
                                     "forward_unknown": True},
     "forward_unknown", "forward-needs-relay", {"domain": "alone.test"}),
    ("PATCH", "domains alone.test", {"forward_unknown": True,
                                     "relay": "b.test"},
     "forward_unknown", "catch-all-or-forward", {"domain": "alone.test"}),
    ("PATCH", "domains a.test", {"relay": ""}, "relay", "relay-in-use",
     {"n": 1, "domain": "a.test", "names": ["bob@a.test"]}),
    ("PATCH", "users all@alone.test", {"mail_system": "alternate"},
     "mail_system", "user-needs-relay", {"user": "all@alone.test"}),
    ("PATCH", "users all@alone.test",
     {"addresses": [{"address": "all@alone.test", "home": "both"}]},
     "addresses/0/home", "user-needs-relay", {}),
    # addresses
    ("PUT", "users a~b@a.test", {}, "address", "bad-address",
     {"given": "a b@a.test"}),
    ("PUT", "users alice@a.test addresses x@nosuch.test", {},
     "addresses/0/address", "domain-not-here", {"domain": "nosuch.test"}),
    ("PUT", "users alice@a.test addresses x@alone.test", {},
     "addresses/0/address", "other-domain", {"name": "alone.test"}),
    ("PUT", "users alice@a.test addresses *@a.test", {},
     "addresses/0/address", "address-is-wild-card", {}),
    ("PUT", "users bob@a.test addresses one@*", {}, "addresses/0/address",
     "address-taken", {"holder": "alice@a.test", "held": "one@a2.test"}),
    ("PUT", "users bob@a.test addresses al@a.test", {}, "addresses/0/address",
     "address-taken-everywhere", {"kind": "user", "held": "al@*"}),
    ("PATCH", "users alice@a.test", {"forward": ["nobody@a.test"]}, "forward",
     "address-nobody-has", {"address": "nobody@a.test"}),
    ("DELETE", "users alice@a.test addresses alice@*", None, "address",
     "default-address-stays", {"holder": "alice@a.test"}),
    ("PUT", "users a+b@a.test", {}, "address", "default-address-has-detail",
     {"address": "a@a.test"}),
    ("PUT", 'users "a~b"@a.test', {}, "address", "default-address-is-quoted",
     {}),
    ("PUT", "users élodie@a.test", {}, "address",
     "default-address-not-ascii", {"address": "élodie@a.test"}),
    ("PUT", "users postmaster-builtin@a.test", {}, "address",
     "address-reserved", {}),
    ("DELETE", "users all@alone.test", None, None, "others-lead-here",
     {"n": 1, "address": "all@alone.test",
      "names": ["alone.test (catch_all)"]}),
    ("DELETE", "users post@a.test", None, None, "others-lead-here",
     {"names": ["a.test (postmaster)"]}),
    ("PATCH", "groups team@a.test",
     {"addresses": [{"address": "team@a.test", "routed": False}]},
     "addresses/0/address", "only-users-live-elsewhere", {"kind": "group"}),
    ("PATCH", "users alice@a.test", {"addresses": [{"home": "here"}]},
     "addresses/0/home", "bad-address-entry", {}),
    # users, groups, shared mailboxes
    ("PUT", "users x@a.test", {"password": ""}, "password", "password-empty",
     {}),
    ("PUT", "users x@a.test", {"password": "x" * 513}, "password",
     "password-too-long", {"most": 512}),
    ("PUT", "users x@a.test", {"password": "7 chars"}, "password",
     "password-too-short", {"least": 8}),
    ("PUT", "users x@a.test", {"password": "X@a.test"}, "password",
     "password-is-name", {"name": "x@a.test"}),
    ("PUT", "users x@a.test", {"password": "x\ny"}, "password",
     "password-has-control", {}),
    *[("PUT", "users x@a.test", {"password_hash": given}, "password_hash",
       reason, values) for given, reason, values in [
        ("$6$salt$x", "bad-password-hash", {"shape": "{SCHEME}hash"}),
        ("{PLAIN.b64}eA==", "hash-is-readable", {"scheme": "{PLAIN.b64}"}),
        ("{BCRYPT}x", "hash-scheme-unknown", {"scheme": "{BCRYPT}"}),
        ("{DIGEST-MD5}x", "hash-of-a-name", {"scheme": "{DIGEST-MD5}"}),
        ("{PLAIN-MD5}x", "hash-misshapen",
         {"scheme": "{PLAIN-MD5}", "shape": "32 hexadecimal digits"}),
        ("{BLF-CRYPT}$2y$31$" + 53 * "a", "hash-too-costly",
         {"scheme": "{BLF-CRYPT}"})]],
    ("PATCH", "users adam@a.test", {"password_hash": IMPORTED},
     "password_hash", "hash-of-administrator", {"user": "adam@a.test"}),
    ("PUT", "administrators ivan@a.test", {"domain": "a.test"}, "password",
     "hash-of-user", {"user": "ivan@a.test"}),
    ("PATCH", "users alice@a.test", {"forward": ["al@a2.test"]}, "forward",
     "forward-to-himself", {"address": "al@a2.test"}),
    ("PATCH", "users alice@a.test", {"forward": [f"x{n}@else.test" for n in
                                                 range(51)]}, "forward",
     "too-many-forwards", {"most": 50}),
    ("DELETE", "shared postmaster-builtin@a.test", None, "address",
     "builtin-stays", {}),
    ("PATCH", "shared postmaster-builtin@a.test", {"enabled": False},
     "enabled", "builtin-stays-enabled", {}),
    ("PUT", "groups team@a.test members nosuch", {}, "member", "bad-address",
     {}),
    ("PUT", "groups team@a.test members team@a2.test", {}, "member",
     "group-in-itself", {}),
    ("PATCH", "groups team@a.test", {"members": ["top@a.test"]}, "members",
     "group-in-circle", {"address": "top@a.test", "group": "team@a.test"}),
    ("PATCH", "groups team@a.test", {"senders": ["team@a.test"]}, "senders",
     "no-sender", {"address": "team@a.test"}),
    ("PUT", "shared box@a.test", {"senders": ["members"]}, "senders",
     "shared-has-no-members", {"address": "box@a.test"}),
    # systems
    ("PUT", "users x@a.test", {"system": "nosuch"}, "system",
     "no-such-system", {"system": "nosuch", "names": ["gw"]}),
    ("PUT", "systems a~b", {"hosts": "x.test"}, "name", "bad-system-name",
     {"given": "a b"}),
    ("PUT", "systems x", {}, "hosts", "system-needs-hosts", {}),
    ("PUT", "systems x", {"hosts": "192.0.2.1", "tls": "verified"}, "tls",
     "ip-not-verified", {"hosts": "192.0.2.1"}),
    ("PUT", "systems x", {"hosts": "x.test", "user": "u" * 513}, "user",
     "bad-credential", {"most": 512}),
    ("PUT", "systems x", {"hosts": "x.test", "user": "u"}, "password",
     "user-and-password", {}),
    ("PUT", "systems x", {"hosts": "x.test", "user": "u", "password": "p",
                          "tls": "none"}, "tls", "password-needs-tls", {}),
    ("PUT", "systems x", {"hosts": "x.test", "smart_host": True},
     "smart_host", "smart-host-taken", {"system": "gw"}),
    ("PUT", "systems x", {"hosts": "x.test", "trust": ["everybody"]},
     "trust", "bad-block", {"given": "everybody"}),
    ("PUT", "systems x", {"hosts": "x.test", "trust": ["0.0.0.0/0"]},
     "trust", "block-is-internet", {}),
    ("PUT", "systems x", {"hosts": "x.test", "trust": ["192.0.2.0/24"]},
     "trust", "block-taken", {"system": "gw"}),
    ("PUT", "systems x", {"hosts": "x.test", "trust": [
        f"198.51.{n}.0/24" for n in range(101)]}, "trust",
     "too-many-blocks", {"most": 100}),
    *[("PATCH", "systems gw", {key: bad}, key, "bad-count",
       {"given": str(bad), "most": most})
      for key, most in [("connections", 1000), ("mails_per_connection", 10000),
                        ("recipients_per_mail", 1000),
                        ("mails_per_minute", 60000)]
      for bad in (0, -1, most + 1, "many", 10**18)],
    ("PATCH", "systems gw", {"connections": True}, "connections",
     "wrong-type", {}),
    ("PATCH", "systems gw", {"connections": 1.5}, "connections",
     "wrong-type", {}),
    ("PATCH", "systems gw", {"address_family": "ipv5"}, "address_family",
     "not-one-of", {"words": ["any", "ipv4", "ipv6"]}),
    ("PATCH", "systems gw", {"address_family": "ipv4", "hosts": "[2001::1]"},
     "address_family", "no-host-of-family",
     {"family": "ipv4", "hosts": "[2001::1]"}),
    ("PATCH", "systems gw", {"outgoing": "mx.test"}, "outgoing",
     "bad-outgoing", {"given": "mx.test"}),
    ("PATCH", "domains a.test", {"outgoing": "192.0.2.77"}, "outgoing",
     "bad-outgoing", {"given": "192.0.2.77"}),
    ("PATCH", "systems gw", {"outgoing": "127.0.0.2", "hosts": "[2001::1]"},
     "outgoing", "no-host-of-outgoing",
     {"outgoing": "127.0.0.2", "hosts": "[2001::1]"}),
    ("DELETE", "systems gw", None, None, "system-in-use",
     {"n": 1, "names": ["carl@a.test"]}),
    # administrators, tokens, passwords
    ("PUT", "administrators Jane~Doe", {"domain": "a.test"}, "name",
     "bad-admin-name", {"given": "Jane Doe"}),
    ("PUT", "administrators x", {"domain": "a.test", "password": "short"},
     "password", "password-too-short", {"least": 8}),
    ("PUT", "administrators x", {"role": "king"}, "role", "not-one-of", {}),
    ("PUT", "administrators x", {"domain": "nosuch.test"}, "domain",
     "no-such-domain", {"domain": "nosuch.test"}),
    ("PUT", "administrators x", {"role": "delegate"}, "domain",
     "admin-needs-domain", {"role": "delegate"}),
    ("PUT", "administrators x", {"role": "superadmin", "domain": "a.test"},
     "domain", "superadmin-has-no-domain", {}),
    ("PATCH", "administrators admin0", {"role": "delegate",
                                        "domain": "a.test"}, "role",
     "first-admin-stays-super", {"name": "admin0"}),
    ("DELETE", "administrators admin0", None, "name", "first-admin-stays",
     {"name": "admin0"}),
    ("POST", "tokens", {"name": "", "scope": "read"}, "name",
     "token-needs-a-name", {}),
    ("POST", "tokens", {"name": "x", "scope": "read", "days": 4000}, "days",
     "bad-token-days", {"most": 3650}),
    ("POST", "tokens", {"name": "x", "scope": "all"}, "scope", "wrong-type",
     {}),
    ("PUT", "session password", {"current": "no", "new": "long enough"},
     "current", "wrong-password", {}),
    # filters
    ("PUT", "filters a~b", {"socket": "inet:a.test:1"}, "name",
     "bad-filter-name", {"given": "a b"}),
    ("PUT", "filters x", {}, "socket", "filter-needs-socket", {}),
    ("PUT", "filters x", {"socket": "/run/x"}, "socket", "bad-socket",
     {"given": "/run/x"}),
    ("PUT", "filters x", {"socket": "inet:a.test:1",
                          "listeners": ["mx", "smtp"]},
     "listeners", "no-such-listener",
     {"listener": "smtp", "names": ["mx", "submission", "submissions"]}),
    # what is done with many, and with other systems
    ("POST", "users bulk", {"addresses": [], "change": {}}, "addresses",
     "too-many-users", {"most": 10000}),
    ("POST", "users bulk", {"addresses": ["x@a.test"], "change": {}},
     "change", "nothing-to-change", {}),
    ("POST", "queue orders", {"order": "delete"}, "all",
     "no-messages-named", {}),
    ("POST", "queue orders", {"order": "hold", "domain": "no domain"},
     "domain", "bad-domain-name", {"given": "no domain"}),
    ("POST", "relay-test", {"hosts": "host;id"}, "hosts", "bad-hosts",
     {"given": "host;id"}),
    ("POST", "relay-test", {"hosts": ", ".join(f"h{n}.test" for n in
                                               range(17))}, "hosts",
     "too-many-hosts", {"most": 16}),
    ("GET", "route?address=nobody", None, "address", "bad-address",
     {"given": "nobody"}),
    ("GET", "route?address=x@a.test&as=system:nosuch", None, "as",
     "bad-asker", {"given": "system:nosuch"}),
]
# Who meets these comes by another way than the API, or has lost a race.
ELSEWHERE = {
    "not-yes-or-no": "a flag is true or false in JSON",
    "text-not-utf8": "JSON is UTF-8",
    "address-without-domain": "no address of the grammar lacks it",
    "alias-not-deleted": "an alias is no domain of the API's",
    "no-such-address": "404", "address-of-domains": "404",
    "address-on-all-aliases": "404", "no-such-holder": "404",
    "holder-of-no-domain": "404", "holder-of-other-kind": "404",
    "no-such-member": "404", "already-a-member": "200", "no-such-admin": "404",
    "no-such-token": "404", "no-system-at-all": "here is one",
    "admin-exists": "PUT changes what is there", "system-exists": "as above",
    "relay-needed-to-forward": "a test below",
    "user-outranks": "test_api_rights.py",
    "aliases-are-not-his": "test_api_rights.py",
    "mail-of-superior": "test_ranks.py",
    "not-by-another-address": "deleted_test.c",
    "others-elsewhere-lead-here": "test_references.py",
    "no-change-to-undo": "test_rename.py", "renamed-since": "test_rename.py",
    "host-is-this-machine": "test_ranks.py",
    "outgoing-is-superiors": "test_ranks.py",
    **dict.fromkeys(
        ["code-wrong", "code-used", "own-password", "no-second-factor", "own-second-factor",
         "no-second-factor-of", "second-factor-is-on",
         "second-factor-not-begun", "second-factor-is-his"],
        "test_second_factor.py"),
    **dict.fromkeys(
        ["no-such-job", "too-many-jobs", "too-many-jobs-a-day",
         "match-changed", "nobody-to-change", "too-many-for-a-job",
         "nothing-to-put-back",
         "address-of-another", "user-changed-since", "cannot-be-put-back",
         "asker-is-gone", "asker-has-fewer-rights",
         "expect-needed", "addresses-and-filter"], "test_jobs.py"),
    **dict.fromkeys(
        ["no-such-filter", "no-filter-at-all", "filter-exists",
         "too-many-filters", "filters-are-not-his"], "filters_test.c"),
    **dict.fromkeys(
        ["no-such-dkim-key", "no-dkim-key-at-all", "dkim-key-exists",
         "bad-selector", "too-many-dkim-keys", "dkim-key-waits",
         "no-new-dkim-key", "dkim-key-signs", "dkim-key-is-needed"],
        "dkim_test.c"),
    "dkim-not-published": "test_dkim.py",
    "too-many-members": "5000", "no-such-deleted": "test_deleted_users.py",
    "deleted-several": "test_deleted_users.py", "too-many-senders": "1000", "too-many-tokens": "100",
}


def target(path):
    """"users a~b@a.test" -> /users/a%20b%40a.test"""
    return "/" + "/".join(quote(part.replace("~", " "))
                          for part in path.split(" "))


@pytest.mark.parametrize(
    "method, path, body, field, reason, values", CASES,
    ids=[f"{case[4]} {number}" for number, case in enumerate(CASES)])
def test_each_wrong_value_has_its_reason(root, directory, method, path, body,
                                         field, reason, values):
    path, _, query = path.partition("?")
    if path == "tokens":
        body = {**body, "password": root.password}
    answer = root.request(method, target(path), body, 422,
                          **dict(urllib.parse.parse_qsl(query))).json
    assert answer["reason"] == reason, answer
    assert answer.get("field") == field, answer
    said = answer["values"]
    assert set(said) - {"n"} == {**PROBLEMS, **REFUSALS}[reason] - {"n"}
    assert {key: said[key] for key in values} == values
    # The sentence of the command line says them, too.
    for name, value in said.items():
        for each in value if isinstance(value, list) else [value]:
            assert name == "n" or str(each) in answer["detail"]


def test_every_refusal_is_met():
    met = {case[4] for case in CASES} | set(ELSEWHERE)
    assert set(REFUSALS) <= met, set(REFUSALS) - met


def test_nothing_is_left_of_what_was_refused(root, directory):
    for path in ("/domains/new.test", "/users/x@a.test", "/systems/x",
                 "/administrators/x"):
        root.get(path, status=404)


# ---- the four rules of a split domain --------------------------------------

counter = itertools.count(1)


@pytest.fixture
def domain(root):
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {"relay": "192.0.2.1"}, status=201)
    return name


def test_forwarding_unknowns_needs_a_relay(root):
    answer = root.refused("PUT", "/domains/none.test",
                          {"forward_unknown": True}, "forward_unknown",
                          "without a relay").json
    assert answer["reason"] == "forward-needs-relay"
    assert answer["values"] == {"domain": "none.test"}
    root.get("/domains/none.test", status=404)


def test_a_relay_that_unknowns_go_to_stays(root, domain):
    root.patch(f"/domains/{domain}", {"forward_unknown": True})
    answer = root.refused("PATCH", f"/domains/{domain}", {"relay": ""},
                          "relay").json
    assert answer["reason"] == "relay-needed-to-forward"
    root.patch(f"/domains/{domain}", {"relay": "", "forward_unknown": False})


def test_an_alternate_user_needs_a_relay(root):
    root.put("/domains/norelay.test", {}, status=201)
    root.put("/users/u@norelay.test", {}, status=201)
    for method, user in ("PATCH", "u"), ("PUT", "v"):
        answer = root.refused(method, f"/users/{user}@norelay.test",
                              {"mail_system": "alternate"}, "mail_system",
                              "no relay").json
        assert answer["reason"] == "user-needs-relay"
        assert answer["values"] == {"user": f"{user}@norelay.test"}
    root.get("/users/v@norelay.test", status=404)
    job = root.wait_for_job(root.job({
        "addresses": ["u@norelay.test"],
        "change": {"mail_system": "alternate"}}))
    [refused] = root.get(f"/jobs/{job['id']}/refusals").json["items"]
    assert refused["reason"] == "user-needs-relay"
    assert refused["values"] == {"user": "u@norelay.test"}
    assert refused["field"] == "mail_system"


def test_a_relay_in_use_stays_and_names_its_users(root, domain):
    users = [f"u{number}@{domain}" for number in range(12)]
    for user in users:
        root.put(f"/users/{user}", {"mail_system": "alternate"}, status=201)
    answer = root.refused("PATCH", f"/domains/{domain}", {"relay": ""},
                          "relay", "12 users", f"{users[9]} and 2 more").json
    assert answer["reason"] == "relay-in-use"
    assert answer["values"] == {"n": 12, "domain": domain,
                                "names": users[:10]}
    assert root.get(f"/domains/{domain}").json["relay"] == "192.0.2.1"
    for user in users[1:]:
        root.patch(f"/users/{user}", {"mail_system": "hosted"})
    answer = root.refused("PATCH", f"/domains/{domain}", {"relay": ""},
                          "relay", "1 user of").json
    assert answer["values"] == {"n": 1, "domain": domain, "names": users[:1]}


def test_catch_all_excludes_forwarding_unknowns(root, domain):
    root.put(f"/users/all@{domain}", {}, status=201)
    both = {"catch_all": f"all@{domain}", "forward_unknown": True}
    path = f"/domains/{domain}"
    for body, field in (both, "catch_all"), ({"forward_unknown": True},
                                             "forward_unknown"):
        answer = root.refused("PATCH", path, body, field).json
        assert answer["reason"] == "catch-all-or-forward"
        assert answer["values"] == {"domain": domain}
        root.patch(path, {"catch_all": f"all@{domain}"})


# ---- other answers than 422 ------------------------------------------------

def test_problems_have_reasons(server, root, directory):
    stranger, jane = Api(server), Api(server)
    assert stranger.get("/session", 401).json["reason"] == "not-signed-in"
    answer = stranger.sign_in("admin0", "wrong", status=401).json
    assert answer["reason"] == "wrong-name-or-password"
    jane.sign_in("jane", PASSWORD)
    answer = jane.get("/administrators", 403).json
    assert answer["reason"] == "no-right"
    assert answer["values"] == {"role": "delegate"}
    answer = jane.get("/overview", 404, domain="alone.test").json
    assert answer["reason"] == "no-such-domain"
    assert answer["values"] == {"domain": "alone.test"}
    assert root.get("/users/x@x.test", 404).json["reason"] == "not-found"
    tag = root.get("/domains/a.test").etag
    root.patch("/domains/a.test", {"description": "new"})
    for headers, reason in (({"If-Match": tag}, "changed-meanwhile"),
                            ({"If-None-Match": "*"}, "exists-already")):
        answer = root.put("/domains/a.test", {"relay": "192.0.2.1"}, 412,
                          headers=headers)
        assert answer.json["reason"] == reason
    assert root.get("/entries", 400, sort="x").json["reason"] == \
        "bad-parameter"
    assert root.get("/domains", 400, limit=0).json["reason"] == "bad-limit"


def test_what_is_given_is_cut(root, directory):
    """A value is for a sentence, not for a megabyte of it."""
    answer = root.request("PATCH", "/domains/a.test",
                          {"relay": "é" * 100000}, 422)
    assert len(answer.json["values"]["given"]) == 500
    assert len(json.dumps(answer.json)) < 20000


# ---- why mail goes where it goes -------------------------------------------

ROUTES = [
    ("alice@a.test", ["our-domain", "address-of-everywhere", "lives-here"]),
    ("one@a2.test", ["our-alias", "address-of", "lives-here"]),
    ("alice+list@a.test", ["our-domain", "address-of-everywhere",
                           "has-detail", "lives-here"]),
    ("bob@a.test", ["our-domain", "address-of-everywhere", "routed-there",
                    "system-is-relay", "asked-at-rcpt"]),
    ("carl@a.test", ["our-domain", "address-of-everywhere", "routed-there",
                     "system-is", "asked-at-rcpt"]),
    ("team@a.test", ["our-domain", "address-of-everywhere", "group-of",
                     "our-domain", "address-of-everywhere", "lives-here"]),
    ("nobody@a.test", ["our-domain", "nobody-has", "forwards-no-unknown"]),
    ("any@alone.test", ["our-domain", "nobody-has", "catch-all-is",
                        "our-domain", "address-of-everywhere",
                        "lives-here"]),
    ("postmaster@a.test", ["our-domain", "address-of-everywhere",
                           "postmaster-is", "our-domain",
                           "address-of-everywhere", "lives-here"]),
    ("x@else.test", ["not-our-domain", "may-not-relay"]),
]


@pytest.mark.parametrize("address, facts", ROUTES)
def test_why_mail_goes_where_it_goes(root, directory, address, facts):
    reasons = root.get("/route", address=address).json["reasons"]
    assert [reason["id"] for reason in reasons] == facts
    for reason in reasons:
        assert set(reason["values"]) == FACTS[reason["id"]]
        for value in reason["values"].values():
            assert str(value) in reason["fact"]
