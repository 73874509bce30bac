#!/usr/bin/env python3
"""Posthorn beside Dovecot: both are given the same messages and the same commands (those of the folder `commands`, and
FETCH of all there is), and their answers are compared field by field, over IMAP and POP3. Where they differ, the RFC
was asked: either Posthorn was mended, or the difference stands in KNOWN with its reason."""

import base64
import re
import socket

import posthorn_server
from dovecot_server import Dovecot, require_dovecot
from imap_answers import Imap
from posthorn_server import HERE, PASSWORD, PATIENCE, Failure, Server

USER = "alice@demo.test"
COMMANDS = HERE / "commands"

# (pattern of what was asked, in Posthorn's answer, in Dovecot's answer, why it stays different)
KNOWN = (
    (r"BODY.PEEK\[0\]", "BAD", "OK", "RFC 3501, 9: section-part begins with nz-number"),
    (r"BODY(.PEEK)?\[\]<\d+\.0>", "BAD", "OK", "RFC 3501, 9: a partial's length is nz-number"),
    (r"BODY.PEEK\[1\.1\]", "b''", "", "Dovecot takes a part that has no parts for its own part 1"),
    (r"(MIME|HEADER|FIELDS.*)\] of (boundary-in-header|digest|header-only|header-only-cut|no-colon).eml", "", "",
     "a header that is cut off: Posthorn ends its last line, Dovecot adds the empty line"),
    (r"(BODY|BODYSTRUCTURE|FULL|BODY.PEEK\[[12.]+(.TEXT)?\]) of forwarded.eml", "", "",
     "RFC 2046, 5.1.1: the line end before a delimiter belongs to it, also behind an inner closing delimiter"),
    (r"BODYSTRUCTURE of folded.eml", "''a%20long%20%66ile%20name.txt", "''a long %66ile name.txt",
     "RFC 2231, 7: escaped in one piece, escaped in all"),
    (r" of (encoded-message|no-boundary|no-parts).eml", "", "",
     "RFC 2046, 5.2.1 forbids the encoding; a multipart without parts: Posthorn lets the text be read"),
    (r"(ENVELOPE|ALL|FULL|BODY|BODYSTRUCTURE) of broken-type.eml", "", "", "both guess, Posthorn finds more addresses"),
    (r"(ENVELOPE|ALL|FULL) of (eight-bit|folded|no-colon|repeated).eml", "", "",
     "Dovecot replaces NUL and TAB, and takes the last of two Subjects and no continuation behind a broken line"),
    (r"(BODY|BODYSTRUCTURE|FULL) of (base64|quoted-printable)-junk.eml", "", "",
     "Posthorn reads a transfer encoding also where there is no MIME-Version"),
    (r"(ENVELOPE|ALL|FULL|BODY|BODYSTRUCTURE) of (empty-fields|missing-semicolon).eml", "", "",
     "RFC 2045, 5.2: without a type that can be read it is text; Dovecot gives empty words"),
    (r"(ENVELOPE|ALL|FULL) of (header-twice|nul|outlook-addresses|white-line-in-header).eml", "", "",
     "Posthorn takes the first of two Subjects, leaves NULs out, reads addresses parted by semicolons, keeps white space"),
    (r"(BODY|BODYSTRUCTURE|FULL) of parameters-mixed.eml", "%20two%20three%2520", "%20two three%2520",
     "RFC 2231, 7: escaped in one piece, escaped in all"),
    (r"(BODY|BODYSTRUCTURE|FULL) of boundary-in-pieces.eml", "", "us-ascii",
     "RFC 2231, 4: `charset*` says the charset too, so that it is not US-ASCII"),
    (r"BINARY(.PEEK|.SIZE)\[\](<.*>)? of ", "", "",
     "RFC 9051, 6.4.5.1: the whole message with its header, which has no encoding; Dovecot decodes its parts in place"),
    (r"BINARY.SIZE\[[12]\] of (ordinary|alternative)", "", "",
     "RFC 3516, 4.3: as long as what BINARY gives; Dovecot gives the length with the parts in it decoded"),
    (r"BINARY(.PEEK|.SIZE)\[1\](<.*>)? of broken-type.eml", "UNKNOWN-CTE", "UNKNOWN-CTE", "Dovecot tells the UID beside"),
    (r"BINARY(.PEEK|.SIZE)\[[12]\](<.*>)? of (base64-junk|quoted-printable-junk).eml", "OK", "PARSE",
     "RFC 2045, 6.7 and 6.8: what does not belong there is passed over"),
    (r"BINARY(.PEEK|.SIZE)\[2\](<.*>)? of forwarded.eml", "", "", "as BODY[2], see above"),
    (r"BINARY\[(TEXT|1.MIME)\]|BINARY.SIZE\[1\]<0.1>", "BAD", "OK", "RFC 3516, 7: section-binary has numbers only, a size no range"),
    (r"BINARY.PEEK\[1\]<0.0>", "BAD", "OK", "RFC 3516, 7: a partial's length is nz-number"),
    (r'SEARCH BODY "<p>"', "", "", "what HTML says is searched, not its markup"),
    (r"SEARCH KEYWORD nokeyword", "", "FLAGS", "Dovecot defines the keyword that it is asked for"),
    (r"SEARCH 999|SEARCH 1$", "BAD", "OK", "RFC 3501, 9: BAD to a sequence number beyond the mailbox"),
    (r"SEARCH SENT(BEFORE|ON|SINCE)", "", "",
     "without a Date, Posthorn takes INTERNALDATE as RFC 5256 does, Dovecot 1970"),
    (r'SEARCH BODY ("=_b"|Content-Type)', "", "", "the header of a forwarded message is part of the body it is in"),
    (r"SEARCH CHARSET (bogus|iso)", "BADCHARSET (US-ASCII UTF-8)", "", "Posthorn says which charsets it knows"),
    (r"SEARCH ON 32-Jan-2026", "BAD", "OK", "no such day"),
    (r"SEARCH KEYWORD .Seen", "BAD", "OK", "RFC 3501, 9: a keyword is an atom"),
    (r"(CREATE|DELETE) quoted", "BAD", "OK", "RFC 3501, 9: an atom has no backslash"),
    (r"SUBSCRIBE missing", "OK", "NO", "RFC 3501, 6.3.6: the server may validate the name, and need not"),
    (r"LSUB", "missing", "", "the subscription from above; what cannot be selected is said to be so"),
    (r"RENAME INBOX", "EXPUNGE", "OK", "Dovecot's session goes on in the mailbox that its messages moved to"),
    (r"(STORE|EXPUNGE).*read-only", "READ-ONLY", "OK", "Dovecot does nothing, and says OK"),
    (r"^STORE [^ ]+ [+-]?FLAGS \(", "FETCH", "OK",
     "RFC 3501, 6.4.6: the new value is told; Dovecot omits what did not change"),
    (r"STORE 1 .FLAGS .*Recent", "OK", "BAD", "clients send back the flags they got: \\Recent is passed over"),
    (r"^STORE 1 .FLAGS$", "BAD", "OK", "RFC 3501, 9: at least a pair of parentheses"),
    (r"SELECT work", "", "missingkw", "Dovecot defines the keyword that was removed"),
    (r"(FETCH|STORE|COPY) 1:\*", "OK", "BAD", "1:* in an empty mailbox is what clients send"),
    (r"POP3 (PASS|RSET)", "", "", "how many messages there are need not be said"),
)


# --- The comparison ---

def short(value):
    text = repr(value)
    return text if len(text) < 600 else text[:400] + " ... " + text[-200:]


class Comparison:
    """The two sessions. `ask` puts one command to both."""

    def __init__(self, posthorn, dovecot):
        self.addresses = (posthorn.address("imap"), dovecot.address("imap"))
        self.asked = 0
        self.differences = []
        self.used = set()
        self.sessions = ()
        self.connect()

    def connect(self):
        self.sessions = [Imap(address) for address in self.addresses]
        for session in self.sessions:
            if session.command(f"LOGIN {USER} {PASSWORD}")[0][0] != b"OK":
                raise Failure("cannot log in")

    def ask(self, text, *literals, note=""):
        """Returns what Dovecot said."""
        answers = [session.command(text, *literals) for session in self.sessions]
        self.compare(f"{text if isinstance(text, str) else text.decode('latin-1')}{note}", *answers)
        return answers[1]

    def compare(self, asked, ours, theirs):
        self.asked += 1
        if ours != theirs and not self.is_known(asked, ours, theirs):
            self.differences.append(f"{asked}\n#   Posthorn: {differing(ours, theirs)}\n"
                                    f"#   Dovecot:  {differing(theirs, ours)}")

    def is_known(self, asked, ours, theirs):
        for number, (pattern, our_words, their_words, _) in enumerate(KNOWN):
            if re.search(pattern, asked) and our_words in repr(ours) and their_words in repr(theirs):
                self.used.add(number)
                return True
        return False


def differing(one, other):
    """What of an answer the other one does not have."""
    if isinstance(one, list) and isinstance(other, list):
        rest = [item for item in one if item not in other]
        if len(rest) == 1 and len(one) == len(other):
            others = [item for item in other if item not in one]
            return differing(rest[0], others[0]) if len(others) == 1 else short(rest)
        return short(rest)
    if isinstance(one, dict) and isinstance(other, dict):
        return short({key: value for key, value in one.items() if other.get(key) != value})
    return short(one)


# --- Messages ---

def ordinary(number):
    """Mail as it comes every day, in several shapes."""
    day, minute = number % 28 + 1, number % 60
    weekday = "Mon, " if number % 2 else ""
    sender = "Sender" if number % 2 else "=?utf-8?q?S=C3=A9nder?="
    alice = "Alice" if number % 3 else '"Doe, Alice"'
    encoded = base64.b64encode(f"Größe {number}".encode()).decode()
    subject = f"ordinary mail number {number}" if number % 4 else f"=?utf-8?B?{encoded}?="
    thread = (f"In-Reply-To: <ordinary{number - 1}@example.net>\r\n"
              f"References: <a@b>\r\n <ordinary{number - 1}@example.net>\r\n") if number % 3 else ""
    header = (f"Return-Path: <sender{number}@example.net>\r\n"
              f"Received: from relay.example.net by mail.demo.test; {day} Jan 2026 10:{minute:02}:00 +0100\r\n"
              f"Date: {weekday}{day} Jan 2026 10:{minute:02}:00 {'+0100' if number % 3 else '-0800'}\r\n"
              f"From: {sender} {number} <sender{number}@example.net>\r\n"
              f"To: {alice} <{USER}>, friends: a@example.org, b@example.org;\r\n"
              "Cc: bob@demo.test (Bob)\r\n"
              f"Subject: {'Re: ' * (number % 3)}{subject}\r\n"
              f"Message-ID: <ordinary{number}@example.net>\r\n{thread}MIME-Version: 1.0\r\n")
    text = (f"Dear Alice,\r\n\r\nthis is number {number}; the word of the day is word{number % 7}.\r\n"
            "-- \r\nSender\r\n")
    shape = number % 6
    if shape == 0:
        return header + "\r\n" + text
    if shape == 1:
        return header + "Content-Type: text/plain; charset=utf-8; format=flowed\r\n" \
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + text + "caf=C3=A9 soft=\r\nbreak\r\n"
    if shape == 2:
        return header + 'Content-Type: multipart/alternative; boundary="=_b"\r\nContent-Language: en, de\r\n\r\n' \
            "preamble\r\n--=_b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" + text + \
            "\r\n--=_b\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n" \
            "Content-Location: http://example.net/x\r\n\r\n<p>html \xe9</p>\r\n--=_b--\r\nepilogue\r\n"
    if shape == 3:
        inner = ordinary(number * 6 + 2)
        return header + "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n\r\n" + text + \
            "\r\n--outer\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"a b.eml\"\r\n" \
            "Content-Description: the =?utf-8?q?forw=C3=A4rded?= one\r\n\r\n" + inner + \
            "\r\n--outer\r\nContent-Type: application/octet-stream; name*=utf-8''n%C3%A4me.bin\r\n" \
            "Content-Transfer-Encoding: base64\r\nContent-ID: <part3@example.net>\r\nContent-MD5: Q2hlY2s=\r\n" \
            "Content-Disposition: inline; filename*0=\"long\"; filename*1=\"er.bin\"\r\n\r\n" + \
            base64.encodebytes(b"word in base64 " + bytes(range(200))).decode().replace("\n", "\r\n") + "--outer--\r\n"
    if shape == 4:
        return header + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + \
            base64.encodebytes(f"<p>hidden text {number} Füße</p>".encode()).decode().replace("\n", "\r\n")
    return header + "Content-Type: application/pdf\r\nContent-Transfer-Encoding: BASE64\r\n" \
        "Content-Disposition: attachment;\r\n\tfilename=file.pdf; size=12\r\n\r\nSGVsbG8=\r\n"


def messages():
    """(name, bytes) of all that is compared, with CRLF as line ends as APPEND wants them."""
    folder = HERE.parent / "unit" / "data" / "mime"
    found = [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
    found += [(f"ordinary {number}", ordinary(number).encode("latin-1", "replace")) for number in range(24)]
    return [(name, re.sub(rb"\r?\n", b"\r\n", data)) for name, data in found if data]


# --- What is compared ---

def compare_appends(both):
    flags = ("", "(\\Seen) ", "(\\Flagged \\Answered) ", "($Forwarded \\Draft) ", "(\\Deleted) ")
    for number, (name, data) in enumerate(messages()):
        date = f'"{number % 28 + 1:2}-Jan-2026 {number % 24:02}:59:00 {"+0000" if number % 2 else "-0730"}" '
        both.ask(f"APPEND INBOX {flags[number % 5]}{date}%s", data, note=f" of {name}")
    both.ask("APPEND missing %s", b"a: b\r\n\r\nx")
    both.ask("SELECT INBOX")


def parts_of(structure, prefix=""):
    """All part numbers of a BODYSTRUCTURE, with those that are not there but might be."""
    numbers = []
    if isinstance(structure[0], list):
        for number, part in enumerate(item for item in structure if isinstance(item, list) and is_body(item)):
            numbers += [f"{prefix}{number + 1}"] + parts_of(part, f"{prefix}{number + 1}.")
    elif structure[0] == b"message" and structure[1] == b"rfc822":
        inner = structure[8]
        if not isinstance(inner[0], list):
            numbers.append(f"{prefix}1")
            prefix += "1."
        numbers += parts_of(inner, prefix)
    return numbers


def is_body(item):
    return len(item) > 1 and (isinstance(item[0], list) and is_body(item[0])
                              or isinstance(item[0], bytes) and isinstance(item[1], bytes) and len(item) >= 7)


def compare_fetches(both):
    for number, (name, data) in enumerate(messages(), 1):
        for items in ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "UID", "ENVELOPE", "BODY", "BODYSTRUCTURE", "ALL", "FAST", "FULL"):
            both.ask(f"FETCH {number} {items}", note=f" of {name}")
    sections = ("", "HEADER", "TEXT", "HEADER.FIELDS (Subject)", "HEADER.FIELDS (from TO x-none content-type)",
                "HEADER.FIELDS.NOT (Received Subject)", "HEADER.FIELDS.NOT (x-none)", "1", "1.MIME", "2", "2.MIME", "3", "1.1",
                "1.HEADER", "1.TEXT", "2.HEADER", "0")
    for number, (name, data) in enumerate(messages(), 1):
        structure = both.ask(f"FETCH {number} BODYSTRUCTURE", note=f" of {name}")[1][2][b"BODYSTRUCTURE"]
        numbers = parts_of(structure)
        found = [part + suffix for part in numbers
                 for suffix in ("", ".MIME", ".HEADER", ".TEXT", ".HEADER.FIELDS (Subject Date)")]
        for section in dict.fromkeys([*sections, *found]):
            both.ask(f"FETCH {number} BODY.PEEK[{section}]", note=f" of {name}")
        for partial in ("0.10", "5.7", f"{len(data) - 3}.10", f"{len(data)}.5", f"{len(data) + 9}.5", "0.4294967295", "3.0"):
            both.ask(f"FETCH {number} BODY.PEEK[]<{partial}>", note=f" of {name}")
        both.ask(f"FETCH {number} (BODY.PEEK[TEXT]<2.9> BODY.PEEK[HEADER]<4.40>)", note=f" of {name}")
        both.ask(f"FETCH {number} (RFC822.HEADER RFC822.TEXT RFC822)", note=f" of {name}")
    both.ask("FETCH 1 (FLAGS UID)")
    both.ask("FETCH 2 BODY[HEADER]", note=" sets seen")
    both.ask("FETCH 2 BODY[HEADER]", note=" again")
    both.ask("UID FETCH 1:3 (FLAGS)")
    both.ask("UID FETCH 999 (FLAGS)")
    both.ask("FETCH 999 (FLAGS)")
    both.ask("UID FETCH 30:* UID")
    both.ask("UID FETCH *:999999 UID")
    both.ask("FETCH *:38 UID")
    for wrong in ("FETCH 1 (BOGUS)", "FETCH 1", "FETCH 1 ()", "FETCH 0 FLAGS", "FETCH 1 BODY[", "FETCH x FLAGS",
                  "FETCH 1 BODY[MIME]", "FETCH 1 BODY[]<0.0>", "FETCH 1 (ALL)", "FETCH 1 BODY[HEADER.FIELDS ()]", "UID FETCH", "UID NOOP", "BOGUS"):
        both.ask(wrong)


def compare_binaries(both):
    """BINARY of all leaves, and of parts that are none."""
    for number, (name, data) in enumerate(messages(), 1):
        structure = both.ask(f"FETCH {number} BODYSTRUCTURE", note=f" of {name}")[1][2][b"BODYSTRUCTURE"]
        for part in dict.fromkeys(["", "1", "2", "9", *parts_of(structure)]):
            for item in (f"BINARY.SIZE[{part}]", f"BINARY.PEEK[{part}]", f"BINARY.PEEK[{part}]<3.8>",
                         f"BINARY.PEEK[{part}]<{len(data)}.5>"):
                both.ask(f"FETCH {number} {item}", note=f" of {name}")
    for wrong in ("BINARY", "BINARY[TEXT]", "BINARY[1.MIME]", "BINARY.SIZE[1]<0.1>", "BINARY.PEEK[1]<0.0>", "BINARY[1"):
        both.ask(f"FETCH 1 {wrong}")


def compare_searches(both):
    for keys in (COMMANDS / "searches.txt").read_text("utf-8").splitlines():
        plain = keys.isascii()
        text, literals = keys.encode(), []
        if not plain and not keys.startswith("CHARSET"):
            name, _, value = keys.partition(" ")
            text, literals = b"CHARSET UTF-8 " + name.encode() + b" %s", [value.encode()]
        elif not plain:
            text = text.replace("größe".encode(), b"%s")
            literals = ["größe".encode()]
        both.ask(b"SEARCH " + text, *literals, note=f" ({keys})")
        both.ask(b"UID SEARCH " + text, *literals, note=f" ({keys})")


def ask_all(both, name):
    """The commands of a file. A line "# words" is put behind what the differences below it are called."""
    note = ""
    for line in (COMMANDS / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            note = line[1:]
        else:
            both.ask(line, note=note)


def compare_mailboxes(both):
    ask_all(both, "mailboxes.txt")


def compare_changes(both):
    both.connect()
    both.ask("CREATE target")
    both.ask("CREATE work")
    for number in range(12):
        both.ask('APPEND work "01-Feb-2026 10:00:00 +0000" %s', ordinary(number).encode("latin-1"))
    ask_all(both, "changes.txt")


# --- POP3 ---

class Pop3:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()

    def command(self, text, multiline=False):
        """The status and what follows it: numbers only of a single line; all lines of a multi-line answer."""
        self.socket.sendall(text.encode() + b"\r\n")
        line = self.lines.readline()
        status = line.split()[0] if line else b"closed"
        if not multiline or status != b"+OK":
            return [status, re.findall(rb"^\+OK (\d+(?: \d+)?)", line)]
        told = []
        while (line := self.lines.readline()) not in (b".\r\n", b""):
            told.append(line)
        return [status, told]


def compare_pop3(both, posthorn, dovecot):
    sessions = [Pop3(server.address("pop3")) for server in (posthorn, dovecot)]

    def ask(text, multiline=False):
        answers = [session.command(text, multiline) for session in sessions]
        if text.startswith("UIDL"):
            for answer in answers:
                uids = [line.split()[1] for line in answer[1] if multiline]
                if len(set(uids)) != len(uids) or not all(re.fullmatch(rb"[!-~]{1,70}", uid) for uid in uids):
                    both.differences.append(f"{text}: UIDs that RFC 1939 does not allow: {answer}")
                answer[1] = [line.split()[0] for line in answer[1] if multiline]
        both.compare(f"POP3 {text}", *answers)

    for command in ("STAT", f"USER {USER}", f"PASS {PASSWORD}", "STAT"):
        ask(command)
    ask("LIST", True)
    ask("UIDL", True)
    count = len(messages())
    for number in [*range(1, count + 1), count + 1]:
        ask(f"RETR {number}", True)
        for lines in (0, 1, 5, 1000):
            ask(f"TOP {number} {lines}", True)
        ask(f"LIST {number}")
        ask(f"UIDL {number}")
    for command in ("DELE 2", "DELE 2", "LIST 2", "RETR 2", "STAT", "RSET", "STAT", "NOOP", "RETR", "RETR 0", "RETR x", "TOP 1",
                    "DELE 999", "BOGUS", "LIST 1 2"):
        ask(command)
    for command in ("DELE 1", "QUIT"):
        ask(command)
    both.connect()
    both.ask("STATUS INBOX (MESSAGES)", note=" after POP3")
    both.ask("SELECT INBOX")


def main():
    posthorn_server.require_server()
    require_dovecot()
    with Server() as posthorn, Dovecot() as dovecot:
        both = Comparison(posthorn, dovecot)
        try:
            for compare in (compare_appends, compare_fetches, compare_binaries, compare_searches):
                compare(both)
            compare_pop3(both, posthorn, dovecot)
            for compare in (compare_mailboxes, compare_changes):
                compare(both)
        finally:
            for difference in both.differences:
                print("not ok -", difference)
    for number, known in enumerate(KNOWN):
        if number not in both.used:
            print("# no longer different:", known[0])
    print(f"{both.asked} answers compared, {len(both.differences)} differ, {len(both.used)} known differences")
    raise SystemExit(1 if both.differences else 0)


if __name__ == "__main__":
    main()
