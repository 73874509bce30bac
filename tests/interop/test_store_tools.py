#!/usr/bin/env python3
"""The commands `posthorn store ...`, beside a running server and without one."""

import os
import pathlib
import pty
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import posthorn_server  # noqa: E402
from posthorn_server import PATIENCE, Failure, Server  # noqa: E402

USER = "alice@demo.test"


def deliver(server, count):
    with smtplib.SMTP(*server.address("smtp"), local_hostname="client.test", timeout=PATIENCE) as client:
        for number in range(count):
            client.sendmail("sender@example.org", [USER], f"Subject: {number}\r\n\r\n" + "text\r\n" * 1000)


def figure(text, name):
    found = re.search(rf"^{re.escape(name)} +([0-9.]+)", text, re.M)
    if not found:
        raise Failure(f"no line '{name}' in:\n{text}")
    return float(found[1])


def test_store_tools():
    with Server(accounts=[USER]) as server:
        deliver(server, 20)
        text = server.tool("store", "stat")
        if figure(text, "journal: segments") < 1 or figure(text, "journal: messages") <= 0:
            raise Failure(text)
        if figure(text, "checkpoints: files") != 0:
            raise Failure(text)
        server.tool("store", "checkpoint")
        if figure(server.tool("store", "stat"), "checkpoints: files") != 1:
            raise Failure("the checkpoint is not there")
        server.tool("store", "compact")
        deliver(server, 5)
        server.stop()
        if figure(server.tool("store", "stat"), "checkpoints: files") < 1:
            raise Failure("the checkpoint is gone")
        server.tool("store", "compact")


def on_terminal(server, *arguments):
    """Runs the command with a terminal as its stderr; its stdout, and what the terminal got."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([server.program, "-c", server.config, *arguments], cwd=server.folder, stdout=subprocess.PIPE,
                          stderr=theirs, env=dict(os.environ, TERM="xterm")) as process:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 65536):
                shown += some
        except OSError:  # how Linux tells that nobody has the terminal open any more
            pass
        out, _ = process.communicate(timeout=PATIENCE)
    os.close(ours)
    if process.returncode != 0:
        raise Failure(f"{arguments}: status {process.returncode}\n{out}\n{shown}")
    return out.decode(), shown.decode()


def test_progress():
    with Server(accounts=[USER]) as server:
        deliver(server, 3)
        server.folder.chmod(0o777)  # the commands are the server's user
        box = server.folder / "mbox"
        box.write_text("From a@example.org Thu Jan  1 00:00:00 2026\nSubject: x\n\ntext\n")
        box.chmod(0o644)
        for command, pattern in (
                (("store", "check"), rf"\] +\d+ %  \d of 3 messages: {USER}"),
                (("import", "mbox", str(box), USER), r"bytes of \d+ bytes: INBOX"),
                (("export", "mbox", USER, str(server.folder / "out")), r"\d of 4 messages: INBOX"),
                (("export", "maildir", USER, str(server.folder / "maildir")), r"\d of 4 messages: INBOX"),
                (("import", "maildir", str(server.folder / "maildir"), USER), r"\d of 4 messages: INBOX"),
                (("store", "backup", str(server.folder / "backup")), r"\] .* of .*: backup")):
            out, shown = on_terminal(server, *command)
            if not re.search(pattern, shown) or not shown.endswith("\r\033[K") or "\033" in out:
                raise Failure(f"{command}: {out!r} {shown!r}")
            if server.run_tool(*command).stderr:
                raise Failure(f"{command} writes to what is no terminal")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_store_tools, test_progress])
