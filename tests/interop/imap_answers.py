"""An IMAP client for comparing servers: it says commands, and returns what was answered with everything made equal
that may differ without meaning anything."""

import calendar
import imaplib
import re
import socket

from posthorn_server import PATIENCE, Failure

# Response codes of extensions that only one of them has, or that are optional (RFC 5530).
UNCOMPARED = (b"HIGHESTMODSEQ", b"NOMODSEQ", b"CAPABILITY", b"CLOSED", b"CANNOT", b"NOPERM", b"NONEXISTENT",
              b"CLIENTBUG", b"ALREADYEXISTS", b"MAILBOXID")

SPECIAL_USE = (b"\\Archive", b"\\Drafts", b"\\Junk", b"\\Sent", b"\\Trash")

TOKEN = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r\n|([^\s()"{\[]*(?:\[[^\]]*\](?:<\d+>)?)?))')


def parse(data):
    """A response's values as nested lists; strings of any form are bytes, NIL is None."""
    stack, at = [[]], 0
    while at < len(data.rstrip()):
        found = TOKEN.match(data, at)
        if not found or found.end() == at:
            raise Failure(f"cannot parse {data[at:at + 80]!r} in {data[:200]!r}")
        at = found.end()
        opened, closed, quoted, literal, atom = found.groups()
        if opened:
            stack.append([])
        elif closed:
            done = stack.pop()
            stack[-1].append(done)
        elif quoted is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", quoted))
        elif literal:
            stack[-1].append(data[at:at + int(literal)])
            at += int(literal)
        else:
            stack[-1].append(None if atom.upper() == b"NIL" else atom)
    return stack[0]


class Imap:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.greeting = self.response()

    def response(self):
        data = self.lines.readline()
        while found := re.search(rb"\{(\d+)\}\r\n$", data):
            data += self.lines.read(int(found[1])) + self.lines.readline()
        if not data:
            raise Failure("the server closed the connection")
        return data

    def command(self, text, *literals):
        """literals stand where the text has %s, and wait for their go-ahead. Returns what was said, normalised: the
        tagged reply's condition and code, and the untagged responses."""
        pieces = (text if isinstance(text, bytes) else text.encode()).split(b"%s")
        line = b"t " + pieces[0]
        untagged = []
        for literal, piece in zip(literals, pieces[1:]):
            self.socket.sendall(line + b"{%d}\r\n" % len(literal))
            line = literal + piece
            while not (answer := self.response()).startswith((b"+", b"t ")):
                untagged.append(answer)
            if answer.startswith(b"t "):
                return self.told(untagged, answer)
        self.socket.sendall(line + b"\r\n")
        while not (answer := self.response()).startswith(b"t "):
            untagged.append(answer)
        return self.told(untagged, answer)

    @staticmethod
    def told(untagged, tagged):
        told = [response for data in untagged if (response := untagged_value(data)) is not None]
        if not any(response[0] == b"FLAGS" for response in told):  # beside SELECT, RECENT may be said at any time
            told = [response for response in told if response[1:] != [b"RECENT"]]
        gone = expunged([int(response[0]) for response in told if response[1:] == [b"EXPUNGE"]])
        told = [response for response in told if response[1:] != [b"EXPUNGE"]]
        return [condition(tagged[2:])] + sorted(told, key=repr) + ([[b"EXPUNGE", gone]] if gone else [])


def expunged(numbers):
    """The numbers that the messages had before: servers may tell them in any order."""
    gone = []
    for number in numbers:
        for earlier in sorted(gone):
            number += earlier <= number
        gone.append(number)
    return sorted(gone)


def condition(data):
    """OK, NO or BAD with its response code, without the text."""
    found = re.match(rb"(OK|NO|BAD|BYE|PREAUTH) (?:\[(.*?)\] )?", data, re.I)
    if not found:
        raise Failure(f"not a condition: {data!r}")
    code = found[2] or b""
    if code.startswith(b"PERMANENTFLAGS"):
        code = b"PERMANENTFLAGS " + b" ".join(sorted(re.findall(rb"[^ ()]+", code)[1:]))
    code = re.sub(rb"^(UIDVALIDITY|APPENDUID|COPYUID) \d+", rb"\1 V", code)
    return [found[1], b"" if code.startswith(UNCOMPARED) else code]


def untagged_value(data):
    """One untagged response, with what may differ made equal; None for what says nothing to compare."""
    data = data.removeprefix(b"* ")
    if re.match(rb"(OK|NO|BAD|BYE) ", data):
        value = condition(data)
        return value if value[1] else None
    values = parse(data)
    if len(values) > 1 and values[1] == b"FETCH":
        return values[:2] + [fetch_items(values[2])]
    if values[0] in (b"LIST", b"LSUB"):
        said = (b"\\HasChildren", b"\\Noselect") if values[0] == b"LIST" else (b"\\Noselect",)
        values[1] = sorted(flag for flag in values[1] if flag in said or flag in SPECIAL_USE and values[0] == b"LIST")
    if values[0] == b"FLAGS":
        values[1].sort()
    if values[0] == b"SEARCH":
        values[1:] = sorted(values[1:], key=int)
    if values[0] == b"STATUS":
        items = dict(zip(values[2][::2], values[2][1::2]))
        values[1] = values[1].upper() if values[1].upper() == b"INBOX" else values[1]
        values[2] = [items | {b"UIDVALIDITY": b"V"} if b"UIDVALIDITY" in items else items]
    return values


def fetch_items(values):
    """Section names in one case; what is not there is NIL with one and empty with the other, and both may be."""
    items = {name.upper(): value or b"" if name.upper().startswith((b"BODY[", b"BINARY[")) else value
             for name, value in zip(values[::2], values[1::2])}
    if b"FLAGS" in items:
        items[b"FLAGS"] = sorted(flag for flag in items[b"FLAGS"] if flag != b"\\Recent")
    if b"INTERNALDATE" in items:  # of the same instant, in any zone
        date = imaplib.Internaldate2tuple(b'INTERNALDATE "%s"' % items[b"INTERNALDATE"])
        items[b"INTERNALDATE"] = calendar.timegm(date)
    for name in (b"BODY", b"BODYSTRUCTURE"):
        if name in items:
            items[name] = lower(items[name])
    return items


def lower(value):
    """Types, parameter names and encodings are the same in any case, parameters in any order."""
    if isinstance(value, list):
        if len(value) > 2 and len(value) % 2 == 0 and all(isinstance(item, bytes) for item in value):
            value = [item for pair in sorted(zip(value[::2], value[1::2])) for item in pair]
        return [lower(item) for item in value]
    return value.lower() if value else value
