#!/usr/bin/env python3
"""The server when the machine fails it: a disk without space, a process without descriptors. What was acknowledged
stays, what cannot be done is put off in each protocol's words, reading goes on, and when the trouble is over so does
the rest, without a restart."""

import contextlib
import ctypes
import os
import poplib
import pathlib
import smtplib
import tempfile

import posthorn_server
from faulty_mail import (ALICE, BOB, SMALL_STORE, ask_lmtp, check_stored, expect, imap, imap_answer, send, smtp,
                         text_of, wait_until_sent)
from posthorn_server import PASSWORD, PATIENCE, SKIPPED, Failure, Server, main

DISK = 112 << 20
FILLER = 24 << 20  # what somebody else has of it
DESCRIPTORS = 80
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags, options):
    names = [str(text).encode() if text else None for text in (source, target, kind)]
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


def ask_smtp(server, name, user=ALICE):
    code, text = send(server, name, user)
    return "taken" if code == 250 else (code, text[:5])


def ask_append(server, name):
    with imap(server) as client:
        return imap_answer(client.append("INBOX", None, None, text_of(name).encode()))


def check_refusals(server, disk, sent):
    """What brings a message is put off."""
    expect_refusal(disk, sent, lambda name: ask_smtp(server, name), (452, "4.3.1"))
    expect_refusal(disk, sent, lambda name: ask_append(server, name), ("NO", b"[UNAVAILABLE]"))
    expect_refusal(disk, [], lambda _: ask_smtp(server, "large-refused", BOB), (452, "4.3.1"))
    expect_refusal(disk, sent, lambda name: ask_lmtp(server, name, [ALICE, BOB]), [(452, b"4.3.1")] * 2)
    with imap(server) as client:
        expect_refusal(disk, [], lambda _: imap_answer(client.copy("1:20", "Copies")), ("NO", b"[UNAVAILABLE]"))


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


@contextlib.contextmanager
def read_only(folder):
    """What is opened there from now on is read-only; who writes to an open file goes on."""
    mount(folder, folder, None, MS_BIND, "")
    try:
        mount("none", folder, None, MS_REMOUNT | MS_BIND | MS_RDONLY, "")
        yield
    finally:
        libc.umount2(str(folder).encode(), MNT_DETACH)


def test_read_only():
    """Nobody can make a file system read-only while files in it are open for writing (EBUSY); but what it lies below
    can be, and it can be before the server starts."""
    sent = ["message-0", "large-1"]
    with Disk() as disk, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        data = pathlib.Path(disk.folder, "data")
        with Server(folder=folder, config=SMALL_STORE + f'data_directory = "{data}"') as server:
            for name in sent:
                expect("an answer to mail", send(server, name)[0], 250)
            with imap(server) as client, read_only(data / "store"):
                expect("an answer to mail", ask_smtp(server, "large-refused"), (451, "4.3.0"))
                expect("an answer to APPEND", ask_append(server, "large-refused"), ("NO", b"[UNAVAILABLE]"))
                expect("an answer to FETCH", client.fetch("1:2", "(BODY[])")[0], "OK")
            sent.append("large-2")
            expect("an answer to mail", send(server, "large-2")[0], 250)
            server.stop()
            mount("none", disk.folder, None, MS_REMOUNT | MS_RDONLY, "")
            expect_no_start(server, "Read-only file system")
            mount("none", disk.folder, None, MS_REMOUNT, "")
            server.start()
            check_stored(server, sent)
            wait_until_sent(server, sent)


def expect_no_start(server, reason):
    try:
        server.start()
    except Failure as failure:
        expect(f"the reason in {server.log()!r}", reason in str(failure), True)
        expect("the status", server.process.wait(PATIENCE) != 0, True)
        return
    raise Failure("it started")


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
                sender.sendmail("sender@example.org", [ALICE], text_of("large-1"))
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
    main([test_full_disk, test_read_only, test_no_descriptors])
