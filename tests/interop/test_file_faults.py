#!/usr/bin/env python3
"""The server while calls on its files fail (crash/failing_calls.c makes them): what is asked is put off in each
protocol's words, reading goes on, nobody's connection ends, and with the fault goes the trouble, without a restart.
What was acknowledged is there at the end, once and whole, also after kill -9. And the master without inotify."""

import contextlib
import errno
import os
import pathlib
import poplib
import tempfile
import time

import posthorn_server
from faulty_mail import (ALICE, BOB, SMALL_STORE, ask_lmtp, check_stored, expect, hand_over, imap, imap_answer, send,
                         smtp, text_of)
from posthorn_server import PASSWORD, PATIENCE, SKIPPED, Failure, Server, main

FAILING_CALLS = posthorn_server.BUILD / "tests/crash/.libs/failing_calls.so"
WRITING = ("open_to_write", "write", "fallocate", "ftruncate", "flush", "rename", "unlink", "link")
# What fails, on which files of the store, with what, and how IMAP calls it. Nothing can be written then.
NO_WRITING = (
    (("flush",), "", errno.EIO, b"[UNAVAILABLE]"),
    (("write",), "", errno.EIO, b"[UNAVAILABLE]"),
    (("write",), "/index", errno.EIO, b"[UNAVAILABLE]"),
    (WRITING, "", errno.EROFS, b"[UNAVAILABLE]"),
    (WRITING, "", errno.EMFILE, b"[UNAVAILABLE]"),
)
OVER_QUOTA = "carol@demo.test"


class FaultyServer(Server):
    """One whose calls fail when it is told so."""

    def __init__(self, folder, **options):
        os.chmod(folder, 0o755)
        self.switch = pathlib.Path(folder, "failing")
        # The sanitizers' library wants to be the first, and is the second then.
        sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
        super().__init__(folder=folder, environment={"LD_PRELOAD": str(FAILING_CALLS), "ASAN_OPTIONS": sanitizer,
                                                     "FAILING_CALLS": str(self.switch)}, **options)

    @contextlib.contextmanager
    def failing(self, code, path, calls):
        new = self.switch.with_suffix(".new")
        new.write_text(f"{code} {path} {' '.join(calls)}\n")
        new.chmod(0o644)
        new.rename(self.switch)
        try:
            yield
        finally:
            self.switch.unlink()

    def store_failing(self, code, calls, where=""):
        return self.failing(code, f"{self.folder}/data/store{where}", calls)

    def expect_troubles(self, start, count):
        """So many lines of warnings and errors from line `start` on: one for each failure."""
        def troubles():
            return [line for line in self.lines[start:] if " level=warn " in line or " level=error " in line]

        self._wait(lambda: len(troubles()) >= count)
        if len(troubles()) != count:
            raise Failure(f"{len(troubles())} lines for {count} failures:\n" + "\n".join(troubles()))


@contextlib.contextmanager
def faulty_server(**options):
    with tempfile.TemporaryDirectory() as folder, FaultyServer(folder, **options) as server:
        yield server


class Work:
    """A session of each protocol that stays, over all faults."""

    def __init__(self, server, stack):
        self.server = server
        self.sent = []
        self.smtp = stack.enter_context(smtp(server))
        self.imap = stack.enter_context(imap(server))
        self.imap.create("Copies")

    def send(self, kind="message"):
        name = f"{kind}-{len(self.sent)}"
        expect("an answer to mail", hand_over(self.smtp, name), (250, ""))
        self.sent.append(name)

    def expect_refused(self, name, codes):
        code, text = hand_over(self.smtp, name)
        expect(f"an answer to {name}", (code, text[:5]), codes)

    def expect_no(self, command, code, *arguments):
        expect(f"an answer to {command}", imap_answer(getattr(self.imap, command)(*arguments)), ("NO", code))

    def expect_arrived(self):
        expect("an answer to NOOP", self.imap.noop()[0], "OK")
        expect("EXISTS", self.imap.untagged_responses["EXISTS"][-1], str(len(self.sent)).encode())


def pop3(server):
    client = poplib.POP3(*server.address("pop3"), timeout=PATIENCE)
    client.user(ALICE)
    client.pass_(PASSWORD)
    return client


def expect_pop3_error(what, ask, *arguments):
    try:
        ask(*arguments)
    except poplib.error_proto as error:
        expect(f"an answer to {what}", error.args[0][:15], b"-ERR [SYS/TEMP]")
        return
    raise Failure(f"{what} could be done")


def check_refusals(work, imap_code):
    """What is to be written is put off; returns how many times something was."""
    work.expect_refused("refused", (451, "4.3.0"))
    work.expect_refused("large-refused", (451, "4.3.0"))
    expect("answers to mail for three", ask_lmtp(work.server, "refused", [ALICE, BOB, OVER_QUOTA])[:2],
           [(451, b"4.3.0")] * 2)
    for name in ("refused", "large-refused"):
        work.expect_no("append", imap_code, "INBOX", None, None, text_of(name).encode())
    work.expect_no("copy", imap_code, "1:2", "Copies")
    work.expect_no("store", imap_code, "1", "+FLAGS", r"(\Flagged)")
    work.expect_no("store", imap_code, "1", "+FLAGS", r"(\Deleted)")
    work.expect_no("create", imap_code, "New")
    client = pop3(work.server)
    client.dele(1)
    expect_pop3_error("QUIT", client.quit)
    return 12


def check_reading(work):
    """Goes on, in sessions that were there and in new ones, also of mail that nobody saw yet. Returns how many times
    something could not be written meanwhile."""
    work.expect_arrived()
    with imap(work.server) as client:
        for sequence in ("1", "*"):
            _, data = client.fetch(sequence, "(BODY[])")
            name = work.sent[0] if sequence == "1" else work.sent[-1]
            expect(f"{name} as it is read", data[0][1].decode().endswith(text_of(name)), True)
    client = pop3(work.server)
    expect("POP3's count", client.stat()[0], len(work.sent))
    client.retr(len(work.sent))
    client.rset()
    client.quit()
    return 2  # \Seen


def check_expunging(work, imap_code):
    """Of what was marked before."""
    work.imap.store("1", "+FLAGS", r"(\Deleted)")
    with work.server.store_failing(errno.EIO, ["flush"]):
        work.expect_no("expunge", imap_code)
    work.imap.store("1", "-FLAGS", r"(\Deleted)")


def check_fault(work, calls, where, code, imap_code):
    work.send()
    start = len(work.server.lines)
    with work.server.store_failing(code, calls, where):
        refused = check_reading(work) + check_refusals(work, imap_code)
    work.server.expect_troubles(start, refused)
    work.send()
    work.send("large")
    work.expect_arrived()
    for change in ("+FLAGS", "-FLAGS"):
        expect("an answer to STORE", work.imap.store("1", change, r"(\Flagged)")[0], "OK")


def check_no_descriptors(work, code):
    """Files cannot be opened, those that are open can be used."""
    large = next(n for n, name in enumerate(work.sent, 1) if name.startswith("large"))
    with work.server.store_failing(code, ["open_to_read", "open_to_write"]):
        work.expect_refused("large-refused", (451, "4.3.0"))
        work.expect_no("append", b"[UNAVAILABLE]", "INBOX", None, None, text_of("large-refused").encode())
        check_no_bytes(work, large, b"[UNAVAILABLE]")
    work.send("large")


def check_no_bytes(work, number, imap_code):
    work.expect_no("fetch", imap_code, str(number), "(BODY.PEEK[])")
    expect("an answer to FETCH", work.imap.fetch(str(number), "(FLAGS ENVELOPE)")[0], "OK")
    client = pop3(work.server)
    expect_pop3_error("RETR", client.retr, number)
    expect_pop3_error("TOP", client.top, number, 1)
    client.quit()


def check_no_reading(work):
    with work.server.store_failing(errno.EIO, ["read"]):
        check_no_bytes(work, 1, b"[UNAVAILABLE]")
        work.send()
    expect("an answer to FETCH", work.imap.fetch("1", "(BODY.PEEK[])")[0], "OK")


def restart_with_threads(server):
    """The first message makes the secret of threads. A worker that was there before must ask for it once, and if it
    cannot, refuses a message for all its recipients in one line."""
    expect("an answer to mail", send(server, "first", BOB)[0], 250)
    server.stop()
    server.start()


def test_files_fail():
    with faulty_server(workers=2, config=SMALL_STORE, accounts=(ALICE, BOB, OVER_QUOTA)) as server:
        server.tool("account", "quota", OVER_QUOTA, "--bytes", "1")
        restart_with_threads(server)
        pids = server.worker_pids()
        with contextlib.ExitStack() as stack:
            work = Work(server, stack)
            for _ in range(2):
                work.send()
            for fault in NO_WRITING:
                check_fault(work, *fault)
            check_expunging(work, b"[UNAVAILABLE]")
            for code in (errno.EMFILE, errno.ENFILE):
                check_no_descriptors(work, code)
            check_no_reading(work)
            check_stored(server, work.sent)
        expect("the workers", server.worker_pids(), pids)
        with server.store_failing(errno.EIO, ["flush"]):
            expect("an answer to mail", send(server, "refused")[0], 451)
            server.kill()
        server.start()
        check_stored(server, work.sent)
        with imap(server, OVER_QUOTA) as client:
            expect("messages of others", client.search(None, "ALL")[1], [b""])
        server.tool("store", "check")


def count_told(server, wanted):
    """How often the log says it; the last time may come behind the answer to the reload."""
    for _ in range(100):
        told = sum("cannot watch" in line for line in server.lines)
        if told >= wanted:
            break
        time.sleep(0.1)
    return told


def test_no_inotify():
    """The server works, and says once for each generation what it cannot do."""
    for calls, line in ((("inotify_init",), r'msg="cannot watch files: .*error="No space'),
                        (("inotify_add_watch",), r'msg="cannot watch a folder: .*error="No space')):
        with tempfile.TemporaryDirectory() as folder:
            server = FaultyServer(folder, policy=["-- nothing", "-- nothing"])
            with server.failing(errno.ENOSPC, "/", calls), server:
                server.wait_log(line)
                expect("an answer to mail", send(server, "message")[0], 250)
                server.tool("reload")
                wanted = 1 if calls == ("inotify_init",) else 2
                expect("times it was told", count_told(server, wanted), wanted)


if __name__ == "__main__":
    posthorn_server.require_server()
    if not FAILING_CALLS.exists():
        print("skipped: not built: tests/crash/failing_calls.la")
        raise SystemExit(SKIPPED)
    main([test_files_fail, test_no_inotify])
