#!/usr/bin/env python3
"""IMAP sessions that change one mailbox at the same time, over two workers. Each keeps its own picture of the mailbox
by the rules of RFC 3501 (7.3 and 7.4) and finds it true at every response; at the end all pictures are the same. Beside
them clients send junk of every kind, and nobody is disturbed."""

import random
import re
import socket
import sys
import threading

from posthorn_server import PATIENCE, Server, require_server

SESSIONS = 5
STEPS = 150
JUNK_CLIENTS = 3
JUNK_CONNECTIONS = 15
FLAGS = ("\\Seen", "\\Flagged", "\\Draft \\Answered", "kw1", "kw2")


class Session:
    """A client that believes nothing it was not told: `uids` is its view, None where it does not know the UID."""

    def __init__(self, address, seed):
        self.random = random.Random(seed)
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.uids = []
        self.tags = 0
        self.lines.readline()
        self.command("LOGIN alice@demo.test secret")
        self.command("SELECT INBOX")

    def command(self, text, literal=b""):
        self.tags += 1
        tag = b"t%d " % self.tags
        self.socket.sendall(tag + text.encode() + b"\r\n" + literal)
        responses = []
        while True:
            line = self.lines.readline()
            if not line:
                raise AssertionError(f"the server closed behind {text}")
            if line.startswith(tag):
                if line.split()[1] not in (b"OK", b"NO"):
                    raise AssertionError(f"{text}: {line}, with {len(self.uids)} messages")
                return responses
            self.hear(text, line)
            responses.append(line)

    def hear(self, text, line):
        """Takes an untagged response into the picture."""
        found = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)", line)
        if not found:
            return
        number, what = int(found[1]), found[2]
        if what == b"EXISTS":
            assert number >= len(self.uids), f"{text}: {line}"
            self.uids += [None] * (number - len(self.uids))
            return
        assert 1 <= number <= len(self.uids), f"{text}: {line}, with {len(self.uids)} messages"
        if what == b"EXPUNGE":
            assert text.split()[0] not in ("FETCH", "STORE", "SEARCH"), f"{text}: {line}"
            del self.uids[number - 1]
        elif uid := re.search(rb"UID (\d+)", found[3]):
            assert self.uids[number - 1] in (None, int(uid[1])), f"{text}: {line} was {self.uids[number - 1]}"
            self.uids[number - 1] = int(uid[1])

    def some(self):
        count = len(self.uids)
        return f"{self.random.randint(1, count)}:{self.random.randint(1, count)}"

    def one(self):
        return self.random.randint(1, len(self.uids))

    def step(self):
        """Does something, mostly harmless."""
        if not self.uids or self.random.random() < 0.25:
            return self.command("APPEND INBOX {5+}", b"hello\r\n")
        flags = f"{self.random.choice(('', '+', '-'))}FLAGS{self.random.choice(('', '.SILENT'))}"
        return self.command(self.random.choice((
            "NOOP", "EXPUNGE", "SEARCH UNSEEN", "UID SEARCH UNDELETED", "UID FETCH 1:* (FLAGS)",
            f"FETCH {self.some()} (UID FLAGS)", f"FETCH {self.some()} (UID FLAGS)", f"FETCH {self.one()} (BODY[])",
            f"STORE {self.some()} {flags} ({self.random.choice(FLAGS)})", "UID STORE 1:* -FLAGS.SILENT (\\Seen)",
            f"STORE {self.one()} +FLAGS (\\Deleted)", f"COPY {self.one()} INBOX", f"MOVE {self.one()} INBOX",
            f"MOVE {self.one()} Trash")))

    def picture(self):
        """All it is shown in the end."""
        self.command("NOOP")
        lines = self.command("FETCH 1:* (UID FLAGS)")
        return sorted(re.sub(rb" ?\\Recent", b"", line).replace(b"( ", b"(") for line in lines if b"FETCH" in line)


WORDS = (b"a1", b"LOGIN", b"SELECT", b"INBOX", b"FETCH", b"STORE", b"SEARCH", b"UID", b"1:*", b"(", b")", b"BODY[", b"]",
         b"BODY.PEEK[HEADER.FIELDS (", b"+FLAGS", b"\\Seen", b'"', b"{3}", b"{3+}\r\nabc", b"{9999999999}", b"*", b"%",
         b"APPEND", b"IDLE", b"DONE", b"\r\n", b"\n", b"\r", b"\0", b"\xff\xfe", b"NOT", b"OR", b"TEXT", b'LIST "" *',
         b"COPY", b"Trash", b"STATUS", b"(MESSAGES", b"<0.5>", b"&AOQ-", b"&", b"AUTHENTICATE PLAIN", b"=", b"LOGOUT",
         b"ENVELOPE", b"4294967295", b"4294967296", b"0", b"-1", b"1,2,3:1", b"CHARSET UTF-8", b"SENTSINCE 1-Jan-2020")


def send_junk(address, seed):
    chance = random.Random(seed)
    for _ in range(JUNK_CONNECTIONS):
        with socket.create_connection(address, timeout=PATIENCE) as client:
            try:
                if chance.random() < 0.8:
                    client.sendall(b"L LOGIN bob@demo.test secret\r\nS SELECT INBOX\r\n")
                for number in range(chance.randrange(40)):
                    if chance.random() < 0.1:
                        client.sendall(chance.randbytes(chance.randrange(3000)))
                    words = (chance.choice(WORDS) for _ in range(chance.randrange(1, 8)))
                    client.sendall(b"t%d " % number + b" ".join(words) + b"\r\n")
            except OSError:
                pass  # it may well be thrown out


def in_threads(functions):
    """Runs them all at once; returns what they failed with."""
    failures = []

    def guarded(function):
        try:
            function()
        except Exception as failure:  # told by the main thread
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def main():
    require_server()
    with Server(workers=2) as server:
        address = server.address("imap")
        sessions = [Session(address, seed) for seed in range(SESSIONS)]

        def live(session):
            for _ in range(STEPS):
                session.step()

        failures = in_threads([lambda session=session: live(session) for session in sessions]
                              + [lambda seed=seed: send_junk(address, seed) for seed in range(JUNK_CLIENTS)])
        for failure in failures:
            print("failed:", failure)
        if failures:
            return 1
        for session in sessions:
            session.command("NOOP")
        pictures = [session.picture() for session in sessions]
        if any(picture != pictures[0] for picture in pictures):
            print("failed: the sessions see different mailboxes:", pictures)
            return 1
    print(f"{SESSIONS} sessions agree on {len(pictures[0])} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
