"""`domain dns`: what it asks for is published, and then all is right; each record
broken is named.  Against a real NSD."""

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api import Api
from certificate import Certificate
from network import Names
from test_mta_sts import Web
from world import within

D = "split.example"
HOST = "mx.split.example"
OWN = "203.0.113.5"
CONF = 'outgoing_address = "203.0.113.5"\n'


class Zone:
    """What stands in the name server, by (name, type)."""

    def __init__(self, world, server, names):
        self.world, self.server, self.names = world, server, names
        self.lines = []

    def publish(self, *more):
        """Exactly what is asked for, and what others publish."""
        zone = self.server.run("domain", "dns", D, "--zone").stdout
        self.asked = [line for line in zone.splitlines()
                      if not line.startswith(";")]
        self.put([re.sub("\\tIN\\t(\\S+)\\t", r" \1 ", line) for line in self.asked]
                 + list(more))

    def put(self, lines):
        self.lines = lines
        self.names.zones["."] = ("\n".join(lines), True, False)
        self.names.up()

    def with_(self, begin, *instead):
        """...one record is another, or gone."""
        kept = [line for line in self.lines if not line.startswith(begin)]
        assert len(kept) < len(self.lines), (begin, self.lines)
        before, _ = self.lines, self.put(kept + list(instead))
        rows = self.rows()
        self.put(before)
        return rows

    def rows(self, domain=D):
        found = self.server.cli("domain", "dns", domain)
        assert found["domain"] == domain
        return Rows(found["records"])


class Rows(list):
    def of(self, what, kind=None):
        [row] = [r for r in self if r["what"] == what
                 and kind in (None, r["type"])]
        return row

    def says(self, what, state, *remarks):
        row = self.of(what)
        assert row["state"] == state, row
        said = [r["id"] for r in row["remarks"]]
        for each in remarks:
            assert each in said, row
        return row

    def faults(self):
        return {r["what"]: [m["text"] for m in r["remarks"] if m["fault"]]
                for r in self if r["state"] not in ("right",)}


@pytest.fixture
def zone(own_network, world):
    names = world.signed_names("other.example. A 198.51.100.9")
    folder = world.subfolder("certificates")
    ca = Certificate(folder, "ca.example")
    web = world.add(Web(Certificate(folder, "mta-sts.split.example", ca)))
    server = world.server("a", hostname=HOST, start=False,
                          conf=CONF + names.conf,
                          environment={"SSL_CERT_FILE": ca.pem})
    server.cli("domain", "create", D)
    zone = Zone(world, server, names)
    zone.web = web
    return zone


def policy_of(rows):
    return rows.of("policy")["value"].replace("\n", "\r\n")


WEB = "mta-sts.split.example. A 127.0.44.1"


def publish_all(zone, *more):
    zone.web.say(policy_of(zone.rows()))
    zone.publish(WEB, *more)
    return zone.rows()


def systems(zone, n):
    """N other systems, each with a user of the domain: by a host's name, by
    networks, or at a provider."""
    more = []
    for i in range(n):
        name, host = f"s{i}", f"mail{i}.other.example"
        if i % 3 == 1:
            zone.server.cli("system", "create", name, f"hosts=10.0.0.{i}",
                            f"trust=198.18.{i}.0/28")
        else:
            if i == 6:
                host = "aspmx.l.google.com"
                more += ['_spf.google.com. TXT "v=spf1 ip4:192.0.2.128/25 ~all"']
            else:
                more.append(f"{host}. A 192.0.2.{i + 1}")
            zone.server.cli("system", "create", name, f"hosts={host}")
        zone.server.cli("user", "create", f"u{i}@{D}",
                        "mail_system=alternate", f"system={name}")
    return more


@pytest.mark.parametrize("n", [
    0, 1, 7, pytest.param(50, marks=pytest.mark.long)])
def test_what_is_asked_for_is_right_once_published(zone, n):
    more = systems(zone, n)
    zone.put(more + ["other.example. A 198.51.100.9"])
    before = zone.rows()
    assert before.of("spf")["state"] == "absent"
    rows = publish_all(zone, *more)
    assert {r["state"] for r in rows} == {"right"}, rows.faults()
    kinds = {r["what"] for r in rows}
    assert {"mx", "address", "ptr", "spf", "dmarc", "mta-sts", "policy",
            "tls-reports", "imaps", "submissions"} <= kinds
    # ...and what is asked for then is what is there.
    again = zone.server.run("domain", "dns", D, "--zone").stdout
    assert [line for line in again.splitlines()
            if not line.startswith(";")] == zone.asked
    text = zone.server.run("domain", "dns", D).stdout
    assert "All that mail needs is published." in text
    spf = rows.of("spf")["value"]
    assert f"ip4:{OWN}" in spf
    for i in range(n):
        if i % 3 == 1:
            assert f"ip4:198.18.{i}.0/28" in spf
        elif i != 6:        # addresses of hosts cost no look-ups
            assert (f"ip4:192.0.2.{i + 1} " if n > 10
                    else f"a:mail{i}.other.example") in spf
    assert ("include:_spf.google.com" in spf) == (n >= 7)


SPF = f'{D}. TXT "v=spf1'


# What is taken away, what is put instead; then the row, its state, a remark.
BROKEN = [
    (f"{D}. MX", [], "mx", "absent", None),
    (f"{D}. MX", [f"{D}. MX 0 ."], "mx", "other", "mx-is-null"),
    (f"{D}. MX", [f"{D}. MX 10 203.0.113.5."], "mx", "other",
     "mx-is-address"),
    (f"{D}. MX", [f"{D}. MX 10 alias.{D}.", f"alias.{D}. CNAME {HOST}."],
     "mx", "other", "mx-is-alias"),
    (f"{D}. MX", [f"{D}. MX 10 nothing.{D}."], "mx", "other",
     "mx-has-no-address"),
    (f"{D}. MX", [f"{D}. MX 10 {HOST}.", f"{D}. MX 20 other.example."],
     "mx", "other", "mx-is-stranger"),
    (f"{HOST}. A", [], "address", "absent", None),
    (f"{HOST}. A", [f"{HOST}. A 10.0.0.1"], "address", "other",
     "address-is-private"),
    (f"{HOST}. A", [f"{HOST}. A 203.0.113.77"], "address", "other",
     "address-is-another"),
    ("5.113.0.203", [], "ptr", "absent", "ptr-by-provider"),
    ("5.113.0.203", ["5.113.0.203.in-addr.arpa. PTR other.example."], "ptr",
     "other", "ptr-not-back"),
    ("5.113.0.203", ["5.113.0.203.in-addr.arpa. PTR second.example.",
                     "second.example. A 203.0.113.5"], "ptr", "right",
     "ptr-is-another"),
    (SPF, [], "spf", "absent", None),
    (SPF, [f'{SPF} ip4:{OWN} ~all"', f'{SPF} mx -all"'], "spf", "other",
     "spf-several"),
    (SPF, [f'{SPF} ip4:{OWN} +all"'], "spf", "other", "spf-passes-all"),
    (SPF, [f'{SPF} ip4:{OWN} ?all"'], "spf", "right", "spf-is-neutral"),
    (SPF, [f'{SPF} ip4:{OWN} ip4:1.2.3 -all"'], "spf", "other",
     "spf-malformed"),
    (SPF, [f'{SPF} -all"'], "spf", "other", "spf-lacks-here"),
    (SPF, [f'{SPF} mx -all"'], "spf", "right", None),
    (SPF, [f'{SPF} a:{HOST}/24 -all"'], "spf", "right", None),
    (SPF, [f'{SPF} redirect=_r.{D}"', f'_r.{D}. TXT "v=spf1 ip4:203.0.113.0/24 -all"'],
     "spf", "right", "spf-lookups"),
    (SPF, [f'{SPF} ip4:{OWN} include:other.example -all"'], "spf", "other",
     "spf-include-missing"),
    (SPF, [f'{SPF} ip4:{OWN} include:_b.{D} -all"', f'_b.{D}. TXT "v=spf1 x"'],
     "spf", "other", "spf-include-bad"),
    (SPF, [f'{SPF} ip4:{OWN} include:{D} -all"'], "spf", "other",
     "spf-too-many"),
    (SPF, [f'{SPF} ip4:{OWN} a:a.{D} a:b.{D} -all"'], "spf", "right",
     "spf-void"),
    (SPF, [f'{SPF} ip4:{OWN} a:a.{D} a:b.{D} mx:c.{D} -all"'], "spf", "other",
     "spf-too-many-void"),
    (SPF, [f'{SPF} ip4:{OWN} ptr -all"'], "spf", "right", "spf-ptr"),
    (SPF, [], "dmarc", "right", "dmarc-alone"),
    (f"_dmarc.{D}.", [], "dmarc", "absent", None),
    (f"_dmarc.{D}.", [f'_dmarc.{D}. TXT "v=DMARC1; p=none"',
                      f'_dmarc.{D}. TXT "v=DMARC1; p=reject"'], "dmarc",
     "other", "dmarc-several"),
    (f"_dmarc.{D}.", [f'_dmarc.{D}. TXT "v=DMARC1; p=all"'], "dmarc", "other",
     "dmarc-malformed"),
    (f"_dmarc.{D}.", [f'_dmarc.{D}. TXT "v=DMARC1; p=none"'], "dmarc",
     "right", "dmarc-has-no-reports"),
    (f"_dmarc.{D}.", [
        f'_dmarc.{D}. TXT "v=DMARC1; p=none; rua=mailto:x@other.example"'],
     "dmarc", "other", "dmarc-reports-unwanted"),
    (f"_dmarc.{D}.", [
        f'_dmarc.{D}. TXT "v=DMARC1; p=none; rua=mailto:x@other.example"',
        f'{D}._report._dmarc.other.example. TXT "v=DMARC1"'], "dmarc",
     "right", "dmarc-stays"),
    (f"_mta-sts.{D}.", [], "mta-sts", "absent", None),
    (f"_mta-sts.{D}.", [f'_mta-sts.{D}. TXT "v=STSv1; id="'], "mta-sts",
     "other", "sts-is-none"),
    ("mta-sts.split.example. A", [], "policy", "other",
     "sts-policy-is-missing"),
    (f"{D}. MX", [f"{D}. MX 10 second.{D}.", f"second.{D}. A {OWN}"],
     "policy", "other", "sts-policy-lacks"),
    (f"_smtp._tls.{D}.", [f'_smtp._tls.{D}. TXT "v=TLSRPTv1"'],
     "tls-reports", "other", "tls-reports-none"),
    (f"_imaps._tcp.{D}.", [f"_imaps._tcp.{D}. SRV 0 1 993 other.example."],
     "imaps", "other", "srv-is-another"),
    (f"_submissions._tcp.{D}.", [f"_submissions._tcp.{D}. SRV 0 0 0 ."],
     "submissions", "other", "srv-is-another"),
]


def test_each_fault_is_named(zone):
    rows = publish_all(zone, "other.example. A 198.51.100.9")
    assert {r["state"] for r in rows} == {"right"}, rows.faults()
    wrong = []
    for begin, instead, what, state, remark in BROKEN:
        row = zone.with_(begin, *instead).of(what)
        said = [m["id"] for m in row["remarks"]]
        if row["state"] != state or (remark and remark not in said):
            wrong.append((begin, instead, what, state, remark, row))
    assert not wrong
    assert {r["state"] for r in zone.rows()} == {"right"}


@pytest.mark.parametrize("n, state, remark", [
    (9, "right", "spf-lookups"), (10, "right", "spf-lookups"),
    (11, "other", "spf-too-many")])
def test_lookups_are_counted_with_nested_ones(zone, n, state, remark):
    """One include of four, one of none, and "a" terms for the rest; what is
    proposed instead costs no more than ten."""
    hosts = [f"h{i}.{D}" for i in range(n)]
    nested = [f'_n.{D}. TXT "v=spf1 a:{hosts[0]} a:{hosts[1]} a:{hosts[2]}'
              f' include:_m.{D} ~all"',
              f'_m.{D}. TXT "v=spf1 ip4:192.0.2.200 exists:%{{i}}.x.{D} -all"']
    plain = " ".join(f"a:{host}" for host in hosts[6:])
    more = nested + [f"{host}. A 192.0.2.{i + 1}"
                     for i, host in enumerate(hosts)]
    zone.put([f'{SPF} ip4:{OWN} include:_n.{D} {plain} ~all"', *more])
    row = zone.rows().says("spf", state, remark)
    [count] = [m["values"]["n"] for m in row["remarks"] if m["id"] == remark]
    assert count == n, row
    if n == 11:
        for host in range(6, 11):
            assert f"ip4:192.0.2.{host + 1}" in row["value"]
        zone.put([f'{D}. TXT "{row["value"]}"', *more])
        zone.rows().says("spf", "right", "spf-lookups")


def test_a_system_that_is_missing_is_named(zone):
    more = systems(zone, 2)
    zone.put([f'{SPF} ip4:{OWN} include:news.{D} -all"',
              f'news.{D}. TXT "v=spf1 ip4:192.0.2.77 -all"', *more])
    row = zone.rows().says("spf", "other", "spf-lacks")
    said = {m["values"]["system"]: m["values"]["terms"]
            for m in row["remarks"] if m["id"] == "spf-lacks"}
    assert said == {"s0": ["a:mail0.other.example"],
                    "s1": ["ip4:198.18.1.0/28"]}
    # What is there stays, and how it ends.
    assert row["value"] == (
        f"v=spf1 ip4:{OWN} include:news.{D} a:mail0.other.example "
        "ip4:198.18.1.0/28 -all")


def test_two_records_become_one(zone):
    """With all that either allows; and a policy that mail can bear stays."""
    zone.put([f'{SPF} ip4:{OWN} include:news.{D} -all"',
              f'{SPF} ip4:{OWN} ip4:192.0.2.9 ~all"',
              f'news.{D}. TXT "v=spf1 ip4:192.0.2.77 -all"',
              f'_dmarc.{D}. TXT "v=DMARC1; p=quarantine; '
              'rua=mailto:x@other.example"'])
    rows = zone.rows()
    row = rows.says("spf", "other", "spf-several")
    terms = row["value"].split()
    assert set(terms) == {"v=spf1", f"ip4:{OWN}", f"include:news.{D}",
                          "ip4:192.0.2.9", "~all"} and len(terms) == 5, row
    row = rows.says("dmarc", "other", "dmarc-without-proof")
    assert "p=none" in row["value"]
    zone.put([f'{D}. TXT "{" ".join(terms)}"', *zone.lines[2:]])
    row = zone.rows().says("dmarc", "other", "dmarc-reports-unwanted")
    assert "p=quarantine" in row["value"]


def test_several_hosts_stay_in_the_zone_file(zone):
    more = systems(zone, 1)
    zone.put([f"{D}. MX 10 {HOST}.", f"{D}. MX 20 mail0.other.example.",
              f"{HOST}. A {OWN}", *more])
    zone.rows().says("mx", "right", "mx-is-not-heard")
    text = zone.server.run("domain", "dns", D, "--zone").stdout
    assert f"{D}.\tIN\tMX\t10 {HOST}.\n" in text
    assert f"{D}.\tIN\tMX\t20 mail0.other.example.\n" in text


def test_a_system_may_take_the_mail(zone):
    more = systems(zone, 1)
    zone.put([f"{D}. MX 10 mail0.other.example.", *more])
    zone.rows().says("mx", "right", "mx-is-another")


def test_a_private_system_sends_from_where(zone):
    zone.server.cli("domain", "set", D, "relay=10.0.0.7")
    zone.put([f'{SPF} ip4:{OWN} -all"'])
    zone.rows().says("spf", "right", "spf-sender-unknown")


@pytest.fixture
def scripted(own_network, world):
    class Slow(Names):
        delay = 0

        def resolve(self, request, handler):
            time.sleep(self.delay)
            return super().resolve(request, handler)

    names = world.add(Slow(f"""
        {D}. MX 10 {HOST}.
        {HOST}. A {OWN}
        {D}. TXT "v=spf1 a:a.{D} include:b.{D} -all"
        a.{D}. A {OWN}
        b.{D}. TXT "v=spf1 include:c.{D} -all"
        c.{D}. TXT "v=spf1 mx:{D} -all"
        5.113.0.203.in-addr.arpa. PTR {HOST}.
        _dmarc.{D}. TXT "v=DMARC1; p=none; rua=mailto:postmaster@{D}"
    """))
    server = world.server("a", hostname=HOST, start=False, conf=CONF
                          + 'dns {\n\tservers = { "127.0.0.1" }\n}\n')
    server.cli("domain", "create", D)
    server.names = names
    return server


def states(server):
    begin = time.monotonic()
    rows = Rows(server.cli("domain", "dns", D)["records"])
    return rows, {r["what"]: r["state"] for r in rows}, \
        time.monotonic() - begin


def test_a_slow_name_server_is_waited_for(scripted):
    scripted.names.delay = 0.7
    rows, said, took = states(scripted)
    assert said["spf"] == "right", rows.of("spf")
    assert said["mx"] == said["ptr"] == said["dmarc"] == "right"
    assert took < within(12)


def test_what_is_not_answered_is_unknown(scripted):
    """Within the limit, and all else is said."""
    for name in (f"c.{D}.", f"_dmarc.{D}.", f"_imaps._tcp.{D}."):
        scripted.names.trouble[name] = "silence"
    scripted.names.trouble[f"_smtp._tls.{D}."] = "SERVFAIL"
    rows, said, took = states(scripted)
    assert took < within(11)
    assert {what for what, state in said.items() if state == "unknown"} == {
        "spf", "dmarc", "imaps", "tls-reports"}, said
    for what in ("spf", "dmarc", "imaps", "tls-reports"):
        rows.says(what, "unknown", "not-asked")
    assert said["mx"] == said["address"] == said["ptr"] == "right"
    text = scripted.run("domain", "dns", D).stdout
    assert "4 could not be asked." in text


def test_no_name_server_at_all(scripted):
    scripted.names.end()
    rows, said, took = states(scripted)
    assert took < within(11)
    assert set(said.values()) == {"unknown"}, said


def test_no_such_domain(scripted):
    assert "There is no domain none.example" in scripted.refused(
        "domain", "dns", "none.example")


def test_the_api_says_the_same_to_whom_it_belongs(scripted):
    scripted.serve()
    scripted.cli("domain", "create", "other.example")
    scripted.cli("admin", "create", "jane", "role=domain-admin",
                 "domain=other.example", "password=long enough 1")
    root, jane = Api(scripted), Api(scripted)
    root.sign_in("admin0", scripted.admin_password)
    jane.sign_in("jane", "long enough 1")
    said = root.get(f"/domains/{D}/dns").json
    assert said == scripted.cli("domain", "dns", D)
    for what in ("mx", "ptr", "spf"):
        Rows(said["records"]).says(what, "right")
    assert jane.get(f"/domains/{D}/dns", status=404)
    assert jane.get("/domains/other.example/dns").json["domain"] == \
        "other.example"
    assert root.get("/domains/none.example/dns", status=404)
    assert root.get("/domains/a%20b/dns", status=404)


def test_a_domain_with_an_address_of_its_own(zone):
    """Its mail leaves from there: SPF and PTR are about that one."""
    with sqlite3.connect(f"{zone.server.data}/directory.db") as db:
        db.execute("UPDATE domain SET outgoing = '203.0.113.9'")
    zone.put([f"{HOST}. A {OWN}", f'{SPF} ip4:{OWN} -all"'])
    rows = zone.rows()
    row = rows.says("spf", "other", "spf-lacks-here")
    assert row["value"] == f"v=spf1 ip4:{OWN} ip4:203.0.113.9 -all"
    row = rows.says("ptr", "absent", "ptr-needs-name")
    assert row["name"].startswith("9.113.0.203") and row["value"] == ""
    rows.says("address", "right")


def test_keys_and_how_far_dmarc_could_go(zone):
    zone.server.cli("domain", "dkim", "create", D)
    rows = publish_all(zone)
    keys = [row for row in rows if row["what"] == "dkim"]
    assert len(keys) == 2 and {row["state"] for row in rows} == {"right"}
    assert all("dkim-is-unused" in [m["id"] for m in row["remarks"]]
               for row in keys)
    rows.says("dmarc", "right", "dmarc-stays")
    for row in keys:
        zone.server.cli("domain", "dkim", "use", D, row["name"].split(".")[0],
                        "--now")
    rows = zone.rows()
    row = rows.says("dmarc", "right", "dmarc-could-go")
    assert "p=quarantine is next" in str(row["remarks"])
    begin = f"{keys[0]['name']}. TXT"
    for instead, state, remark in [
            ([], "absent", None),
            ([f'{begin} "v=DKIM1; k=rsa; p="'], "other", "dkim-is-revoked"),
            ([f'{begin} "v=DKIM1; k=rsa; p=MIIB"'], "other",
             "dkim-is-another"),
            ([f'{begin} "hello"'], "other", "dkim-is-none")]:
        found = zone.with_(begin, *instead)
        [row] = [r for r in found if r["name"] == keys[0]["name"]]
        assert row["state"] == state, row
        assert remark in [None, *(m["id"] for m in row["remarks"])], row
    # Without both, and without SPF, the policy is not borne.
    lines = [line for line in zone.lines if "_domainkey" not in line
             and "v=spf1" not in line and "_dmarc" not in line]
    zone.put([*lines, f'_dmarc.{D}. TXT "v=DMARC1; p=reject; '
              f'rua=mailto:postmaster@{D}"'])
    zone.rows().says("dmarc", "other", "dmarc-without-proof")


def test_the_console_answers_others_meanwhile(scripted):
    """Ten ask for the records of a domain whose name servers are silent."""
    scripted.serve()
    scripted.cli("domain", "set", D, "relay=10.0.0.7")
    api = Api(scripted)
    api.sign_in("admin0", scripted.admin_password)
    for name in (f"{D}.", f"_dmarc.{D}.", f"{HOST}."):
        scripted.names.trouble[name] = "silence"
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(api.get, f"/domains/{D}/dns") for _ in range(10)]
        slowest = 0
        while not all(each.done() for each in asked):
            begin = time.monotonic()
            assert api.get(f"/domains/{D}").json["learnt"] == []
            slowest = max(slowest, time.monotonic() - begin)
            time.sleep(0.1)
    assert slowest < within(2)
    for each in asked:
        states = {row["state"] for row in each.result().json["records"]}
        assert "unknown" in states


def test_a_part_of_a_domain_has_what_the_whole_says(scripted):
    part = f"sales.eu.{D}"
    scripted.cli("domain", "create", part)
    [row] = [r for r in scripted.cli("domain", "dns", part)["records"]
             if r["what"] == "dmarc"]
    assert row["state"] == "right", row
    [said] = [m for m in row["remarks"] if m["id"] == "dmarc-is-inherited"]
    assert said["values"]["parent"] == D
    assert row["name"] == f"_dmarc.{part}"
    scripted.names.trouble[f"_dmarc.{D}."] = "SERVFAIL"
    [row] = [r for r in scripted.cli("domain", "dns", part)["records"]
             if r["what"] == "dmarc"]
    assert row["state"] == "unknown", row
