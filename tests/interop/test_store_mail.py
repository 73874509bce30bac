#!/usr/bin/env python3
"""`posthorn account quota`, `store check`, `import` and `export` beside a running server."""

import imaplib
import mailbox
import os
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


def lay_out(folder, files):
    """Files with that text, in folders that are made; anybody may read them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(0o755)  # the tools run as the server's user


def require_lines(text, wanted):
    lines = sorted(line.replace("\t", " | ") for line in text.splitlines())
    if lines != sorted(wanted):
        raise Failure("the import lists:\n" + "\n".join(lines) + "\nnot:\n" + "\n".join(sorted(wanted)))


MESSAGE = "Subject: x\n\ntext\n"


def test_rubbish_in_a_maildir():
    """What is taken, and that each thing that is not stands in a line."""
    with posthorn_server.Server() as server, tempfile.TemporaryDirectory() as name:
        maildir = pathlib.Path(name) / "maildir"
        lay_out(maildir, {
            "cur/1.good:2,Sa": MESSAGE, "cur/2.flags:2,Qz": MESSAGE, "cur/3.keyword:2,b": MESSAGE,
            "cur/4.late:2,": MESSAGE, "cur/folder/x": "", "new/5.empty": "",
            "dovecot-uidlist": "3 V1700000000 N9 Gabc\n4 :1.good\n6 :2.flags\nrubbish\n0 :3.keyword\n4294967295 :4.late\n",
            "dovecot-keywords": "0 Good\n1 no(atom\nx y\n",
            ".Unlisted/cur/1.a:2,": MESSAGE, ".Unlisted/dovecot-uidlist": "rubbish\n7 :1.a\n",
            ".Only new/new/1.b": MESSAGE, ".Bad&Name/new/1.c": MESSAGE, "Undotted/cur/1.d:2,": MESSAGE,
            ".No mail/readme": "", "tmp/6.unfinished": MESSAGE})
        (maildir / "cur/7.link:2,").symlink_to("/etc/passwd")
        os.mkfifo(maildir / "cur/8.pipe:2,", 0o644)
        os.mkfifo(maildir / "subscriptions", 0o644)
        refused = ["INBOX | 5.empty | the file is empty", "INBOX | 7.link:2, | is a symbolic link",
                   "INBOX | 8.pipe:2, | is no file", "INBOX | folder | is no file",
                   ".Bad&Name | the mailbox | its name is not in modified UTF-7",
                   "Undotted | the folder | its name does not begin with a dot",
                   f"subscriptions | {maildir}/subscriptions | is no file"]
        lists = ["INBOX | dovecot-uidlist | cannot be read in line 4 (such lines: 3): some UIDs are not kept",
                 "INBOX | dovecot-keywords | cannot be read in line 3 (such lines: 1): some keywords are not kept",
                 "Unlisted | dovecot-uidlist | cannot be read in line 1 (such lines: 1): no UIDs are kept"]
        messages = ["INBOX | 2.flags:2,Qz | its flag Q is not known", "INBOX | 2.flags:2,Qz | its flag z is not known",
                    "INBOX | 3.keyword | its keyword no(atom is not legal, and not kept"]
        require_lines(tool(server, 1, "import", "maildir", maildir, ALICE),
                      [*refused, *lists, *messages, "6 imported, 0 there already, 7 refused"])
        require_lines(tool(server, 1, "import", "maildir", maildir, ALICE),
                      [*refused, *lists, "0 imported, 6 there already, 7 refused"])
        imap = client(server, ALICE)
        imap.select("INBOX")
        require(imap.fetch("1:*", "(UID FLAGS)")[1],
                [rb"1 (UID 4 FLAGS (\Seen Good))", b"2 (UID 6 FLAGS ())", b"3 (UID 9 FLAGS ())", b"4 (UID 10 FLAGS ())"],
                "what came of it")
        imap.select('"Only new"')
        require(imap.search(None, "ALL")[1], [b"1"], "the folder without cur")
        imap.logout()


FROM = "From a@example.org Mon Nov 23 10:00:00 2026\n"


def test_rubbish_among_mbox_files():
    with posthorn_server.Server() as server, tempfile.TemporaryDirectory() as name:
        boxes = pathlib.Path(name) / "boxes"
        many = " ".join(f"k{number}" for number in range(101))
        lay_out(boxes, {
            "empty.mbox": "", "no mbox": "text\n", "before": "text\n\n" + FROM + MESSAGE,
            "UIDs": FROM + "X-IMAPbase: 1700000000 9\nX-UID: 7\nX-Keywords: no(atom ok\n" + MESSAGE + "\n" + FROM +
                    "X-UID: 4294967295\n" + MESSAGE,
            "keywords": FROM + "X-Keywords: " + many + "\nX-UID: 1\nX-IMAPbase: 7 1\n" + MESSAGE,
            "pine": FROM + "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1600000000 0000000004\n"
                           "\nThis text is part of the internal format of your mail folder\n\n" + FROM + "X-UID: 3\n" + MESSAGE})
        os.mkfifo(boxes / "pipe", 0o644)
        listed = [f"pipe | {boxes}/pipe | is no file",
                  'no mbox | the file | has no line that begins with "From " and has a date',
                  'before | what is before the first message | has no line that begins with "From " and has a date',
                  "pine | the first message | is a note of a mail program to itself",
                  "keywords | mbox V7 U1 | some of its keywords are not kept"]
        messages = ["UIDs | mbox V1700000000 U7 | its keyword no(atom is not legal, and not kept",
                    "UIDs | mbox V1700000000 U4294967295 | its UID is not kept"]
        require_lines(tool(server, 1, "import", "mbox", boxes, ALICE),
                      [*listed, *messages, "5 imported, 0 there already, 3 refused"])
        require_lines(tool(server, 1, "import", "mbox", boxes, ALICE), [*listed, "0 imported, 5 there already, 3 refused"])
        imap = client(server, ALICE)
        require(imap.status("empty", "(MESSAGES)")[1], [b"empty (MESSAGES 0)"], "the empty mailbox")
        require(imap.status("UIDs", "(MESSAGES UIDNEXT UIDVALIDITY)")[1],
                [b"UIDs (MESSAGES 2 UIDNEXT 10 UIDVALIDITY 1700000000)"], "the mailbox with UIDs")
        require(imap.status("pine", "(MESSAGES UIDNEXT UIDVALIDITY)")[1],
                [b"pine (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 1600000000)"], "the mailbox of Pine")
        imap.logout()


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
    posthorn_server.main([test_quota, test_check, test_rubbish_in_a_maildir, test_rubbish_among_mbox_files, test_out_and_in])
