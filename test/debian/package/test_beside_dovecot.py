"""Installed where a Dovecot is in use already: that one is left alone until its
administrator says otherwise."""

import re

from machine import (ADDRESS, DATA, a_domain_and_its_users, answers, apt,
                     await_mail, await_ready, is_active, lasting, log, main_pid,
                     more_addresses, package, processes, run, send, splitmail,
                     attempt)
from world import wait_until


def test_a_dovecot_that_was_here_runs_on():
    apt("install", "dovecot-imapd")
    before = main_pid("dovecot")
    apt("install", package("now"))
    run("invoke-rc.d", "dovecot", "restart")
    assert is_active("dovecot") and main_pid("dovecot") not in (0, before)
    assert not is_active("splitmail")


def test_both_want_the_ports_and_the_log_says_so():
    more_addresses()
    splitmail("init", "--hostname", "mx.example.test", "--bind", ADDRESS)
    assert attempt("systemctl", "start", "splitmail").returncode != 0
    assert re.search(rf"dovecot, imap: listen on {ADDRESS}:143: Address already "
                     "in use, by (dovecot|a program of the user root)", log())
    assert is_active("dovecot")
    run("systemctl", "stop", "splitmail")


def test_with_dovecots_service_disabled_it_starts():
    run("systemctl", "disable", "--now", "dovecot")
    run("systemctl", "start", "splitmail")
    await_ready()
    a_domain_and_its_users()
    send("first")
    await_mail("first")
    before = lasting(processes())
    attempt("invoke-rc.d", "dovecot", "restart")
    assert lasting(processes()) == before and not is_active("dovecot")


def test_or_it_does_without_mailboxes():
    run("systemctl", "stop", "splitmail")
    with open(f"{DATA}/splitmail.conf", "r+") as file:
        text = file.read()
        assert "\ndovecot {\n" in text
        file.seek(0)
        file.write(text.replace("\ndovecot {\n", "\ndovecot {\n\tenabled = false\n"))
    run("systemctl", "enable", "--now", "dovecot")
    run("systemctl", "start", "splitmail")
    wait_until(lambda: answers(25) == b"220 ", what=log)
    assert is_active("dovecot") and is_active("splitmail")
    assert not [c for c in processes().values() if "dovecot" in c]
