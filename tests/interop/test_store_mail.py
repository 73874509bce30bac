#!/usr/bin/env python3
"""`posthorn account quota`, `store check`, `import` and `export` beside a running server."""

import imaplib
import mailbox
import pathlib
import tempfile

import posthorn_server
from posthorn_server import Failure

ALICE, BOB = posthorn_server.ACCOUNTS


def tool(server, status, *arguments):
    """Runs `posthorn ARGUMENTS`, which must end with that status; returns what it printed."""
    done = server.run_tool(*arguments)
    if done.returncode != status:
        raise Failure(f"{arguments}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def client(server, user):
    imap = imaplib.IMAP4(*server.address("imap"), timeout=posthorn_server.PATIENCE)
    imap.login(user, posthorn_server.PASSWORD)
    return imap


def append(imap, text):
    return imap.append("INBOX", r"(\Flagged later)", None, text)[0]


def require(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what} is {found!r}, not {wanted!r}")


def test_quota():
    with posthorn_server.Server() as server:
        imap = client(server, ALICE)
        require(append(imap, b"Subject: 1\r\n\r\n"), "OK", "the first APPEND")
        require(tool(server, 0, "account", "quota", ALICE),
                "bytes     14 of any number (default)\nmessages  1 of any number (default)\n", "the quota")
        require(tool(server, 0, "account", "quota", ALICE, "--bytes", "1K", "--messages", "1"),
                "bytes     14 of 1024\nmessages  1 of 1\n", "the new quota")
        require(append(imap, b"Subject: 2\r\n\r\n"), "NO", "the second APPEND")
        tool(server, 0, "account", "quota", ALICE, "--messages", "default")
        require(append(imap, b"Subject: 2\r\n\r\n"), "OK", "the third APPEND")
        tool(server, 2, "account", "quota", ALICE, "--messages", "many")
        tool(server, 2, "account", "quota", ALICE, "--bytes")
        tool(server, 2, "account", "quota")
        tool(server, 5, "account", "quota", "nobody@demo.test")
        imap.logout()


def test_check():
    with posthorn_server.Server(workers=2) as server:
        imap = client(server, ALICE)
        for number in range(20):
            append(imap, b"Subject: %d\r\n\r\ntext\r\n" % number)
        require(tool(server, 0, "store", "check"), "20 messages, 0 faults, 0 repaired\n", "the check")
        require(tool(server, 0, "store", "repair", "--quick", BOB), "0 messages, 0 faults, 0 repaired\n",
                "the repair")
        tool(server, 2, "store", "check", "--slow")
        tool(server, 5, "store", "check", "nobody@demo.test")
        imap.logout()


def flags_and_uids(server, user):
    imap = client(server, user)
    imap.select("INBOX")
    found = imap.fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]
    imap.logout()
    return [part if isinstance(part, bytes) else tuple(part) for part in found]


def test_out_and_in():
    with posthorn_server.Server(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o777)  # the tools run as the server's user
        imap = client(server, ALICE)
        for number in range(10):
            append(imap, b"Subject: %d\r\n\r\nFrom me\r\n" % number)
        imap.select("INBOX")  # takes away \Recent, which does not come along
        imap.logout()
        before = flags_and_uids(server, ALICE)
        out = pathlib.Path(folder, "out")
        tool(server, 0, "export", "maildir", ALICE, out)
        # Python's own idea of a maildir.
        require(len(mailbox.Maildir(out)), 10, "the number of files")
        require({m.get_flags() for m in mailbox.Maildir(out)}, {"Fa"}, "the flags")
        require(tool(server, 0, "import", "maildir", out, BOB), "10 imported, 0 there already, 0 refused\n",
                "the import")
        require(flags_and_uids(server, BOB), before, "what bob has")
        require(tool(server, 0, "import", "maildir", out, BOB), "0 imported, 10 there already, 0 refused\n",
                "the second import")
        boxes = pathlib.Path(folder, "boxes")
        tool(server, 0, "export", "mbox", BOB, boxes)
        require(len(mailbox.mbox(boxes / "INBOX.mbox")), 10, "the number in the mbox")
        tool(server, 1, "export", "mbox", BOB, boxes)
        tool(server, 5, "import", "mbox", boxes / "nothing", BOB)
        tool(server, 2, "import", "mbox", boxes)
        tool(server, 0, "store", "check")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_quota, test_check, test_out_and_in])
