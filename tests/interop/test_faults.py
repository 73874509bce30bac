#!/usr/bin/env python3
"""The server when the machine fails it: a disk without space, a process without descriptors. What was acknowledged
stays, what cannot be done is put off in each protocol's words, reading goes on, and when the trouble is over so does
the rest, without a restart."""

import contextlib
import ctypes
import imaplib
import os
import poplib
import pathlib
import re
import smtplib
import tempfile
import time

import posthorn_server
from posthorn_server import ACCOUNTS, PASSWORD, PATIENCE, SKIPPED, Failure, Server, main

ALICE, BOB = ACCOUNTS
DISK = 112 << 20
FILLER = 24 << 20  # what somebody else has of it
DESCRIPTORS = 80
SIZE = 100_000  # of most messages
SMALL_STORE = 'kv_lmdb.segment_size = "4M"\nkv_lmdb.checkpoint_after = "8M"\n'
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags, options):
    names = [text.encode() if text else None for text in (source, target, kind)]
    if libc.mount(*names, ctypes.c_ulong(flags), options.encode()) < 0:
        raise OSError(ctypes.get_errno(), "mount")


def own_mounts():
    """From here on this process mounts for itself only: as root, or as one who counts as root for that."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS) < 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    mount("none", "/", None, MS_REC | MS_PRIVATE, "")


class Disk:
    """A small disk in a folder."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="posthorn-disk-")
        mount("posthorn-test", self.folder, "tmpfs", 0, f"size={DISK},mode=755")
        self.filler = pathlib.Path(self.folder, "filler")
        self.filler.write_bytes(bytes(FILLER))
        return self

    def __exit__(self, *_):
        libc.umount2(self.folder.encode(), MNT_DETACH)
        os.rmdir(self.folder)

    def fill(self):
        """Takes all the space there is."""
        with open(self.filler, "ab") as filler:
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
            os.truncate(self.filler, self.filler.stat().st_blocks * 512)

    def empty(self):
        self.filler.unlink()


def text_of(name, size=SIZE):
    return f"Subject: {name}\r\n\r\n" + (f"{name} " * 8 + "\r\n") * (size // (len(name) * 8 + 10))


def smtp(server):
    return smtplib.SMTP(*server.address("smtp"), local_hostname="client.test", timeout=PATIENCE)


@contextlib.contextmanager
def imap(server, user=ALICE, mailbox="INBOX"):
    with imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE) as client:
        client.login(user, PASSWORD)
        client.select(mailbox)
        yield client


def send(server, name, size=SIZE, user=ALICE):
    """The answer's code and text."""
    with smtp(server) as client:
        try:
            client.sendmail("sender@example.org", [user], text_of(name, size))
            return 250, ""
        except smtplib.SMTPDataError as error:
            return error.smtp_code, error.smtp_error.decode()


def expect_refusal(disk, sent, ask, wanted):
    """Until the disk is full this may still be taken, into what is left of a segment or what the keeper gives back."""
    for _ in range(1000):
        disk.fill()
        name = f"message-{len(sent)}"
        found = ask(name)
        if found == wanted:
            return
        if found != "taken":
            raise Failure(f"an answer on a full disk: {found!r} instead of {wanted!r}")
        sent.append(name)
    raise Failure(f"{wanted!r} never came")


def send_all(server, sent):
    """Until there is no space; adds the names of what was acknowledged."""
    while (answer := send(server, f"message-{len(sent)}"))[0] == 250:
        sent.append(f"message-{len(sent)}")
    expect("an answer to mail on a full disk", (answer[0], answer[1][:6]), (452, "4.3.1 "))


def wait_until_sent(server, sent):
    deadline = time.monotonic() + PATIENCE
    while (answer := send(server, f"message-{len(sent)}"))[0] != 250:
        if time.monotonic() > deadline:
            raise Failure(f"mail is not taken again: {answer}\n{server.log()}")
        time.sleep(0.1)
    sent.append(f"message-{len(sent)}")


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def check_stored(server, sent):
    """All that was acknowledged is there, once and whole, and nothing else."""
    found = {}
    with imap(server) as client:
        _, data = client.fetch("1:*", "(BODY.PEEK[])")
        for item in data:
            if isinstance(item, tuple):
                text = item[1].decode()
                found.setdefault(re.search(r"^Subject: (.*)\r$", text, re.M)[1], []).append(text)
    expect("the messages", sorted(found), sorted(sent))
    for name, texts in found.items():
        if len(texts) != 1 or not texts[0].endswith(text_of(name)):
            raise Failure(f"{name} is there {len(texts)} times, or damaged")


def ask_smtp(server, name, size=SIZE, user=ALICE):
    code, text = send(server, name, size, user)
    return "taken" if code == 250 else (code, text[:5])


def ask_lmtp(server, name):
    """A message for a mailbox that is there, and for one that is not."""
    with smtplib.LMTP(*server.address("lmtp"), local_hostname="client.test", timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("sender@example.org")
        for _ in range(2):
            client.rcpt(ALICE)
        client.putcmd("data")
        client.getreply()
        client.send(text_of(name).encode() + b".\r\n")
        codes = [client.getreply() for _ in range(2)]
    return "taken" if codes[0][0] == 250 else [(code, text[:5]) for code, text in codes]


def imap_answer(kind, data):
    return "taken" if kind == "OK" else (kind, data[0].split()[0])


def ask_append(server, name):
    with imap(server) as client:
        return imap_answer(*client.append("INBOX", None, None, text_of(name).encode()))


def check_refusals(server, disk, sent):
    """What brings a message is put off."""
    expect_refusal(disk, sent, lambda name: ask_smtp(server, name), (452, "4.3.1"))
    expect_refusal(disk, sent, lambda name: ask_append(server, name), ("NO", b"[UNAVAILABLE]"))
    expect_refusal(disk, [], lambda name: ask_smtp(server, name, 2_000_000, BOB), (452, "4.3.1"))
    with imap(server) as client:
        expect_refusal(disk, [], lambda _: imap_answer(*client.copy("1:20", "Copies")), ("NO", b"[UNAVAILABLE]"))


def check_work(server, count):
    """What brings none goes on."""
    with imap(server) as client:
        expect("an answer to STORE", client.store("1", "+FLAGS", r"(\Flagged)")[0], "OK")
        expect("the flags", rb"\Flagged" in client.fetch("1", "(FLAGS)")[1][0], True)
    client = poplib.POP3(*server.address("pop3"), timeout=PATIENCE)
    client.user(ALICE)
    client.pass_(PASSWORD)
    expect("POP3's count", client.stat()[0], count)
    client.retr(1)
    client.dele(count)
    client.quit()


def delete_all(server):
    with imap(server) as client:
        expect("an answer to STORE", client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")[0], "OK")
        expect("an answer to EXPUNGE", client.expunge()[0], "OK")
    with imap(server, mailbox="Copies") as client:
        client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
        expect("an answer to EXPUNGE", client.expunge()[0], "OK")


def test_full_disk():
    sent = []
    with Disk() as disk, Server(folder=disk.folder, workers=2, config=SMALL_STORE) as server:
        with imap(server) as client:
            client.create("Copies")
        send_all(server, sent)
        disk.fill()
        check_refusals(server, disk, sent)
        check_work(server, len(sent))
        sent.pop()
        check_stored(server, sent)
        server.stop()
        server.start()
        check_stored(server, sent)
        disk.empty()
        wait_until_sent(server, sent)
        disk.fill()
        expect_refusal(disk, sent, lambda name: ask_smtp(server, name), (452, "4.3.1"))
        check_stored(server, sent)
        delete_all(server)
        sent.clear()
        wait_until_sent(server, sent)
        check_stored(server, sent)
        server.tool("store", "check")


def with_limit(folder, descriptors):
    """A posthorn that may have so many descriptors."""
    program = pathlib.Path(folder, "posthorn")
    program.write_text(f'#!/bin/sh\nulimit -n {descriptors}\nexec {posthorn_server.PROGRAM} "$@"\n')
    program.chmod(0o755)
    return program


def connect_all(server):
    """Takes all descriptors of the worker: the clients that it greeted."""
    clients = []
    with contextlib.suppress(OSError, smtplib.SMTPException):
        for _ in range(DESCRIPTORS):
            clients.append(smtplib.SMTP(*server.address("smtp"), timeout=2))
    if len(clients) == DESCRIPTORS:
        raise Failure("the limit was none")
    return clients


def test_no_descriptors():
    """A worker that has none left for new clients serves those who are there, and accepts the others later."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with Server(workers=1, program=with_limit(folder, DESCRIPTORS)) as server:
            pid = server.worker_pids()[0]
            expect("an answer to mail", send(server, "message-0")[0], 250)
            with smtp(server) as sender, imap(server) as reader:
                sender.ehlo()
                clients = connect_all(server)
                sender.sendmail("sender@example.org", [ALICE], text_of("message-1", 2_000_000))
                expect("an answer to FETCH", reader.fetch("1", "(BODY.PEEK[])")[0], "OK")
                for client in clients:
                    client.close()
            expect("an answer to mail", send(server, "message-2")[0], 250)
            with imap(server) as client:
                expect("the messages", len(client.search(None, "ALL")[1][0].split()), 3)
            expect("the workers", server.worker_pids(), [pid])


def start():
    posthorn_server.require_server()
    try:
        own_mounts()
    except OSError as error:
        print(f"skipped: this machine lets us mount no small disk: {error}")
        raise SystemExit(SKIPPED) from None


if __name__ == "__main__":
    start()
    main([test_full_disk, test_no_descriptors])
