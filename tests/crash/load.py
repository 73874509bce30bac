#!/usr/bin/env python3
"""Nothing acknowledged is lost: many SMTP sessions hand in mail while IMAP and POP3 sessions read, a worker is killed
(kill -9) and then the master, and the server is started anew. In the end every message that got its 250 must be there,
once, and intact. One whose answer was lost was sent again and may be there twice, but for no other reason. Then the same
with workers in which, now and then, an allocation fails (starved.c).

    load.py [--messages N] [--starved N] [--senders N] [--readers N] [--no-kill]
"""

import argparse
import hashlib
import imaplib
import os
import pathlib
import poplib
import random
import re
import signal
import smtplib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import posthorn_server  # noqa: E402
from posthorn_server import PASSWORD, PATIENCE, Failure  # noqa: E402

USERS = [f"user{number}@demo.test" for number in range(10)]
# What a session meets when its server is killed.
TROUBLE = (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error, poplib.error_proto)
RETRY_PAUSE = 0.05
# What makes allocations fail, and after how many of them in a worker.
STARVED = posthorn_server.BUILD / "tests/crash/.libs/starved.so"
ALLOCATIONS = 3000


def text_of(name):
    """The message of that name: its size and bytes follow from the name, and tell whether it is intact."""
    chance = random.Random(name)
    lines = [hashlib.sha256(f"{name} {number}".encode()).hexdigest() for number in range(chance.randrange(4, 300))]
    return f"Subject: {name}\r\n\r\n" + "\r\n".join(lines) + "\r\n"


class Work:
    """The messages to send, shared by the senders, and what became of them."""

    def __init__(self, count):
        self.lock = threading.Lock()
        self.waiting = [f"message-{number}" for number in range(count)]
        self.acknowledged = set()
        self.unsure = {}  # name -> how many times its answer was lost
        self.total = count
        self.progress = threading.Condition(self.lock)
        self.reads = 0

    def take(self):
        with self.lock:
            return self.waiting.pop() if self.waiting else None

    def done(self, name):
        with self.progress:
            self.acknowledged.add(name)
            self.progress.notify_all()

    def failed(self, name, answer_lost):
        with self.lock:
            self.waiting.append(name)
            if answer_lost:
                self.unsure[name] = self.unsure.get(name, 0) + 1

    def wait_for(self, count):
        with self.progress:
            if not self.progress.wait_for(lambda: len(self.acknowledged) >= count, PATIENCE * 10):
                raise Failure(f"only {len(self.acknowledged)} of {count} messages were acknowledged")

    def is_done(self):
        with self.lock:
            return len(self.acknowledged) == self.total


def recipient_of(name):
    return USERS[int(name.split("-")[1]) % len(USERS)]


def send_messages(server, work):
    """One sender: many messages in one session, a new session after trouble."""
    client = None
    while not work.is_done():
        name = work.take()
        if name is None:
            time.sleep(RETRY_PAUSE)  # another sender may give one back
            continue
        began = False
        try:
            if client is None:
                client = smtplib.SMTP(*server.address("smtp"), local_hostname="client.test", timeout=PATIENCE)
            began = True
            client.sendmail("sender@example.org", [recipient_of(name)], text_of(name))
            work.done(name)
        except TROUBLE:
            work.failed(name, began)
            client = None
            time.sleep(RETRY_PAUSE)
    if client:
        client.close()


def read_imap(server, user, chance):
    client = imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE)
    try:
        client.login(user, PASSWORD)
        count = int(client.select("INBOX")[1][0])
        for _ in range(min(count, 5)):
            client.fetch(str(chance.randrange(1, count + 1)), "(FLAGS ENVELOPE BODY.PEEK[])")
        client.logout()
    finally:
        client.shutdown()


def read_pop3(server, user, chance):
    client = poplib.POP3(*server.address("pop3"), timeout=PATIENCE)
    try:
        client.user(user)
        client.pass_(PASSWORD)
        count, _ = client.stat()
        for _ in range(min(count, 5)):
            client.retr(chance.randrange(1, count + 1))
        client.quit()
    finally:
        client.close()


def keep_reading(server, work, number):
    """One reader: session after session, until all is sent."""
    chance = random.Random(number)
    read = read_imap if number % 2 else read_pop3
    while not work.is_done():
        try:
            read(server, chance.choice(USERS), chance)
            with work.lock:
                work.reads += 1
        except TROUBLE:  # a killed server, or a maildrop in use
            time.sleep(RETRY_PAUSE)


def kill_worker(server):
    os.kill(random.choice(server.worker_pids()), signal.SIGKILL)
    server.wait_log('msg="starting the worker anew"')


def kill_master(server):
    """Only the master is killed; its workers must notice and end by themselves, so that the next server can start."""
    group = server.process.pid
    server.process.kill()
    server.process.wait()
    deadline = time.monotonic() + PATIENCE
    while group_lives(group):
        if time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
            raise Failure(f"workers live on without their master\n{server.log()}")
        time.sleep(RETRY_PAUSE)
    server.kill()  # which waits for the end of its log: "ready" in there is not of the next one
    server.start()


def group_lives(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


def stored_messages(server):
    """Name -> its texts, over all accounts."""
    found = {}
    for user in USERS:
        with imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE) as client:
            client.login(user, PASSWORD)
            if int(client.select("INBOX", readonly=True)[1][0]) == 0:
                continue
            _, data = client.fetch("1:*", "(BODY.PEEK[])")
            for item in data:
                if isinstance(item, tuple):
                    text = item[1].decode()
                    name = re.search(r"^Subject: (.*)\r$", text, re.M)[1]
                    found.setdefault(name, []).append((user, text))
    return found


def check_stored(server, work):
    found, problems = stored_messages(server), []
    for name in sorted(work.acknowledged):
        copies = found.get(name, [])
        if not 1 <= len(copies) <= 1 + work.unsure.get(name, 0):
            problems.append(f"{name} is there {len(copies)} times; answers lost: {work.unsure.get(name, 0)}")
        for user, text in copies:
            if not text.endswith(text_of(name)) or user != recipient_of(name):
                problems.append(f"{name} is damaged or misplaced ({user})")
    if problems:
        raise Failure(f"{len(problems)} problems:\n" + "\n".join(problems[:20]) + "\n" + server.log())
    return sum(len(copies) for copies in found.values())


def check_until_stored(server, work):
    """A starved worker may end meanwhile."""
    for _ in range(20):
        try:
            return check_stored(server, work)
        except TROUBLE:
            time.sleep(RETRY_PAUSE)
    return check_stored(server, work)


def run_load(chosen, messages, kill, environment=None):
    work = Work(messages)
    with posthorn_server.Server(workers=2, accounts=USERS, environment=environment) as server:
        threads = [threading.Thread(target=send_messages, args=(server, work), daemon=True)
                   for _ in range(chosen.senders)]
        threads += [threading.Thread(target=keep_reading, args=(server, work, number), daemon=True)
                    for number in range(chosen.readers)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        if kill:
            work.wait_for(messages // 3)
            kill_worker(server)
            work.wait_for(messages * 2 // 3)
            kill_master(server)
        work.wait_for(messages)
        took = time.monotonic() - start
        for thread in threads:
            thread.join(PATIENCE)
        stored = check_until_stored(server, work)
        ended = sum("out of memory" in line for line in server.lines)
        if environment and ended == 0:
            raise Failure("no worker ended for want of memory")
    print(f"# {messages} messages acknowledged in {took:.1f} s ({stored} stored, answers lost: "
          f"{sum(work.unsure.values())}); {work.reads} sessions read meanwhile; {ended} workers found no memory")


def can_starve():
    """A sanitizer has allocation functions of its own."""
    return STARVED.exists() and b"__asan_init" not in posthorn_server.PROGRAM.read_bytes()


def main():
    arguments = argparse.ArgumentParser(description="Kills the server under load and looks for lost mail.")
    arguments.add_argument("--messages", type=int, default=500)
    arguments.add_argument("--starved", type=int, default=200, help="so many messages while allocations fail; 0: none")
    arguments.add_argument("--senders", type=int, default=50)
    arguments.add_argument("--readers", type=int, default=50)
    arguments.add_argument("--no-kill", action="store_true")
    chosen = arguments.parse_args()
    posthorn_server.require_server()

    def test_load():
        run_load(chosen, chosen.messages, not chosen.no_kill)

    def test_starved():
        run_load(chosen, chosen.starved, False,
                 {"LD_PRELOAD": str(STARVED), "STARVED_ALLOCATIONS": str(ALLOCATIONS)})

    posthorn_server.main([test_load, test_starved] if chosen.starved and can_starve() else [test_load])


if __name__ == "__main__":
    main()
