"""A private Dovecot for tests, with the same accounts as posthorn_server's, in a temporary folder.

    with Dovecot() as dovecot:
        imaplib.IMAP4(*dovecot.address("imap"))

It also speaks STARTTLS, with the certificate of the tests, and knows a master user ("master", "master-secret").

It runs as whoever runs the test; root's serves mail as nobody. POP3 shows the same mailboxes as IMAP."""

import grp
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

from posthorn_server import CERTIFICATE, PASSWORD, PATIENCE, SKIPPED, Failure, free_port

PROGRAM = pathlib.Path("/usr/sbin/dovecot")
SERVICES = [pathlib.Path("/usr/lib/dovecot") / name for name in ("imap", "pop3")]


def require_dovecot():
    """Ends the test as skipped when it is not installed."""
    if not all(path.exists() for path in (PROGRAM, *SERVICES)):
        print("skipped: not installed: dovecot-imapd dovecot-pop3d")
        raise SystemExit(SKIPPED)


class Dovecot:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-test-"))
        self.ports = {"imap": free_port(), "pop3": free_port()}
        self.process = None

    def __enter__(self):
        home = self.folder / "home"
        home.mkdir()
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        (self.folder / "master").write_text("master:master-secret\n")
        shutil.copy(CERTIFICATE, self.folder / "certificate")
        config = self.folder / "dovecot.conf"
        config.write_text(self.config())
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen([PROGRAM, "-F", "-c", config], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, start_new_session=True)
        try:
            for port in self.ports.values():
                self.wait_for(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for(self, port):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        log = self.folder / "log"
        raise Failure("Dovecot did not start\n" + (self.folder / "out").read_text()
                      + (log.read_text() if log.exists() else ""))

    def config(self):
        me = pwd.getpwuid(os.geteuid())
        mail_user = "nobody" if me.pw_uid == 0 else me.pw_name
        users = "" if me.pw_uid == 0 else f"default_login_user = {me.pw_name}\n" \
                                          f"default_internal_user = {me.pw_name}\n" \
                                          f"default_internal_group = {grp.getgrgid(me.pw_gid).gr_name}\n"
        chroot = "" if me.pw_uid == 0 else "chroot =\n"
        return f"""{users}base_dir = {self.folder}/run
state_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.folder}/certificate
ssl_key = <{self.folder}/certificate
disable_plaintext_auth = no
auth_username_format = %Ln
mail_location = sdbox:~/mail
mail_home = {self.folder}/home/%n
mail_uid = {mail_user}
mail_gid = {pwd.getpwnam(mail_user).pw_gid}
first_valid_uid = 1
first_valid_gid = 1
mailbox_list_index = yes
imap_client_workarounds =
default_vsz_limit = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {self.folder}/master
  master = yes
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
service anvil {{
  {chroot}}}
service stats {{
  {chroot}}}
service imap-login {{
  {chroot}  inet_listener imap {{
    port = {self.ports["imap"]}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  {chroot}  inet_listener pop3 {{
    port = {self.ports["pop3"]}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""

    def address(self, protocol):
        return ("127.0.0.1", self.ports[protocol])
