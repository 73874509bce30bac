"""What the tests of faults share: messages that tell whether they are whole, and clients that send and look for
them."""

import contextlib
import imaplib
import re
import smtplib
import time

from posthorn_server import ACCOUNTS, PASSWORD, PATIENCE, Failure

ALICE, BOB = ACCOUNTS
SIZE = 100_000
LARGE = 2_000_000  # of those whose name begins with "large": they get a file of their own
SMALL_STORE = 'kv_lmdb.segment_size = "4M"\nkv_lmdb.checkpoint_after = "8M"\n'


def text_of(name):
    size = LARGE if name.startswith("large") else SIZE
    return f"Subject: {name}\r\n\r\n" + (f"{name} " * 8 + "\r\n") * (size // (len(name) * 8 + 10))


def smtp(server):
    return smtplib.SMTP(*server.address("smtp"), local_hostname="client.test", timeout=PATIENCE)


@contextlib.contextmanager
def imap(server, user=ALICE, mailbox="INBOX"):
    with imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE) as client:
        client.login(user, PASSWORD)
        expect("an answer to SELECT", client.select(mailbox)[0], "OK")
        yield client


def hand_over(client, name, user=ALICE):
    """The answer's code and text."""
    try:
        client.sendmail("sender@example.org", [user], text_of(name))
        return 250, ""
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error.decode()


def send(server, name, user=ALICE):
    with smtp(server) as client:
        return hand_over(client, name, user)


def wait_until_sent(server, sent):
    deadline = time.monotonic() + PATIENCE
    while (answer := send(server, f"message-{len(sent)}"))[0] != 250:
        if time.monotonic() > deadline:
            raise Failure(f"mail is not taken again: {answer}\n{server.log()}")
        time.sleep(0.1)
    sent.append(f"message-{len(sent)}")


def ask_lmtp(server, name, users):
    """"taken" by all, or the answers, code and enhanced code, one for each."""
    with smtplib.LMTP(*server.address("lmtp"), local_hostname="client.test", timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("sender@example.org")
        for user in users:
            client.rcpt(user)
        client.putcmd("data")
        client.getreply()
        client.send(text_of(name).encode() + b".\r\n")
        answers = [client.getreply() for _ in users]
    return "taken" if all(code == 250 for code, _ in answers) else [(code, text[:5]) for code, text in answers]


def imap_answer(answer):
    """"taken", or the status and the code in brackets."""
    kind, data = answer
    return "taken" if kind == "OK" else (kind, data[0].split()[0])


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
