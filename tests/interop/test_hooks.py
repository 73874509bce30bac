#!/usr/bin/env python3
"""Every hook point with handlers that accept, reject, rewrite, throw, loop for ever, eat memory and answer nonsense:
the client must get the protocol's proper answer, and the server must go on undisturbed.

One server runs for all of it. Each case has a listener of its own, whose name tells the one policy what to do."""

import contextlib
import imaplib
import poplib
import re
import smtplib
import socket

import posthorn_server
from posthorn_server import PASSWORD, Failure

HOOKS = {
    "conn.accept": "smtp", "auth.verify": "pop3", "smtp.mail": "smtp", "smtp.rcpt": "smtp", "smtp.message": "smtp",
    "imap.select": "imap", "imap.command": "imap", "pop3.login": "pop3", "deliver.begin": "smtp",
}
MISTAKES = ("throw", "loop", "eat", "nonsense", "wrong")

# What the client is answered; a failed policy has one answer, however it failed.
EXPECTED = {
    "conn.accept": {"accept": r"220 ", "reject": r"554 .*policy", "failed": r"421 ", "disconnect": r"554 .*policy"},
    "auth.verify": {"accept": r"\+OK", "reject": r"-ERR \[AUTH\] policy", "rewrite": r"\+OK",
                    "failed": r"-ERR \[SYS/TEMP\]", "disconnect": r"-ERR \[AUTH\] policy"},
    "smtp.mail": {"accept": r"250 ", "reject": r"550 .*policy", "rewrite": r"250 ", "failed": r"451 4.3.0",
                  "disconnect": r"(421|55\d) .*policy"},
    "smtp.rcpt": {"accept": r"250 ", "reject": r"550 .*policy", "rewrite": r"250 ", "failed": r"451 4.3.0",
                  "disconnect": r"(421|55\d) .*policy"},
    "smtp.message": {"accept": r"250 ", "reject": r"55\d .*policy", "rewrite": r"250 ", "failed": r"451 4.3.0",
                     "disconnect": r"(421|55\d) .*policy"},
    "imap.select": {"accept": r"OK", "reject": r"NO \[NOPERM\] policy", "rewrite": r"OK",
                    "failed": r"NO \[SERVERBUG\]"},
    "imap.command": {"accept": r"OK", "reject": r"NO \[NOPERM\] policy", "failed": r"NO \[SERVERBUG\]",
                     "disconnect": r"BYE .*policy"},
    "pop3.login": {"accept": r"\+OK", "reject": r"-ERR \[AUTH\] policy", "rewrite": r"\+OK",
                   "failed": r"-ERR \[SYS/TEMP\]", "disconnect": r"-ERR \[SYS/PERM\] policy"},
    "deliver.begin": {"accept": r"250 ", "reject": r"55\d .*policy", "rewrite": r"250 ", "failed": r"451 4.3.0"},
}

# A mistake of each kind; "wrong" is a verdict that the hook point does not allow.
POLICY = """
local posthorn = require "posthorn"

local function verdict_of(make)
  return function() return make("policy says no") end
end

local actions = {
  accept = function() return posthorn.accept() end,
  reject = verdict_of(posthorn.reject),
  disconnect = verdict_of(posthorn.disconnect),
  throw = function() error("thrown on purpose") end,
  loop = function() while true do end end,
  eat = function() local all = {} while true do all[#all + 1] = ("x"):rep(100000) .. #all end end,
  nonsense = function() return 42 end,
}

local rewrites = {
  ["auth.verify"] = function() return posthorn.rewrite("alice@demo.test") end,
  ["smtp.mail"] = function() return posthorn.rewrite("rewritten@demo.test") end,
  ["smtp.rcpt"] = function() return posthorn.rewrite("bob@demo.test") end,
  ["smtp.message"] = function() return posthorn.route { mailbox = "Routed", add_header = "X-Routed: yes" } end,
  ["imap.select"] = function() return posthorn.rewrite("Trash") end,
  ["pop3.login"] = function() return posthorn.rewrite("Trash") end,
  ["deliver.begin"] = function() return posthorn.route { mailbox = "Delivered" } end,
}

-- A verdict that the point does not allow.
local wrong = {
  ["smtp.mail"] = posthorn.read_only, ["smtp.rcpt"] = posthorn.read_only, ["smtp.message"] = posthorn.read_only,
  ["deliver.begin"] = posthorn.read_only, ["conn.accept"] = posthorn.discard, ["auth.verify"] = posthorn.discard,
  ["imap.select"] = posthorn.discard, ["imap.command"] = posthorn.discard, ["pop3.login"] = posthorn.discard,
}

for _, name in ipairs { HOOKS } do
  posthorn.on(name, function(session)
    local hook, action = session.listener:match "^(.+) (%w+)$"
    if hook ~= name then return end
    if action == "rewrite" then return rewrites[name]() end
    if action == "wrong" then return wrong[name]() end
    return actions[action]()
  end)
end
""".replace("HOOKS", ", ".join(f'"{name}"' for name in HOOKS))

MESSAGE = "Subject: %s\r\n\r\nHello.\r\n"


def actions_of(hook):
    for action, expected in EXPECTED[hook].items():
        if action != "failed":
            yield action, expected
    for mistake in MISTAKES:
        yield mistake, EXPECTED[hook]["failed"]


def listeners():
    """One for each case."""
    return {f"{hook} {action}": f'protocol = "{HOOKS[hook]}"' for hook in HOOKS for action, _ in actions_of(hook)}


def reply_line(code, text):
    return f"{code} {text.decode() if isinstance(text, bytes) else text}"


@contextlib.contextmanager
def smtp_session(address):
    """An SMTP session that need not survive what is done in it."""
    client = smtplib.SMTP(timeout=posthorn_server.PATIENCE)
    try:
        yield client, reply_line(*client.connect(*address))
    finally:
        client.close()


def try_conn_accept(address, subject):
    with smtp_session(address) as (_, greeting):
        return greeting


def try_smtp(address, subject, last):
    """Sends a message up to the step `last`, and returns the answer to that step."""
    with smtp_session(address) as (client, _):
        client.ehlo("client.test")
        steps = {"mail": lambda: client.mail("sender@example.org"), "rcpt": lambda: client.rcpt("alice@demo.test"),
                 "data": lambda: client.data(MESSAGE % subject)}
        answer = None
        for name, step in steps.items():
            answer = step()
            if name == last and answer[0] >= 400:
                break
        return reply_line(*answer)


def try_pop3(address, user):
    client = poplib.POP3(*address, timeout=posthorn_server.PATIENCE)
    try:
        client.user(user)
        line = client.pass_(PASSWORD).decode()
        client.quit()
        return line
    except poplib.error_proto as error:
        return error.args[0].decode()
    finally:
        client.close()


def try_imap_select(address):
    """Returns the status and text of the answer to a SELECT."""
    client = imaplib.IMAP4(*address, timeout=posthorn_server.PATIENCE)
    try:
        client.login("alice@demo.test", PASSWORD)
        client.send(b"x1 SELECT INBOX\r\n")
        return next_status(client.readline)
    finally:
        client.shutdown()


def try_imap_command(address):
    """imaplib's own first command would be asked about, too: so by hand."""
    with socket.create_connection(address, posthorn_server.PATIENCE) as client:
        lines = client.makefile("rb")
        lines.readline()
        client.sendall(b"x1 NOOP\r\n")
        return next_status(lines.readline)


def next_status(readline):
    """The tagged answer's rest, or a BYE."""
    for line in iter(readline, b""):
        if line.startswith(b"x1 ") or line.startswith(b"* BYE"):
            return line.decode().split(" ", 1)[1].strip()
    return "closed"


TRIES = {
    "conn.accept": try_conn_accept,
    "smtp.mail": lambda address, subject: try_smtp(address, subject, "mail"),
    "smtp.rcpt": lambda address, subject: try_smtp(address, subject, "rcpt"),
    "smtp.message": lambda address, subject: try_smtp(address, subject, "data"),
    "deliver.begin": lambda address, subject: try_smtp(address, subject, "data"),
    "auth.verify": lambda address, subject: try_pop3(
        address, "whoever@demo.test" if subject.endswith("rewrite") else "alice@demo.test"),
    "pop3.login": lambda address, subject: try_pop3(address, "alice@demo.test"),
    "imap.select": lambda address, subject: try_imap_select(address),
    "imap.command": lambda address, subject: try_imap_command(address),
}


def mailbox_subjects(server, user, mailbox):
    """Subject -> whole text of all messages there."""
    with imaplib.IMAP4(*server.address("imap")) as client:
        client.login(user, PASSWORD)
        if client.select(mailbox, readonly=True)[0] != "OK":
            return {}
        _, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        texts = [item[1].decode() for item in data if isinstance(item, tuple)]
        return {re.search(r"^Subject: (.*)\r$", text, re.M)[1]: text for text in texts}


def check_answers(server):
    for hook in HOOKS:
        for action, expected in actions_of(hook):
            case = f"{hook} {action}"
            start = len(server.lines)
            answer = TRIES[hook](server.address(case), case)
            if not re.match(expected, answer):
                raise Failure(f"{case}: expected {expected!r}, the answer was: {answer}\n{server.log()}")
            if action in MISTAKES:
                server.wait_log(rf'msg="policy failed" .*hook={re.escape(hook)}', start)


def check_deliveries(server):
    """What was said to be delivered is where the policy wanted it; what was refused is nowhere."""
    places = {place: mailbox_subjects(server, f"{place[0]}@demo.test", place[1])
              for place in (("alice", "INBOX"), ("bob", "INBOX"), ("alice", "Routed"), ("alice", "Delivered"))}
    expected = {
        ("alice", "INBOX"): {"smtp.mail accept", "smtp.mail rewrite", "smtp.rcpt accept", "smtp.message accept",
                             "deliver.begin accept"},
        ("bob", "INBOX"): {"smtp.rcpt rewrite"},
        ("alice", "Routed"): {"smtp.message rewrite"},
        ("alice", "Delivered"): {"deliver.begin rewrite"},
    }
    for place, subjects in expected.items():
        if set(places[place]) != subjects:
            raise Failure(f"{place} holds {set(places[place])}, not {subjects}")
    if "<rewritten@demo.test>" not in places["alice", "INBOX"]["smtp.mail rewrite"]:
        raise Failure("the sender was not rewritten")
    if "X-Routed: yes" not in places["alice", "Routed"]["smtp.message rewrite"]:
        raise Failure("the header was not added")


def test_hooks():
    limits = 'policy.burst = "200ms"; policy.call_memory = "4M"'
    with posthorn_server.Server(policy=POLICY, config=limits, listeners=listeners()) as server:
        worker = server.worker_pids()
        check_answers(server)
        check_deliveries(server)
        if server.worker_pids() != worker:
            raise Failure(f"a worker died\n{server.log()}")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_hooks])
