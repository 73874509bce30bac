#!/usr/bin/env python3
"""A very large mailbox, or very many mailboxes, in a store of their own: what each command costs one worker.

  large_store.py mailbox [MESSAGES]                a million unless told
  large_store.py mailboxes [ACCOUNTS [MAILBOXES]]  1,000 accounts with 100 mailboxes each unless told

Needs a built tree: POSTHORN_BUILD, or the working directory. Prints for each step the seconds, the worker's CPU seconds,
its own memory at the largest (pages of mapped files, such as the index, left out), and how long the slowest delivery to
somebody else took that was made beside it. Not part of `make check`."""

import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

from posthorn_server import PASSWORD, Server  # noqa: E402

TEXT = b"From: a@demo.test\r\nTo: alice@demo.test\r\nSubject: one of many\r\n\r\ntext\r\n"
MANY = 10000  # mailboxes of one account
CREATORS = 16  # connections that make mailboxes
DELIVERY_PAUSE = 0.02


class Client:
    """IMAP, as fast as Python reads: answers are counted, not parsed."""

    def __init__(self, address, user):
        self.socket = socket.create_connection(address, timeout=1200)
        self.rest = b""
        self.wait(b"* OK")
        self.command(f"LOGIN {user} {PASSWORD}")

    def wait(self, start):
        """Reads to the line that begins so; returns how many lines came before it, and that line."""
        lines = 0
        while True:
            end = self.rest.rfind(b"\r\n") + 2
            if end > 1:
                at = 0 if self.rest.startswith(start) else self.rest.find(b"\r\n" + start, 0, end) + 2
                if at != 1:
                    line = self.rest[at:self.rest.index(b"\r\n", at)]
                    lines += self.rest.count(b"\r\n", 0, at)
                    self.rest = self.rest[at + len(line) + 2:]
                    return lines, line
                # A line's end stays, so that the next one is found behind it.
                lines += self.rest.count(b"\r\n", 0, end - 2)
                self.rest = self.rest[end - 2:]
            more = self.socket.recv(1 << 20)
            if not more:
                raise SystemExit("the server closed the connection")
            self.rest += more

    def answer(self):
        lines, line = self.wait(b"a ")
        if not line.startswith(b"a OK"):
            raise SystemExit(line.decode()[:200])
        return lines

    def command(self, text, literal=None):
        """Returns how many lines came before the answer."""
        if literal is None:
            self.socket.sendall(f"a {text}\r\n".encode())
        else:
            self.socket.sendall(f"a {text} {{{len(literal)}}}\r\n".encode())
            self.wait(b"+")
            self.socket.sendall(literal + b"\r\n")
        return self.answer()

    def commands(self, texts):
        """Sends all at once."""
        sender = threading.Thread(
            target=self.socket.sendall, args=("".join(f"a {text}\r\n" for text in texts).encode(),))
        sender.start()
        for _ in texts:
            self.answer()
        sender.join()

    def close(self):
        self.socket.close()


class Deliveries:
    """Mail to bob, one after the other, while something else goes on."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=600)
        self.file = self.socket.makefile("rb")
        self.slowest = 0
        self.count = 0
        self.ending = False
        self.reply()
        self.say(b"LHLO bench")
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def reply(self):
        while True:
            line = self.file.readline()
            if line[:1] != b"2" and line[:3] != b"354":
                raise SystemExit(f"LMTP: {line!r}")
            if line[3:4] == b" ":
                return

    def say(self, text):
        self.socket.sendall(text + b"\r\n")
        self.reply()

    def run(self):
        while not self.ending:
            began = time.monotonic()
            for text in (b"MAIL FROM:<a@demo.test>", b"RCPT TO:<bob@demo.test>", b"DATA", TEXT + b"."):
                self.say(text)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.count += 1
            time.sleep(DELIVERY_PAUSE)

    def end(self):
        self.ending = True
        self.thread.join()
        self.socket.close()


class Bench:
    def __init__(self, server):
        self.server = server
        print(f"{'':44}{'seconds':>9}{'CPU s':>9}{'MB':>7}{'ms delivery':>13}{'lines':>10}", flush=True)

    def cpu(self, worker):
        fields = pathlib.Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory(self, worker):
        status = pathlib.Path(f"/proc/{worker}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1024

    def step(self, name, run, deliver=False):
        worker = self.server.worker_pids()[0]
        memory, ended = [self.memory(worker)], threading.Event()

        def sample():
            while not ended.wait(0.01):
                memory.append(self.memory(worker))

        sampler = threading.Thread(target=sample)
        sampler.start()
        deliveries = Deliveries(self.server.address("lmtp")) if deliver else None
        cpu, began = self.cpu(worker), time.monotonic()
        result = run()
        seconds, cpu = time.monotonic() - began, self.cpu(worker) - cpu
        ended.set()
        sampler.join()
        slowest = ""
        if deliveries:
            deliveries.end()
            slowest = f"{deliveries.slowest * 1000:.0f}"
        print(f"{name:44}{seconds:9.2f}{cpu:9.2f}{max(memory):7.0f}{slowest:>13}"
              f"{result if isinstance(result, int) else '':>10}", flush=True)

    def tool(self, *arguments):
        """How long, and what it said last."""
        began = time.monotonic()
        done = subprocess.run([self.server.program, "-c", self.server.config, *arguments], text=True,
                              capture_output=True, check=False)
        last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
        print(f"{'posthorn ' + ' '.join(arguments):44}{time.monotonic() - began:9.2f}  "
              f"status {done.returncode} {''.join(last)}", flush=True)

    def restart(self):
        began = time.monotonic()
        self.server.stop()
        stopped = time.monotonic()
        self.server.start()
        print(f"{'stop':44}{stopped - began:9.2f}\n{'start':44}{time.monotonic() - stopped:9.2f}", flush=True)


    def rebuild(self):
        """As when the machine stopped: the index is made anew from checkpoint and journal."""
        self.server.stop()
        shutil.rmtree(self.server.folder / "data" / "store" / "index")
        began = time.monotonic()
        self.server.start()
        print(f"{'start without an index':44}{time.monotonic() - began:9.2f}", flush=True)


def mailbox(count):
    some = count // 10
    with Server() as server:
        bench = Bench(server)
        client = Client(server.address("imap"), "alice@demo.test")
        client.command("APPEND INBOX", TEXT)
        client.command("SELECT INBOX")

        def fill():
            there = 1
            while there < count:
                more = min(there, count - there)
                client.command(f"COPY 1:{more} INBOX")
                there += more

        bench.step(f"COPY, until there are {count}", fill, deliver=True)
        bench.step("SELECT", lambda: client.command("SELECT INBOX"))
        bench.restart()
        client = Client(server.address("imap"), "alice@demo.test")
        bench.step("SELECT, the first", lambda: client.command("SELECT INBOX"))
        bench.step("SELECT, the second", lambda: client.command("SELECT INBOX"))
        bench.step("STATUS", lambda: client.command("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"))
        bench.step("FETCH 1:* (FLAGS)", lambda: client.command("FETCH 1:* (FLAGS)"), deliver=True)
        bench.step("FETCH 1:* (UID FLAGS)", lambda: client.command("FETCH 1:* (UID FLAGS)"))
        bench.step(f"FETCH 1:{some} (ENVELOPE)", lambda: client.command(f"FETCH 1:{some} (ENVELOPE)"))
        bench.step("SEARCH UNSEEN", lambda: client.command("SEARCH UNSEEN"))
        bench.step("STORE 1:* +FLAGS.SILENT (\\Seen)", lambda: client.command("STORE 1:* +FLAGS.SILENT (\\Seen)"),
                   deliver=True)
        bench.step("SEARCH UNSEEN, of none", lambda: client.command("SEARCH UNSEEN"))
        bench.step("STORE of the last", lambda: client.command("STORE * +FLAGS (\\Deleted)"))
        bench.step("EXPUNGE of the last", lambda: client.command("EXPUNGE"))
        client.command("CREATE Copies")
        bench.step(f"COPY 1:{some} Copies", lambda: client.command(f"COPY 1:{some} Copies"), deliver=True)
        bench.step(f"MOVE 1:{some} Copies", lambda: client.command(f"MOVE 1:{some} Copies"), deliver=True)

        def delete_every_second():
            numbers = range(2, count - some, 2)
            for at in range(0, len(numbers), 1000):
                client.command("STORE " + ",".join(map(str, numbers[at:at + 1000])) + " +FLAGS.SILENT (\\Deleted)")

        bench.step("STORE of every second, 1000 at a time", delete_every_second)
        bench.step("EXPUNGE of every second", lambda: client.command("EXPUNGE"), deliver=True)
        bench.step("SELECT", lambda: client.command("SELECT INBOX"))
        bench.step("FETCH 1:* (FLAGS)", lambda: client.command("FETCH 1:* (FLAGS)"))
        client.close()
        bench.tool("store", "stat")
        bench.tool("store", "checkpoint")
        bench.tool("store", "check", "--quick")
        bench.rebuild()


def mailboxes(accounts, each):
    addresses = [f"u{number}@demo.test" for number in range(accounts)]
    with Server(config=f"store.mailboxes = {MANY + 100}", accounts=["alice@demo.test", "bob@demo.test"]) as server:
        bench = Bench(server)

        def add_accounts():
            for address in addresses:
                server.tool("account", "add", address, input=PASSWORD + "\n")

        bench.step(f"{accounts} accounts, one tool each", add_accounts)

        def create():
            def work(part):
                for user in part:
                    client = Client(server.address("imap"), user)
                    client.commands([f"CREATE folder{number}" for number in range(each)])
                    client.close()

            threads = [threading.Thread(target=work, args=(addresses[n::CREATORS],)) for n in range(CREATORS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        bench.step(f"CREATE {accounts * each} mailboxes", create)
        client = Client(server.address("imap"), "alice@demo.test")
        bench.step(f"CREATE {MANY} mailboxes of one account",
                   lambda: client.commands([f"CREATE many/folder{n}" for n in range(MANY)]))
        bench.restart()
        client = Client(server.address("imap"), "alice@demo.test")
        bench.step(f"LIST of {MANY}", lambda: client.command('LIST "" *'))
        bench.step("LIST with %", lambda: client.command('LIST "" %'))
        bench.step("STATUS of 1000", lambda: client.commands(
            [f"STATUS many/folder{n} (MESSAGES)" for n in range(1000)]))
        bench.step("SELECT of 1000", lambda: client.commands(
            [f"SELECT many/folder{n}" for n in range(1000)]))
        bench.step("DELETE of 1000", lambda: client.commands(
            [f"DELETE many/folder{n}" for n in range(1000)]))
        bench.step("RENAME of all others", lambda: client.command("RENAME many more"))
        client.close()
        bench.tool("store", "stat")
        bench.tool("store", "checkpoint")
        bench.tool("store", "check", "--quick")
        bench.tool("account", "list")
        bench.rebuild()


def main():
    numbers = [int(argument) for argument in sys.argv[2:]]
    if sys.argv[1:2] == ["mailbox"]:
        mailbox(*(numbers or [1000000]))
    elif sys.argv[1:2] == ["mailboxes"]:
        mailboxes(*(numbers + [1000, 100][len(numbers):]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
