"""What one mail may become: a group that is named a thousand times is expanded
once, and a mail that becomes too many is asked to come in parts."""

import collections

import pytest

DOMAIN = "own.test"
STRANGER = "stranger@elsewhere.test"
TEXT = "Subject: x\r\n\r\nx\r\n"


@pytest.fixture(scope="module")
def place(shared_world):
    smart = shared_world.sink()
    server = shared_world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(f"alice@{DOMAIN}")
    server.cli("system", "create", "smart", "--hosts", smart.at,
               "--smart-host")
    return server, smart


def group(server, name, count, first=0):
    """COUNT members elsewhere."""
    members = [f"m{first + i}@ext.example" for i in range(count)]
    server.cli("group", "create", f"{name}@{DOMAIN}")
    for at in range(0, count, 1000):
        server.cli("group", "add", f"{name}@{DOMAIN}", *members[at:at + 1000])
    return members


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1])


def begin(smtp):
    smtp.ehlo()
    assert smtp.mail(STRANGER)[0] == 250


def rcpt(smtp, name):
    code, text = smtp.docmd(f"RCPT TO:<{name}@{DOMAIN}>")
    return code, text.decode().split()[0]


@pytest.mark.parametrize("times", [1, 7, 1000])
def test_a_group_by_many_details(place, times):
    server, smart = place
    members = group(server, f"all{times}", 500, first=times * 1000)
    engine = server.engine_pid()
    before = resident_kib(engine)
    with server.smtp() as smtp:
        begin(smtp)
        for i in range(times):
            assert rcpt(smtp, f"all{times}+{i}") == (250, "2.1.5")
        assert smtp.data(TEXT)[0] == 250
    server.wait_for_queue(0)
    got = collections.Counter(recipient for message in smart.messages
                              for recipient in message.recipients)
    assert got == collections.Counter(members)
    smart.messages.clear()
    assert server.engine_pid() == engine
    # 500 legs a thousand times would be some 300 MiB
    assert resident_kib(engine) - before < 100 * 1024


def test_more_than_a_mail_may_become(place):
    """452: in another mail it is fine."""
    server, smart = place
    for name, count in (("one", 5000), ("two", 4700), ("three", 600)):
        group(server, name, count)
    with server.smtp() as smtp:
        begin(smtp)
        assert rcpt(smtp, "one") == (250, "2.1.5")
        assert rcpt(smtp, "two") == (250, "2.1.5")
        assert rcpt(smtp, "three") == (452, "4.5.3")
        assert rcpt(smtp, "alice") == (452, "4.5.3")
        assert rcpt(smtp, "three") == (452, "4.5.3")
        smtp.rset()
        begin(smtp)
        assert rcpt(smtp, "three") == (250, "2.1.5")
        assert rcpt(smtp, "alice") == (250, "2.1.5")
        assert smtp.data(TEXT)[0] == 250
    server.wait_for_queue(0, timeout=60)
    got = [r for message in smart.messages for r in message.recipients]
    assert len(got) == len(set(got)) == 600
    assert len(server.mailbox(f"alice@{DOMAIN}")) == 1
    smart.messages.clear()
