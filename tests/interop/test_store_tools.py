#!/usr/bin/env python3
"""The commands `posthorn store ...`, beside a running server and without one."""

import re
import smtplib
import sys
import pathlib

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


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_store_tools])
