#!/usr/bin/env python3
"""The load generator against a server of the build tree: every command does what it counts."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from posthorn_server import BUILD, PASSWORD, PATIENCE, Server, main, require_server  # noqa: E402

USERS = 4
ACCOUNTS = tuple(f"user{number}@demo.test" for number in range(USERS))
RCPT = "user%d@demo.test"
SMALL, LARGE = 1000, 20000  # without MIME and with


def mailload(server, command, listener, *options):
    """Runs a command that must succeed; returns its figures as a list of dictionaries, one for each RESULT."""
    done = subprocess.run([BUILD / "tests/bench/mailload/mailload", command, "-p", str(server.ports[listener]), "-w",
                           PASSWORD, "-U", str(USERS), "-T", str(PATIENCE), *map(str, options)],
                          capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, (command, options, done.stdout, done.stderr)
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in done.stdout.splitlines() if line.startswith("RESULT")]


def count(server):
    """How many messages the accounts have together."""
    total = 0
    for account in ACCOUNTS:
        figures = mailload(server, "script", "imap", "-u", account, "-e", "SELECT INBOX", "-e", "UID FETCH 1:* (UID)")
        total += int(figures[2]["untagged"])
    return total


def check_smtp(server):
    before = count(server)
    figures = mailload(server, "smtp", "smtp", "-u", RCPT, "-n", 20, "-c", 3, "-m", 4, "-S", SMALL)[0]
    assert (figures["msgs"], figures["fail"]) == ("20", "0"), figures
    mailload(server, "smtp", "smtp", "-u", RCPT, "-n", 10, "-c", 2, "-S", LARGE, "-P")
    figures = mailload(server, "smtp", "lmtp", "-L", "-u", RCPT, "-n", 5, "-r", 3)[0]
    assert figures["msgs"] == "5", figures
    assert count(server) == before + 20 + 10 + 5 * 3, count(server)


def check_imap(server):
    before = count(server)
    figures = mailload(server, "fill", "imap", "-n", 5, "-c", 2, "-S", LARGE)[0]
    assert figures["msgs"] == str(5 * USERS), figures
    assert count(server) == before + 5 * USERS
    figures = mailload(server, "fetch", "imaps", "-s", "-n", 2, "-c", USERS)[0]
    assert int(figures["msgs"]) == 2 * count(server), figures
    figures = mailload(server, "imap", "imap", "-n", 4, "-c", 2, "-k", 30, "-S", SMALL)[-1]
    assert (figures["sessions"], figures["fail"], figures["no"]) == ("4", "0", "0"), figures
    assert int(figures["n"]) == 4 * (30 + 4), figures
    mailload(server, "wait", "imap", "-n", USERS)


def check_idle(server):
    idle, push = mailload(server, "idle", "imap", "-c", 2 * USERS, "-J", USERS, "-R", RCPT, "-L", "-d",
                          "127.0.0.1:%d" % server.ports["lmtp"])
    assert idle["conns"] == push["n"] == str(2 * USERS), (idle, push)


def check_pop3(server):
    total = count(server)
    figures = mailload(server, "pop3", "pop3", "-n", USERS, "-c", 2, "-D")
    assert figures[0]["sessions"] == str(USERS) and figures[2]["n"] == str(total), figures
    assert count(server) == 0


def test_all_commands():
    with Server(accounts=ACCOUNTS, config='auth.default_domain = "demo.test"') as server:
        for check in (check_smtp, check_imap, check_idle, check_pop3):
            check(server)


def test_refusals_fail():
    with Server(accounts=ACCOUNTS) as server:
        for command, listener, user in (("smtp", "smtp", "nobody@demo.test"), ("pop3", "pop3", "nobody@demo.test")):
            try:
                mailload(server, command, listener, "-u", user, "-n", 1)
            except AssertionError:
                continue
            raise AssertionError(f"{command}: a refusal was taken for success")


if __name__ == "__main__":
    require_server()
    main([test_all_commands, test_refusals_fail])
