#!/usr/bin/env python3
"""Real clients send and fetch mail. Each sender sends one message to Bob, then each reader must find all of them,
whole. A client that is not installed is left out, and said so."""

import imaplib
import os
import poplib
import pty
import re
import select
import shutil
import smtplib
import ssl
import subprocess
import threading

import posthorn_server
from posthorn_server import CERTIFICATE, PASSWORD, PATIENCE, Failure, client_tls

ALICE, BOB = "alice@demo.test", "bob@demo.test"


def text_of(name):
    """A message with something for each layer to get wrong: dots, long lines, an empty last paragraph."""
    return (f"From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: sent by {name}\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{name}@client.test>\r\n\r\nHello Bob, this is {name}.\r\n.\r\n..two dots\r\n"
            f"{'long ' * 150}\r\n\r\nlast line of {name}\r\n")


def run(*command, input=None, env=None, cwd=None):
    done = subprocess.run(command, input=input, capture_output=True, timeout=PATIENCE, check=False, cwd=cwd,
                          env=dict(os.environ, **(env or {})))
    if done.returncode != 0:
        raise Failure(f"{command[0]}: status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode("utf-8", "replace")


def message_file(server, name):
    file = server.folder / f"{name}.eml"
    file.write_bytes(text_of(name).encode())
    return str(file)


# --- Senders: name -> function(server, name of the message) ---

def send_smtplib_smtp(server, name):
    with smtplib.SMTP(*server.address("smtp"), timeout=PATIENCE) as client:
        client.starttls(context=client_tls())
        client.sendmail(ALICE, [BOB], text_of(name))


def send_smtplib_submission(server, name):
    with smtplib.SMTP(*server.address("submission"), timeout=PATIENCE) as client:
        client.starttls(context=client_tls())
        client.login(ALICE, PASSWORD)
        client.sendmail(ALICE, [BOB], text_of(name))


def send_smtplib_submissions(server, name):
    with smtplib.SMTP_SSL(*server.address("submissions"), timeout=PATIENCE, context=client_tls()) as client:
        client.login(ALICE, PASSWORD)
        client.sendmail(ALICE, [BOB], text_of(name))


def send_smtplib_lmtp(server, name):
    with smtplib.LMTP(*server.address("lmtp"), timeout=PATIENCE) as client:
        client.sendmail(ALICE, [BOB], text_of(name))


def send_swaks(server, name):
    address, port = server.address("smtp")
    run("swaks", "--server", f"{address}:{port}", "--from", ALICE, "--to", BOB, "--helo", "client.test",
        "--data", "@" + message_file(server, name))


def send_swaks_auth(server, name):
    address, port = server.address("submission")
    run("swaks", "--server", f"{address}:{port}", "--from", ALICE, "--to", BOB, "--helo", "client.test",
        "--auth", "LOGIN", "--auth-user", ALICE, "--auth-password", PASSWORD,
        "--data", "@" + message_file(server, name))


def curl(*arguments):
    return run("curl", "-sS", "--cacert", str(CERTIFICATE), *arguments)


def send_curl_smtp(server, name):
    curl("smtp://%s:%d/client.test" % server.address("smtp"), "--mail-from", ALICE, "--mail-rcpt", BOB,
         "--upload-file", message_file(server, name))


def send_curl_submissions(server, name):
    curl("smtps://%s:%d/client.test" % server.address("submissions"), "--mail-from", ALICE, "--mail-rcpt", BOB,
         "--user", f"{ALICE}:{PASSWORD}", "--upload-file", message_file(server, name))


def send_msmtp(server, name):
    address, port = server.address("submission")
    run("msmtp", f"--host={address}", f"--port={port}", "--tls=on", "--tls-starttls=on", "--auth=plain",
        f"--tls-trust-file={CERTIFICATE}", f"--user={ALICE}", f"--passwordeval=echo {PASSWORD}", f"--from={ALICE}",
        "--domain=client.test", BOB, input=text_of(name).replace("\r\n", "\n").encode())


SENDERS = {
    "smtplib-smtp": (None, send_smtplib_smtp),
    "smtplib-submission": (None, send_smtplib_submission),
    "smtplib-submissions": (None, send_smtplib_submissions),
    "smtplib-lmtp": (None, send_smtplib_lmtp),
    "swaks": ("swaks", send_swaks),
    "swaks-auth": ("swaks", send_swaks_auth),
    "curl-smtp": ("curl", send_curl_smtp),
    "curl-submissions": ("curl", send_curl_submissions),
    "msmtp": ("msmtp", send_msmtp),
}


# --- Readers: name -> function(server), which returns the texts of all messages in Bob's inbox ---

def read_imap(client):
    client.login(BOB, PASSWORD)
    client.select("INBOX", readonly=True)
    _, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    texts = [item[1].decode() for item in data if isinstance(item, tuple)]
    client.logout()
    return texts


def read_imaplib(server):
    return read_imap(imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE))


def read_imaplib_tls(server):
    return read_imap(imaplib.IMAP4_SSL(*server.address("imaps"), ssl_context=client_tls(), timeout=PATIENCE))


def read_pop3(client):
    client.user(BOB)
    client.pass_(PASSWORD)
    count, _ = client.stat()
    texts = ["\r\n".join(line.decode() for line in client.retr(number)[1]) + "\r\n" for number in range(1, count + 1)]
    client.quit()
    return texts


def read_poplib(server):
    client = poplib.POP3(*server.address("pop3"), timeout=PATIENCE)
    client.stls(context=client_tls())
    return read_pop3(client)


def read_poplib_tls(server):
    return read_pop3(poplib.POP3_SSL(*server.address("pop3s"), context=client_tls(), timeout=PATIENCE))


def read_curl_imap(server):
    url = "imaps://%s:%d/INBOX" % server.address("imaps")
    listed = curl("--user", f"{BOB}:{PASSWORD}", url, "--request", "UID SEARCH ALL")
    uids = re.findall(r"\d+", listed.split("SEARCH", 1)[1])
    return [curl("--user", f"{BOB}:{PASSWORD}", f"{url};UID={uid}") for uid in uids]


def read_curl_pop3(server):
    url = "pop3s://%s:%d/" % server.address("pop3s")
    listed = curl("--user", f"{BOB}:{PASSWORD}", url)
    return [curl("--user", f"{BOB}:{PASSWORD}", url + line.split()[0]) for line in listed.split("\n") if line.strip()]


def read_mbsync(server):
    _, port = server.address("imaps")
    folder = server.folder / "mbsync"
    folder.mkdir()
    (folder / "mail").mkdir()
    config = folder / "mbsyncrc"
    config.write_text(f"""IMAPAccount server
Host localhost
Port {port}
User {BOB}
Pass {PASSWORD}
SSLType IMAPS
SystemCertificates no
CertificateFile {CERTIFICATE}

IMAPStore remote
Account server

MaildirStore local
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :remote:
Near :local:
Patterns INBOX
Create Near
SyncState {folder}/
""")
    run("mbsync", "-c", str(config), "all")
    return [file.read_text("utf-8") for part in ("new", "cur")
            for file in sorted((folder / "mail" / "INBOX" / part).iterdir())]


def read_fetchmail(server):
    address, port = server.address("pop3")
    folder = server.folder / "fetchmail"
    folder.mkdir()
    config = folder / "rc"
    config.write_text(f"""poll {address} protocol pop3 port {port} auth password
  user "{BOB}" password "{PASSWORD}" keep fetchall
  sslproto "auto" sslcertfile "{CERTIFICATE}" sslcertck sslcommonname localhost
  mda "cat >{folder}/$(date +%s%N)-$$.eml"
""")
    config.chmod(0o600)
    run("fetchmail", "-f", str(config), "--pidfile", str(folder / "pid"), env={"FETCHMAILHOME": str(folder),
                                                                            "HOME": str(folder)})
    return [file.read_text("utf-8") for file in sorted(folder.glob("*.eml"))]


def read_mutt(server):
    """mutt wants a terminal: it gets one, copies all messages to an mbox file and ends."""
    _, port = server.address("imaps")
    folder = server.folder / "mutt"
    folder.mkdir()
    saved = folder / "saved"
    config = folder / "muttrc"
    config.write_text(f"""set folder="{folder}"
set imap_user="{BOB}" imap_pass="{PASSWORD}"
set ssl_ca_certificates_file="{CERTIFICATE}" ssl_force_tls=yes
set spoolfile="imaps://localhost:{port}/INBOX"
set mbox_type=mbox confirmcreate=no confirmappend=no quit=yes move=no delete=no mark_old=no
push "<tag-pattern>~A<enter><tag-prefix><copy-message>{saved}<enter><quit>"
""")
    run_on_terminal(["mutt", "-R", "-n", "-F", str(config)], {"HOME": str(folder), "TERM": "vt100"})
    return re.split(r"^From \S+ .*\n", saved.read_text("utf-8"), flags=re.M)[1:]


def run_on_terminal(command, env):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               env=dict(os.environ, **env))
    os.close(theirs)
    stuck = threading.Timer(PATIENCE, process.kill)
    stuck.start()
    screen = b""
    try:
        while select.select([ours], [], [], PATIENCE)[0]:
            screen += os.read(ours, 65536)
    except OSError:  # the terminal's other side is closed
        pass
    status = process.wait()
    stuck.cancel()
    os.close(ours)
    if status != 0:
        raise Failure(f"{command[0]}: status {status}\n{screen.decode('utf-8', 'replace')}")


READERS = {
    "imaplib": (None, read_imaplib),
    "imaplib-tls": (None, read_imaplib_tls),
    "poplib-stls": (None, read_poplib),
    "poplib-tls": (None, read_poplib_tls),
    "curl-imap": ("curl", read_curl_imap),
    "curl-pop3": ("curl", read_curl_pop3),
    "mbsync": ("mbsync", read_mbsync),
    "fetchmail": ("fetchmail", read_fetchmail),
    "mutt": ("mutt", read_mutt),
}


def installed(clients):
    found = {name: function for name, (program, function) in clients.items() if not program or shutil.which(program)}
    for name in clients.keys() - found.keys():
        print(f"# left out: {clients[name][0]} is not installed")
    return found


def same_body(text, name):
    """Is that the message's body, whole? Clients have their own ways with headers and line ends."""
    wanted = text_of(name).split("\r\n\r\n", 1)[1].replace("\r\n", "\n")
    body = text.replace("\r\n", "\n").split("\n\n", 1)[1]
    return body.rstrip("\n") == wanted.rstrip("\n")


def check_texts(reader, texts, sent):
    for name in sent:
        matching = [text for text in texts if re.search(rf"^Subject: sent by {name}\r?$", text, re.M)]
        if len(matching) != 1:
            raise Failure(f"{reader} found the message of {name} {len(matching)} times among {len(texts)}")
        if not same_body(matching[0], name):
            raise Failure(f"{reader} got the message of {name} as\n{matching[0]}")


def test_clients():
    with posthorn_server.Server() as server:
        senders, failures = installed(SENDERS), []
        sent = []
        for name, send in senders.items():
            try:
                send(server, name)
                sent.append(name)
                print(f"# sent by {name}", flush=True)
            except (Failure, OSError, smtplib.SMTPException, ssl.SSLError) as error:
                failures.append(f"{name} could not send: {error}")
        for name, read in installed(READERS).items():
            try:
                check_texts(name, read(server), sent)
                print(f"# read by {name}", flush=True)
            except (Failure, OSError, imaplib.IMAP4.error, poplib.error_proto, LookupError) as error:
                failures.append(f"{name}: {error}")
        if failures:
            raise Failure("\n".join(failures) + "\n" + server.log())


# --- A policy that is edited while the server runs ---

FIRST_POLICY = """
local posthorn = require "posthorn"
posthorn.on("smtp.rcpt", function(session, rcpt)
  if rcpt.user == "sales" then return posthorn.route { to = "bob@demo.test", mailbox = "First" } end
end)
"""


def count_messages(server, mailbox):
    with imaplib.IMAP4(*server.address("imap")) as client:
        client.login(BOB, PASSWORD)
        status, data = client.status(mailbox, "(MESSAGES)")
        return int(re.search(rb"MESSAGES (\d+)", data[0])[1]) if status == "OK" else 0


def send_to_sales(server):
    with smtplib.SMTP(*server.address("smtp"), timeout=PATIENCE) as client:
        client.sendmail(ALICE, ["sales@demo.test"], text_of("policy"))


def test_policy_edit():
    """An edit redirects the next message; a broken one is reported and the old policy stays."""
    with posthorn_server.Server(policy=FIRST_POLICY) as server:
        send_to_sales(server)
        start = len(server.lines)
        server.write_policy(FIRST_POLICY.replace("First", "Second"))
        server.wait_log("msg=reloaded", start)
        send_to_sales(server)
        start = len(server.lines)
        server.write_policy("this is not Lua")
        server.wait_log('msg="reload failed', start)
        send_to_sales(server)
        found = {mailbox: count_messages(server, mailbox) for mailbox in ("INBOX", "First", "Second")}
        if found != {"INBOX": 0, "First": 1, "Second": 2}:
            raise Failure(f"the messages went to {found}\n{server.log()}")


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_clients, test_policy_edit])
