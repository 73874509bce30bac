#!/usr/bin/env python3
"""What Posthorn reads in a message, beside what Python's email package and GMime (where it is there) read: of every
message of the corpus, and of thousands of mutations of them. Each reads broken mail in some way of its own; where the
ways differ on purpose, the class of difference is named here and explained in docs/mime.md. A difference of no class is
a failure.

    test_mime.py [MUTATIONS [SEED [CLASS]]]     with examples of that class
"""
import collections
import email
import glob
import os
import random
import re
import struct
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BUILD", SOURCE)
CORPUS = sorted(glob.glob(SOURCE + "/tests/unit/data/mime/*.eml"))
SPICE = [b"\r\n", b"\n", b"--", b"\r\n\r\n", b"=", b"=?utf-8?q?a?=", b'"', b";", b":", b" ", b"\t", b"(", b"\xe4", b"\xc3\xa4",
         b"--b1\r\n", b"--b1--\r\n", b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n",
         b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n", b"\r\n--b1\r\n\r\n", b"=3D", b"=\r\n", b"A" * 80]


def mutate(message, chance):
    """A few random changes: bytes, pieces of syntax, lines moved, the end cut off."""
    data = bytearray(message)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at:at] = chance.choice(SPICE)
        elif kind == 2:
            del data[at:at + chance.randint(1, 20)]
        elif kind == 3:
            lines = bytes(data).split(b"\n")
            first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[first], lines[second] = lines[second], lines[first]
            data = bytearray(b"\n".join(lines))
        elif kind == 4:
            piece = data[at:at + chance.randint(1, 200)]
            where = chance.randrange(len(data) + 1)
            data[where:where] = piece
        elif kind == 5 and chance.random() < 0.3:
            del data[at:]
    return bytes(data)


def tame(message, chance):
    """Most messages without what Python takes for line ends, so that there is more to compare."""
    if chance.random() < 0.05:
        return message
    return re.sub(rb"\r(?!\n)|[\x0b\x0c\x1c\x1d\x1e\x85]", b"?", message)


# --- what both say ---

class Program:
    """A program that says what it reads in messages: mime_dump, gmime_dump."""

    def __init__(self, name):
        self.process = subprocess.Popen([BUILD + "/tests/interop/" + name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, message):
        self.process.stdin.write(struct.pack(">I", len(message)) + message)
        self.process.stdin.flush()
        parts = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the program has ended at %r" % message)
            words = line.decode("ascii").split()
            if words[0] == "end":
                return parts
            if words[0] == "part":
                parts.append((int(words[1]), text_of(words[2]).decode("latin-1"), None if words[4] == "-" else text_of(words[4])))


def text_of(word):
    return b"" if word == "." else bytes.fromhex(word)


def read_parts(part, depth, parts):
    """What Python says of a part, in the same form."""
    content_type = part.get_content_type()
    children = part.get_payload() if part.is_multipart() else None
    if children:
        parts.append((depth, content_type, None))
        for child in children:
            read_parts(child, depth + 1, parts)
    else:
        body = part.get_payload(decode=True)
        parts.append((depth, content_type, body if body is not None else b""))


class Python:
    """What Python reads, in the same form."""

    def read(self, message):
        parts = []
        read_parts(email.message_from_bytes(message), 0, parts)
        return parts


# --- classes of differences; docs/mime.md explains each by its name here ---

def lines_with_places(message):
    """Each line, and whether it stands in a header: as far as blank lines and boundaries tell."""
    delimiters, places, in_header, header = [], [], True, b""
    for line in message.split(b"\n"):
        text = line.rstrip(b"\r")
        met = max((index for index, delimiter in enumerate(delimiters) if text.startswith(delimiter)), default=None,
                  key=lambda index: (len(delimiters[index]), index))
        if met is not None:
            closed = text[len(delimiters[met]):].startswith(b"--")
            del delimiters[met if closed else met + 1:]
            places.append((line, False))
            in_header, header = not closed, b""
            continue
        places.append((line, in_header))
        header += b"\n" + text if is_field(text) else text
        if in_header and not text:
            kinds = re.findall(rb"^content-type[ \t]*:[^\n]*", header, re.I | re.M)[:1]
            delimiters += [b"--" + boundary for kind in kinds if re.search(rb":[ \t]*multipart/", kind, re.I)
                           for boundary in boundaries_of(kind)]
            in_header = any(re.search(rb":[ \t]*message/rfc822", kind, re.I) for kind in kinds)
            header = b""
    return places


def headers_of(message):
    """Each header as a list of lines."""
    headers, before = [], False
    for line, in_header in lines_with_places(message):
        if in_header and not before:
            headers.append([])
        if in_header:
            headers[-1].append(line.rstrip(b"\r"))
        before = in_header and line.rstrip(b"\r") != b""
    return headers


def is_field(line):
    return re.match(rb"[\x21-\x39\x3b-\x7e]+[ \t]*:", line)


def fold_lines_without_colon(message):
    """What Posthorn takes to go on a field, in the form in which it does."""
    return b"\n".join(b" " + line if in_header and line.rstrip(b"\r") and line[:1] not in b" \t" and not is_field(line) else line
                      for line, in_header in lines_with_places(message))


def drop_first_lines_without_name(message):
    """The same for what no field comes before."""
    lines = lines_with_places(message)
    kept = [line for index, (line, in_header) in enumerate(lines)
            if not (in_header and line.rstrip(b"\r") and not is_field(line)
                    and all(not is_field(before) for before in header_before(lines, index)))]
    return b"\n".join(kept)


def header_before(lines, index):
    """The lines of the same header above this one."""
    above = []
    for line, in_header in reversed(lines[:index]):
        if not in_header or not line.rstrip(b"\r"):
            break
        above.append(line)
    return above


def close_names(message):
    """Obsolete white space between a name and its colon (RFC 5322, 4.5), which Python does not know."""
    return b"\n".join(re.sub(rb"^([\x21-\x39\x3b-\x7e]+)[ \t]+:", rb"\1:", line) if in_header else line
                      for line, in_header in lines_with_places(message))


def shorten_boundary_lines(message):
    """RFC 2046, 5.1.1: the boundary need not be all of the line."""
    boundaries = sorted(boundaries_of(message), key=len, reverse=True)

    def shorten(line):
        for boundary in boundaries:
            start = b"--" + boundary
            if line.startswith(start):
                end = b"--" if line[len(start):].startswith(b"--") else b""
                return start + end + (b"\r" if line.endswith(b"\r") else b"")
        return line
    return b"\n".join(shorten(line) for line in message.split(b"\n"))


def end_header_before_boundary(message):
    """A boundary within a header ends it: as if a blank line were there."""
    out, before = [], False
    delimiters = tuple(b"--" + boundary for boundary in boundaries_of(message))
    for line, in_header in lines_with_places(message):
        if before and delimiters and line.startswith(delimiters):
            out.append(b"\r")
        out.append(line)
        before = delimiters and line.startswith(delimiters) and not line.startswith(tuple(d + b"--" for d in delimiters)) \
            or in_header and line.rstrip(b"\r") != b""
    return b"\n".join(out)


def boundaries_of(message):
    flat = re.sub(rb"\r?\n[ \t]+", b" ", message)
    found = re.findall(rb'boundary[ \t]*=[ \t]*"?([^";\r\n]*)', flat, re.I)
    return [boundary.strip() for boundary in found if boundary.strip()]


def has_bare_cr(message, *_):
    return re.search(rb"\r(?!\n)", message)


def has_other_breaks(message, *_):
    """Python's lines end where str.splitlines() says."""
    return re.search(rb"[\x0b\x0c\x1c\x1d\x1e\x85]", message)


def has_other_boundary_syntax(message, *_):
    """A comment, a quote without its end, a continuation, a boundary that occurs twice."""
    flat = re.sub(rb"\r?\n[ \t]+", b" ", message)
    for line in re.findall(rb"^content-type[^\n]*", flat, re.I | re.M):
        if re.search(rb"[(\\*]|\"[^\"]*$|boundary[^;]*boundary|\"[^;\"]*;[^\"]*\"|=\s*\"[^\"]*\"[^;\s]", line, re.I):
            return True
    found = boundaries_of(message)
    return len(found) != len(set(found)) or any(one != other and one.startswith(other) for one in found for other in found)


def has_repeated_field(message, *_):
    for header in headers_of(message):
        names = [line.split(b":")[0].strip().lower() for line in header if b":" in line]
        if any(names.count(name) > 1 for name in (b"content-type", b"content-transfer-encoding")):
            return True
    return False


def has_broken_type(message, *_):
    flat = re.sub(rb"\r?\n[ \t]+", b" ", message)
    for value in re.findall(rb"^content-type[ \t]*:([^\n]*)", flat, re.I | re.M):
        if not re.match(rb"[ \t]*[\w!#$&^.+-]+/[\w!#$&^.+-]+[ \t\r]*(;|$)", value):
            return True
    return False


def has_multipart_without_parts(message, ours, theirs):
    return any("multipart/" in kind and body is not None for _, kind, body in theirs)


def has_encoded_multipart_or_message(message, *_):
    return re.search(rb"content-transfer-encoding[ \t]*:", message, re.I) and re.search(rb"(multipart|message)/", message, re.I)


def has_message_other_than_rfc822(message, ours, theirs):
    return any(kind.startswith("message/") and kind != "message/rfc822" for _, kind, _ in theirs)


def has_other_encoding(message, *_):
    """uuencode, which Python decodes, and names with parameters or comments."""
    for value in re.findall(rb"content-transfer-encoding[ \t]*:([^\n]*)", message, re.I):
        if value.strip().lower() not in (b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b""):
            return True
    return False


def has_odd_body(message, *_):
    """What does not belong into base64 or quoted-printable is somewhere in it."""
    return re.search(rb"content-transfer-encoding", message, re.I) is not None


def has_mixed_line_ends(message, *_):
    return b"\r\n" in message and re.search(rb"(?<!\r)\n", message)


def starts_with_envelope(message, *_):
    return re.match(rb"From |>From ", message)


def complete_last_boundary(message):
    """A boundary that is the last line begins a part, though nothing of it is there."""
    last = message.rstrip(b"\r\n").split(b"\n")[-1]
    if any(last.startswith(b"--" + boundary) for boundary in boundaries_of(message)):
        return message + b"\r\n\r\n"
    return message


# Differences that go away when the other is shown what Posthorn reads: each repair is tried on top of those before it.
REPAIRS = [
    ("line without colon", fold_lines_without_colon),
    ("space before colon", close_names),
    ("first line is no field", drop_first_lines_without_name),
    ("longer boundary line", shorten_boundary_lines),
    ("boundary in header", end_header_before_boundary),
    ("boundary at the end", complete_last_boundary),
]

# Others that are known by what is in the message.
CLASSES = [
    ("bare CR", has_bare_cr),
    ("other line breaks", has_other_breaks),
    ("envelope line", starts_with_envelope),
    ("boundary syntax", has_other_boundary_syntax),
    ("repeated field", has_repeated_field),
    ("broken type", has_broken_type),
    ("multipart without parts", has_multipart_without_parts),
    ("other message types", has_message_other_than_rfc822),
    ("encoded multipart or message", has_encoded_multipart_or_message),
    ("other encodings", has_other_encoding),
    ("odd characters in an encoding", has_odd_body),
    ("mixed line ends", has_mixed_line_ends),
]


def comparable(parts):
    """Without what is known to differ: the last line end of a body that no boundary ends, and how a message that has
    neither fields nor text is told."""
    same = []
    for depth, kind, body in parts or [(0, "text/plain", b"")]:
        if kind == "message/rfc822" and body == b"":
            same += [(depth, kind, None), (depth + 1, "text/plain", b"")]
        else:
            same.append((depth, kind, body and re.sub(rb"\r?\n?\Z", b"", body)))
    return same


def class_of(message, ours, theirs, other):
    """The first repair that makes both read the same; else what may be in the message that makes them differ."""
    if comparable(ours) == comparable(theirs):
        return "last line end, or empty message"
    repaired = message
    for name, repair in REPAIRS:
        repaired = repair(repaired)
        if comparable(other.read(repaired)) == comparable(ours):
            return name
    for name, applies in CLASSES:
        if applies(message, ours, theirs) or applies(repaired, ours, other.read(repaired)):
            return name
    return None


def compare(title, other, messages, readings, shown):
    """How many messages are read alike, or differ in each class. Returns whether any differs in none."""
    tally, examples, failed = collections.Counter(), [], False
    for message, ours in zip(messages, readings):
        theirs = other.read(message)
        name = "equal" if ours == theirs else class_of(message, ours, theirs, other)
        tally[name] += 1
        failed |= name is None
        if name in (None, shown):
            examples.append((message, ours, theirs))
    print("%s, %d messages" % (title, len(messages)))
    for name, number in tally.most_common():
        print("    %-32s %6d" % (name or "UNEXPLAINED", number))
    for message, ours, theirs in examples[:8]:
        print("\n%r\nours   %r\ntheirs %r" % (message, ours, theirs))
    return failed


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    originals = [open(path, "rb").read() for path in CORPUS]
    messages = originals + [tame(mutate(chance.choice(originals), chance), chance) for _ in range(count)]
    shown = sys.argv[3] if len(sys.argv) > 3 else "UNEXPLAINED"
    posthorn = Program("mime_dump")
    readings = [posthorn.read(message) for message in messages]
    failed = compare("Python", Python(), messages, readings, shown)
    if os.path.exists(BUILD + "/tests/interop/gmime_dump"):
        failed |= compare("GMime", Program("gmime_dump"), messages, readings, shown)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
