#!/usr/bin/env python3
"""`posthorn import imap`: from Posthorn itself, from Dovecot, and from servers that are odd, broken or hostile."""

import imaplib
import os
import pathlib
import re
import socket
import time

import posthorn_server
from dovecot_server import PROGRAM, SERVICES, Dovecot
from posthorn_server import CERTIFICATE, PASSWORD, Failure, Server
from scripted_imap import Scripted

ALICE, BOB = posthorn_server.ACCOUNTS
# name as a client writes it -> messages: (flags, internal date, bytes)
LARGE = b"Subject: large\r\n\r\n" + b"".join(b"line %07d of many\r\n" % number for number in range(60000))
CONTENT = {
    "INBOX": [
        ("(\\Seen)", '"17-Jul-1996 02:44:25 -0700"', b"Subject: one\r\n\r\nfirst\r\n"),
        ("()", '" 1-Jan-2026 00:00:00 +0130"', b"Subject: two\r\n\r\n8bit \xe4\xf6\xfc\r\n"),
        ("(\\Flagged \\Answered $Label1 NonJunk)", '"29-Feb-2024 23:59:59 +0000"', b"Subject: three\r\n\r\n"),
        ("(\\Deleted \\Draft)", '"17-Jul-1996 02:44:25 -0700"', b"no header"),
    ],
    "Entw&APw-rfe & &- mehr".replace(" & ", " &- "): [("()", None, b"Subject: odd name\r\n\r\n")],
    "a \\\"quoted\\\" name/below": [("(later)", None, b"Subject: quoted\r\n\r\n")],
    "big": [("()", None, LARGE)],
    "many": [("()", None, b"Subject: number %d\r\n\r\n" % number) for number in range(150)],
    "none": [],
}


def connect(address):
    session = imaplib.IMAP4(*address)
    session.login(ALICE, PASSWORD)
    return session


def check(answer):
    if answer[0] != "OK":
        raise Failure(repr(answer))
    return answer[1]


def fill(address):
    """Makes CONTENT, with holes in the UIDs and a subscription to what is not there."""
    session = connect(address)
    for name, messages in CONTENT.items():
        if name != "INBOX":
            check(session.create(f'"{name}"'))
        for flags, date, text in messages:
            check(session.append(f'"{name}"', flags, date, text))
    check(session.select("many"))
    check(session.store("3,50:60", "+FLAGS", "\\Deleted"))
    check(session.expunge())
    check(session.subscribe("many"))
    check(session.subscribe('"a \\"quoted\\" name/below"'))
    session.logout()


def picture(address, user=ALICE):
    """All that an account has: name -> (UIDVALIDITY, UIDNEXT, messages), and subscriptions."""
    session = imaplib.IMAP4(*address)
    session.login(user, PASSWORD)
    found = {}
    for line in check(session.list()):
        attributes, name = re.fullmatch(rb'\(([^)]*)\) "/" (.*)', line).groups()
        if b"\\Noselect" in attributes or b"\\NonExistent" in attributes:
            continue
        name = name.decode()
        quoted = name if name.startswith('"') else f'"{name}"'
        check(session.select(quoted, readonly=True))
        validity, following = (session.response(code)[1][0] for code in ("UIDVALIDITY", "UIDNEXT"))
        messages = []
        parts = check(session.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])"))
        for part in parts:
            if not isinstance(part, tuple):
                continue
            uid = int(re.search(rb"UID (\d+)", part[0])[1])
            flags = sorted(set(re.search(rb"FLAGS \(([^)]*)\)", part[0])[1].split()) - {b"\\Recent"})
            messages.append((uid, flags, re.search(rb'INTERNALDATE "([^"]*)"', part[0])[1], part[1]))
        if messages:
            found[quoted] = (validity, following, messages)
    subscriptions = sorted(line.split(b' "/" ')[1] for line in check(session.lsub()) if line)
    session.logout()
    return found, subscriptions


def expect_same(theirs, ours):
    for name in sorted(theirs[0].keys() | ours[0].keys()):
        if theirs[0].get(name) != ours[0].get(name):
            raise Failure(f"{name} differs:\n{str(theirs[0].get(name))[:2000]}\n{str(ours[0].get(name))[:2000]}")
    if theirs[1] != ours[1]:
        raise Failure(f"subscriptions differ: {theirs[1]} {ours[1]}")


def run(server, source, *options, status=0, account=ALICE, password=PASSWORD):
    done = server.run_tool("import", "imap", source, account, *options, input=password + "\n")
    if done.returncode != status:
        raise Failure(f"status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def expect(text, *pieces):
    for piece in pieces:
        if piece not in text:
            raise Failure(f"no {piece!r} in:\n{text}")


def test_from_posthorn():
    """Over TLS from the start and by STARTTLS, with the password from a file and the environment."""
    with Server() as old, Server() as new:
        fill(old.address("imap"))
        port, ports = old.ports["imap"], old.ports["imaps"]
        expect(run(new, f"127.0.0.1:{ports}", status=1), "certificate is not trusted")
        expect(run(new, f"127.0.0.1:{ports}", "--ca", str(CERTIFICATE), "--tls", "starttls", status=1), "closed")
        expect(run(new, f"localhost:{ports}", "--ca", str(CERTIFICATE), status=1, password="wrong"),
               "the server says:")
        secret = new.folder / "password"
        secret.write_text(PASSWORD + "\nnot this\n")
        os.chmod(secret, 0o644)
        text = run(new, f"localhost:{ports}", "--ca", str(CERTIFICATE), "--password-file", str(secret))
        expect(text, "145 imported, 0 there already, 0 refused")
        expect_same(picture(old.address("imap")), picture(new.address("imap")))
        session = connect(old.address("imap"))
        check(session.append("many", "()", None, b"Subject: late\r\n\r\n"))
        session.logout()
        os.environ["POSTHORN_IMPORT_PASSWORD"] = PASSWORD
        try:
            text = run(new, f"localhost:{port}", "--ca", str(CERTIFICATE), "--tls", "starttls", password="wrong")
        finally:
            del os.environ["POSTHORN_IMPORT_PASSWORD"]
        expect(text, "1 imported, 145 there already, 0 refused")
        expect_same(picture(old.address("imap")), picture(new.address("imap")))
        text = run(new, f"127.0.0.1:{port}", "--tls", "none", "--user", ALICE, "--skip", "many", account=BOB)
        expect(text, "many\tthe mailbox\tis skipped", "7 imported")


def test_from_dovecot():
    if not all(path.exists() for path in (PROGRAM, *SERVICES)):
        print("not installed: dovecot-imapd dovecot-pop3d")
        return
    with Dovecot() as dovecot, Server() as new:
        fill(dovecot.address("imap"))
        source = f"localhost:{dovecot.ports['imap']}"
        before = picture(dovecot.address("imap"))
        text = run(new, source, "--tls", "starttls", "--ca", str(CERTIFICATE))
        expect(text, "145 imported, 0 there already, 0 refused")
        expect_same(before, picture(new.address("imap")))
        expect(run(new, source, "--tls", "starttls", "--ca", str(CERTIFICATE)), "0 imported, 145 there already")
        # A master user gets in as somebody else, with his own password.
        text = run(new, source, "--tls", "starttls", "--ca", str(CERTIFICATE), "--user", ALICE, "--master", "master",
                   account=BOB, password="master-secret")
        expect(text, "145 imported, 0 there already, 0 refused")
        expect_same(before, picture(new.address("imap"), BOB))
        # Nothing changed there.
        expect_same(before, picture(dovecot.address("imap")))


QUIRKS = {
    r"CAPABILITY": "* OK [ALERT] early\r\n* CAPABILITY IMAP4rev1 NAMESPACE XODD\r\n{tag} OK\r\n",
    r"NAMESPACE": '* NAMESPACE (("INBOX." "." "X-PARAM" ("a" "b"))) (("user." ".")) (("shared." "."))\r\n{tag} OK\r\n',
    r'LIST "" "\*"': '* LIST () "." INBOX\r\n* LIST (\\Noselect) "." "INBOX."\r\n'
                     "* LIST (\\HasNoChildren \\Sent) \".\" {10}\r\nINBOX.Sent\r\n"
                     '* LIST () "." "INBOX.INBOX"\r\n* LIST () "." INBOX.a/b\r\n* LIST () "." "INBOX.A & B"\r\n'
                     '* LIST () "." user.bob\r\n* LIST () "." INBOX.refused\r\n* LIST (\\Flagged) "." INBOX.Starred\r\n'
                     "* LIST (\\Marked) broken\r\n{tag} OK\r\n",
    r'LIST "" "shared': '* LIST () "." shared.news\r\n{tag} OK\r\n',
    r"LSUB": '* LSUB () "." INBOX.Sent\r\n* LSUB () "." user.bob\r\n{tag} OK\r\n',
    r'EXAMINE "INBOX"': "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 77] yes\r\n"
                        "* OK [UIDNEXT 30]\r\n{tag} OK [READ-ONLY]\r\n",
    r'EXAMINE "INBOX.refused"': "{tag} NO not for you\r\n",
    r"EXAMINE": "* 0 EXISTS\r\n* OK [UIDVALIDITY 78]\r\n{tag} OK\r\n",
    r"FETCH 1:\* \(UID\)": "* 2 FETCH (UID 9)\r\n* 4 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 5)\r\n"
                           "* 3 FETCH (UID 12 X-GM ((1 \"a\") NIL {3}\r\n)( ))\r\n{tag} OK\r\n",
    # In parts, out of order, with what nobody asked for.
    r"UID FETCH .* \(UID FLAGS INTERNALDATE RFC822.SIZE\)":
        '* 2 FETCH (UID 9 INTERNALDATE "17-Jul-1996 02:44:25 -0700")\r\n* 1 EXPUNGE\r\n'
        "* 2 FETCH (FLAGS (\\Seen kw \\Odd ba]d) RFC822.SIZE 4294967296 UID 9)\r\n* SEARCH\r\n"
        '* 1 FETCH (UID 5 FLAGS () INTERNALDATE " 7-Jul-1996 02:44:25 +0000" RFC822.SIZE 10)\r\n'
        '* 3 FETCH (UID 12 FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 +0000" RFC822.SIZE 10)\r\n'
        "* 8 FETCH (UID 99 FLAGS ())\r\n{tag} OK\r\n",
    r"UID FETCH 5,9 \(UID BODY": "* 1 FETCH (BODY[] {4}\r\nfive FLAGS (\\Seen) UID 5)\r\n* 3 FETCH (FLAGS ())\r\n"
                                  "{tag} NO one is broken\r\n",
    r"UID FETCH 9 ": "* 2 FETCH (UID 9 BODY[] \"quo\\\"ted\")\r\n{tag} OK\r\n",
    r"UID FETCH 12 ": "{tag} NO [SERVERBUG] cannot read it\r\n",
}


def but(**rules):
    """A server with quirks, and these rules first; their names are patterns without what a name cannot have."""
    return {pattern.replace("_", " "): answer for pattern, answer in rules.items()} | QUIRKS


def test_quirks():
    with Scripted(QUIRKS) as old, Server(listeners={}) as new:
        text = run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1)
        expect(text, "2 imported, 0 there already, 5 refused", "U12\tthe server says: cannot read it",
               "U9\tits flag", "user/bob\tthe mailbox\tit is shared",
               "shared/news\tthe mailbox\tit is shared", "refused\tthe mailbox\tthe server says: not for you",
               "a response\tit cannot be understood", "a_b\tits name", "A & B\tits name", "Starred\tthe mailbox")
        found, subscriptions = picture(new.address("imap"))
        if list(found) != ['"INBOX"'] or subscriptions != [b"Sent"]:
            raise Failure(repr((found, subscriptions)))
        validity, following, messages = found['"INBOX"']
        if (validity, following) != (b"77", b"30") or messages != [
                (5, [], b" 7-Jul-1996 02:44:25 +0000", b"five"),
                (9, [b"\\Seen", b"kw"], b"17-Jul-1996 02:44:25 -0700", b'quo"ted')]:
            raise Failure(repr(found))
        session = connect(new.address("imap"))
        names = b"\n".join(check(session.list()))
        session.logout()
        for name in (b"INBOX/INBOX", b"a_b", b"\\Sent", b"A &- B"):
            if name not in names:
                raise Failure(repr(names))


def broken_off(connection, tag):
    connection.sendall(b"* 2 FETCH (UID 9 BODY[] {4}\r\nnine)\r\n* BYE going down\r\n")


def broken_off_within(connection, tag):
    connection.sendall(b"* 2 FETCH (UID 9 BODY[] {100}\r\nonly the beginning of it\r\n")


def test_goes_on_after_bye():
    with Server(listeners={}) as new:
        with Scripted(but(UID_FETCH_9=broken_off)) as old:
            text = run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1)
            expect(text, "1 imported", "the server says: going down")
        with Scripted(but(UID_FETCH_9=broken_off_within)) as old:
            text = run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1)
            expect(text, "0 imported, 1 there already", "the server closed the connection")
        with Scripted(QUIRKS) as old:
            expect(run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1), "1 imported, 1 there already")
            expect(run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1), "0 imported, 2 there already")


def endless(line):
    def answer(connection, tag):
        while True:
            connection.sendall(line)
    return answer


HOSTILE = {
    "greets with nonsense": ({}, "220 smtp.example.com\r\n", "does not speak IMAP"),
    "wants no login": ({}, "* PREAUTH welcome\r\n", "asks for no login"),
    "is full": ({}, "* BYE too many\r\n", "the server says: too many"),
    "a line without end": ({r"CAPABILITY": endless(b"x" * 65536)}, None, "a line is too long"),
    "lines without end": ({r"CAPABILITY": endless(b"* OK\r\n" * 10000)}, None, "no end to its responses"),
    "literals without end": ({r'LIST "" "\*"': endless(b'* LIST () "/" {5}\r\nabcde {5}\r\n')}, None, "too long"),
    "a huge literal": ({r'LIST "" "\*"': '* LIST () "/" {4000000000}\r\n'}, None, "a literal is too long"),
    "a body nobody asked for": (but(FETCH="* 1 FETCH (UID 5 BODY[] {99999999999}\r\n"), None, "a literal is too long"),
    "a body of more than all": (but(UID_FETCH="* 1 FETCH (UID 5 BODY[] {99999999999}\r\n"), None,
                                "a message is too long"),
    "bodies of others": (but(UID_FETCH=endless(b"* 1 FETCH (UID 1 BODY[] {4}\r\nfive)\r\n")), None,
                         "nobody asked for"),
    "two bodies": (but(UID_FETCH="* 1 FETCH (UID 5 BODY[] {1}\r\nx BODY[] {1}\r\ny)\r\n"), None,
                   "comes twice"),
    "more messages than any": (but(EXAMINE_="* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n"
                                           "{tag} OK\r\n"), None, "too many messages"),
    "another's tag": ({r"CAPABILITY": "P9 OK\r\n"}, None, "what was not asked"),
    "goes at once": ({r"LOGIN": None}, None, "closed the connection"),
    "mailboxes without end": ({r'LIST "" "\*"': lambda connection, tag: b"".join(
        b'* LIST () "/" m%d\r\n' % number for number in range(100002))}, None, "too many mailboxes"),
    "a terminal's commands": (but(EXAMINE_="{tag} NO \x1b[2J\r\n"), None, "says: ?[2J"),
}


def test_hostile_servers():
    with Server(listeners={}) as new:
        for what, (rules, greeting, words) in HOSTILE.items():
            with Scripted(rules, greeting or "* OK hello\r\n") as old:
                began = time.monotonic()
                try:
                    expect(run(new, f"127.0.0.1:{old.port}", "--tls", "none", status=1), words)
                except Failure as failure:
                    raise Failure(f"{what}: {failure}") from None
                if time.monotonic() - began > posthorn_server.PATIENCE:
                    raise Failure(f"{what}: took too long")


def test_usage():
    with Server(listeners={}, accounts=()) as new:
        for arguments in ((), ("host",), ("host", "a@b", "c"), ("host:0", "a@b"), ("host:99999", "a@b"), ("[::1", "a@b"),
                          ("host", "a@b", "--tls", "some"), ("host", "a@b", "--ca"), ("host", "a@b", "--odd", "x")):
            if new.run_tool("import", "imap", *arguments, input="x\n").returncode != 2:
                raise Failure(repr(arguments))
        if new.run_tool("import", "imap", "127.0.0.1:1", "nobody@demo.test", input="x\n").returncode != 5:
            raise Failure("an account that is not there")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_from_posthorn, test_from_dovecot, test_quirks, test_goes_on_after_bye,
                          test_hostile_servers, test_usage])
