#!/usr/bin/env python3
"""`posthorn account` beside a running server: what scripts get from it, and what it means for logins."""

import poplib

import posthorn_server
from posthorn_server import Failure

CAROL = "carol@example.org"


def expect(server, status, *arguments, input=None):
    """Runs `posthorn account ARGUMENTS`, which must end with that status; returns what it printed."""
    done = server.run_tool("account", *arguments, input=input)
    if done.returncode != status:
        raise Failure(f"account {arguments}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    if status != 0 and not done.stderr.startswith("posthorn"):
        raise Failure(f"account {arguments} failed without a word")
    return done.stdout


def can_log_in(server, user, password):
    client = poplib.POP3(*server.address("pop3"), timeout=posthorn_server.PATIENCE)
    try:
        client.user(user)
        client.pass_(password)
        client.quit()
        return True
    except poplib.error_proto:
        return False
    finally:
        client.close()


def require_login(server, password, expected):
    if can_log_in(server, CAROL, password) != expected:
        raise Failure(f"{CAROL} could{' not' if expected else ''} log in with {password!r}\n{server.log()}")


def test_exit_codes():
    with posthorn_server.Server(config="auth.min_password = 6") as server:
        expect(server, 0, "add", CAROL, input="first secret\n")
        expect(server, 6, "add", CAROL, input="first secret\n")
        expect(server, 6, "add", CAROL.upper(), input="first secret\n")
        expect(server, 1, "add", "dave@example.org", input="short\n")
        expect(server, 1, "add", "dave@example.org", input="")
        expect(server, 1, "add", "not an address", input="long enough\n")
        expect(server, 2, "add", input="long enough\n")
        expect(server, 2, "list", "all")
        expect(server, 5, "passwd", "nobody@example.org", input="long enough\n")
        expect(server, 5, "remove", "nobody@example.org")
        listed = [line.split("\t")[0] for line in expect(server, 0, "list").splitlines()]
        if sorted(listed) != sorted([*posthorn_server.ACCOUNTS, CAROL]):
            raise Failure(f"the list is {listed}")


def test_logins():
    """A new account works at once; a changed password counts at once, also where the old one was just used."""
    with posthorn_server.Server(workers=2) as server:
        require_login(server, "first secret", False)
        expect(server, 0, "add", CAROL, input="first secret\n")
        for _ in range(4):
            require_login(server, "first secret", True)
        expect(server, 0, "passwd", CAROL, input="second secret\n")
        for _ in range(4):
            require_login(server, "first secret", False)
            require_login(server, "second secret", True)
        expect(server, 0, "remove", CAROL)
        require_login(server, "second secret", False)


def test_passwords_with_spaces():
    """What is typed is the password, with spaces at both ends and letters of any language."""
    with posthorn_server.Server() as server:
        expect(server, 0, "add", CAROL, input=" näher dran \n")
        client = poplib.POP3(*server.address("pop3"), timeout=posthorn_server.PATIENCE)
        client.encoding = "utf-8"
        client.user(CAROL)
        client.pass_(" näher dran ")
        client.quit()


def test_production_configuration():
    """conf/posthorn.lua is right, but for the paths of a machine it was not made for."""
    with posthorn_server.Server() as server:
        source = (posthorn_server.SOURCE / "conf" / "posthorn.lua").read_text()
        for old, new in (("/etc/posthorn/tls/mail.example.org.crt", posthorn_server.CERTIFICATE),
                         ("/etc/posthorn/tls/mail.example.org.key", posthorn_server.CERTIFICATE),
                         ("/var/lib/posthorn", server.folder / "data")):
            if f'"{old}"' not in source:
                raise Failure(f"conf/posthorn.lua does not name {old}")
            source = source.replace(f'"{old}"', posthorn_server.lua_text(new))
        (server.folder / "production.lua").write_text(source)
        done = server.run_tool("-c", str(server.folder / "production.lua"), "check")
        if done.returncode != 0:
            raise Failure(f"conf/posthorn.lua: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_exit_codes, test_logins, test_passwords_with_spaces, test_production_configuration])
