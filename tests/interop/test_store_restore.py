#!/usr/bin/env python3
"""`posthorn store restore`: the whole store, and one account beside a running server."""

import imaplib
import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import posthorn_server  # noqa: E402
from posthorn_server import PASSWORD, PATIENCE, Failure, Server  # noqa: E402

USER, OTHER = "alice@demo.test", "bob@demo.test"
LARGE = "text text text\r\n" * 40000  # has a file of its own in the store


def expect(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)))


class Mail:
    """An IMAP session."""

    def __init__(self, server, user=USER):
        self.imap = imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE)
        self.imap.login(user, PASSWORD)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.imap.logout()

    def do(self, command, *arguments):
        status, answer = getattr(self.imap, command)(*arguments)
        expect(status == "OK", command, arguments, answer)
        return answer

    def append(self, mailbox, subject, flags="", date='"01-Feb-2021 10:00:00 +0100"', text="text\r\n"):
        self.do("append", mailbox, flags, date, f"Subject: {subject}\r\n\r\n{text}".encode())

    def select(self, mailbox="INBOX"):
        self.do("select", mailbox)

    def messages(self, mailbox="INBOX"):
        """subject -> what else is known of each message"""
        self.select(mailbox)
        found = {}
        for part in self.do("fetch", "1:*", "(UID FLAGS INTERNALDATE EMAILID RFC822.SIZE "
                                            "BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            if not isinstance(part, tuple):
                continue
            subject = re.search(rb"Subject: (.*?)\r\n", part[1])[1].decode()
            head = part[0].decode()
            flags = set(re.search(r"FLAGS \((.*?)\)", head)[1].split()) - {"\\Recent"}
            expect(subject not in found, "twice:", subject)
            found[subject] = {"uid": re.search(r"UID (\d+)", head)[1], "flags": flags,
                              "date": re.search(r'INTERNALDATE "(.*?)"', head)[1],
                              "email": re.search(r"EMAILID \((.*?)\)", head)[1],
                              "size": re.search(r"RFC822.SIZE (\d+)", head)[1]}
        return found

    def remove(self, *subjects, mailbox="INBOX"):
        there = self.messages(mailbox)
        for subject in subjects:
            self.do("uid", "store", there[subject]["uid"], "+FLAGS", "(\\Deleted)")
        self.do("expunge")

    def status(self, mailbox, item):
        return int(re.search(rf"{item} (\d+)", self.do("status", mailbox, f"({item})")[0].decode())[1])

    def mailboxes(self):
        return {re.search(r'"?([^" ]+)"?$', line.decode())[1] for line in self.do("list", '""', "*") if line}


def without_uids(messages):
    return {subject: {name: value for name, value in fields.items() if name != "uid"}
            for subject, fields in messages.items()}


def backup(server, name="backup"):
    server.folder.chmod(0o777)  # the commands are the server's user
    server.tool("store", "backup", str(server.folder / name))
    return server.folder / name


def stores(server):
    return sorted(path.name for path in (server.folder / "data").iterdir() if path.name.startswith("store"))


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x40]))


def test_whole_store():
    with Server(accounts=[USER]) as server:
        with Mail(server) as mail:
            for number in range(5):
                mail.append("INBOX", f"old {number}", "(\\Seen $Work)" if number % 2 else "")
            mail.append("INBOX", "large", text=LARGE)
            before, validity = mail.messages(), mail.status("INBOX", "UIDVALIDITY")
        folder = backup(server)
        with Mail(server) as mail:
            for number in range(3):
                mail.append("INBOX", f"new {number}")
            mail.remove("old 1", "large")
        server.tool("account", "add", "late@demo.test", input=PASSWORD + "\n")
        done = server.run_tool("store", "restore", str(folder))
        expect(done.returncode == 1 and "stop the server" in done.stderr, done)
        with Mail(server) as mail:
            expect(len(mail.messages()) == 7, "changed by what was refused")
        server.stop()
        expect(stores(server) == ["store"], stores(server))
        for _ in range(2):  # the backup stays as it was, and can be used again
            text = server.tool("store", "restore", str(folder))
            expect("6 messages, 0 faults" in text and "former store" in text, text)
        expect(len(stores(server)) >= 2 and "store.restoring" not in stores(server), stores(server))
        server.tool("store", "check")
        server.start()
        with Mail(server) as mail:
            expect(mail.messages() == before, mail.messages(), before)
            expect(mail.status("INBOX", "UIDVALIDITY") > validity, "UIDVALIDITY")
            mail.append("INBOX", "after")
            mail.select()
        expect("late@" not in server.tool("account", "list"), "an account of the former store")
        server.tool("store", "check")
        # Numbers that the former store gave are not given again; and the next backup into the folder is whole.
        backup(server)
        server.stop()
        server.tool("store", "restore", str(folder))
        server.start()
        with Mail(server) as mail:
            expect("after" in mail.messages(), "the second backup")


def test_empty_folder():
    with Server(accounts=[USER]) as server:
        with Mail(server) as mail:
            mail.append("INBOX", "kept")
        folder = backup(server)
        server.stop()
        shutil.rmtree(server.folder / "data" / "store")
        posthorn_server.copy_folder(folder, server.folder / "data" / "store.restoring")  # as if broken off before
        text = server.tool("store", "restore", str(folder))
        expect("former" not in text and stores(server) == ["store"], text, stores(server))
        server.start()
        with Mail(server) as mail:
            expect(list(mail.messages()) == ["kept"], "not restored")


def copy(folder, name):
    """With files of its own, which the store has no links to."""
    posthorn_server.copy_folder(folder, folder.parent / name)
    return folder.parent / name


def place_of(folder, text):
    for path in sorted((folder / "journal").iterdir()):
        at = path.read_bytes().find(text)
        if at >= 0:
            return path, at
    raise Failure(f"{text} is nowhere in the journal")


def test_bad_backups():
    with Server(accounts=[USER]) as server:
        with Mail(server) as mail:
            mail.append("INBOX", "good")
            mail.append("INBOX", "bad", text="harmless words\r\n")
        folder = backup(server)
        with Mail(server) as mail:
            mail.append("INBOX", "live")
        server.stop()
        inode = (server.folder / "data" / "store").stat().st_ino

        def refused(name, *words):
            done = server.run_tool("store", "restore", str(server.folder / name))
            expect(done.returncode != 0, name, done)
            for word in words:
                expect(word in done.stdout + done.stderr, name, done)
            expect((server.folder / "data" / "store").stat().st_ino == inode, name, "the store was replaced")
            expect(stores(server) == ["store"], name, stores(server))

        refused("nowhere", "no backup")
        (copy(folder, "unfinished") / "complete").unlink()
        refused("unfinished", "not complete")
        path, at = place_of(copy(folder, "damaged"), b"harmless words")
        flip(path, at)
        refused("damaged", f"{USER}\tINBOX\tUID 2\tits bytes cannot be read", "--damaged")
        cut = copy(folder, "cut")
        segment = sorted((cut / "journal").iterdir())[-1]
        os.truncate(segment, segment.stat().st_size - 200)
        for checkpoint in (cut / "checkpoints").iterdir():
            checkpoint.unlink()
        refused("cut", "not complete")
        done = server.run_tool("store", "restore", str(server.folder / "damaged"), "--damaged")
        expect(done.returncode == 0 and "UID 2" in done.stdout, done)
        server.start()
        with Mail(server) as mail:
            mail.select()
            expect(mail.imap.untagged_responses["EXISTS"] == [b"2"], mail.imap.untagged_responses)


def test_account_that_is_gone():
    with Server(accounts=[USER, OTHER]) as server:
        with Mail(server) as mail:
            mail.append("INBOX", "one", "(\\Seen \\Flagged)")
            mail.append("INBOX", "two", "($Label1 Custom)", '"05-May-2015 23:00:00 -0700"')
            mail.append("INBOX", "three")
            mail.append("INBOX", "large", text=LARGE)
            mail.remove("one")
            mail.do("create", "Work/Deep")
            mail.select()
            mail.do("copy", "1", "Work/Deep")
            mail.do("subscribe", "Work/Deep")
            mail.do("subscribe", "Nowhere")
            inbox, deep = mail.messages(), mail.messages("Work/Deep")
            boxes, subscribed = mail.mailboxes(), mail.do("lsub", '""', "*")
            validity = mail.status("INBOX", "UIDVALIDITY")
        server.tool("account", "quota", USER, "--messages", "77")
        folder = backup(server)
        server.tool("account", "remove", USER)
        with Mail(server, OTHER) as mail:
            mail.append("INBOX", "of bob")
        text = server.tool("store", "restore", str(folder), "--account", USER)
        expect("made anew" in text and "4 messages restored, 0 there already, 0 refused" in text, text)
        with Mail(server) as mail:  # with the password it had
            expect(mail.messages() == inbox, mail.messages(), inbox)
            expect(mail.messages("Work/Deep") == deep, deep)
            expect(deep["two"]["email"] == inbox["two"]["email"], "copies")
            expect(mail.mailboxes() == boxes, mail.mailboxes())
            expect(mail.do("lsub", '""', "*") == subscribed, "subscriptions")
            expect(mail.status("INBOX", "UIDVALIDITY") > validity, "UIDVALIDITY")
        expect("77" in server.tool("account", "quota", USER), "quota")
        server.tool("store", "check")
        done = server.run_tool("store", "restore", str(folder), "--account", "nobody@demo.test")
        expect(done.returncode == 5 and "no such account" in done.stderr, done)


def test_messages_that_are_missing():
    with Server(accounts=[USER, OTHER]) as server:
        with Mail(server) as mail:
            for subject in ("kept", "deleted", "moved", "copied", "changed"):
                mail.append("INBOX", subject)
            mail.append("INBOX", "large", text=LARGE)
            mail.do("create", "Old")
            mail.append("Old", "in old")
            mail.do("create", "Gone")
            mail.append("Gone", "in gone", "($Label1)")
            before = mail.messages()
            mail.do("uid", "copy", before["copied"]["uid"], "Gone")
        folder = backup(server)
        with Mail(server) as mail:
            mail.select()
            mail.do("uid", "copy", before["moved"]["uid"], "Archive")
            mail.do("uid", "store", before["changed"]["uid"], "+FLAGS", "(\\Flagged)")
            mail.remove("deleted", "moved", "large", "copied")
            mail.do("delete", "Gone")
            mail.do("rename", "Old", "New")
            mail.remove("in old", mailbox="New")
            mail.append("INBOX", "later")
            now = mail.messages()
            validity = mail.status("INBOX", "UIDVALIDITY")
            mail.select()
            text = server.tool("store", "restore", str(folder), "--account", USER)
            expect("6 messages restored, 3 there already, 0 refused" in text, text)
        with Mail(server) as mail:
            after = mail.messages()
            expect(set(after) == {"kept", "deleted", "changed", "large", "copied", "later"}, after)
            expect(all(after[subject] == now[subject] for subject in now), "what was there has changed")
            for subject in ("deleted", "large", "copied"):
                expect(without_uids({subject: after[subject]}) == without_uids({subject: before[subject]}), subject)
                expect(int(after[subject]["uid"]) > int(now["later"]["uid"]), "an old UID")
            expect(mail.status("INBOX", "UIDVALIDITY") == validity, "UIDVALIDITY")
            expect(set(mail.messages("New")) == {"in old"}, "a mailbox that was renamed")
            expect(set(mail.messages("Gone")) == {"in gone", "copied"}, "a mailbox that was deleted")
            expect("Old" not in mail.mailboxes(), mail.mailboxes())
        text = server.tool("store", "restore", str(folder), "--account", USER)
        expect("0 messages restored, 9 there already" in text, text)
        text = server.tool("store", "restore", str(folder), "--account", USER, "--as", OTHER)
        expect("9 messages restored" in text, text)
        with Mail(server, OTHER) as mail:
            expect(set(mail.messages()) == set(before), mail.messages())
        server.tool("store", "check")

        # What the backup has lost is listed, and the rest comes.
        path, at = place_of(copy(folder, "damaged"), b"Subject: deleted")
        flip(path, at)
        with Mail(server) as mail:
            mail.remove("deleted", "kept")
        with Mail(server, OTHER) as mail:
            mail.remove("deleted")
        done = server.run_tool("store", "restore", str(server.folder / "damaged"), "--account", USER)
        expect(done.returncode == 1 and "1 messages restored, 7 there already, 1 refused" in done.stdout, done)
        expect(f"INBOX\tUID {before['deleted']['uid']}\tits bytes cannot be read in the backup" in done.stdout, done)
        server.tool("store", "check")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_whole_store, test_empty_folder, test_bad_backups, test_account_that_is_gone,
                          test_messages_that_are_missing])
