#!/usr/bin/env python3
"""What Posthorn reads in a message, beside what Python's email package and GMime (where it is there) read: of every
message of the corpus, and of thousands of mutations of them. Each reads broken mail in some way of its own; where the
ways differ on purpose, the class of difference is named here and explained in docs/mime.md. A difference of no class is
a failure. Here the trees of parts are compared; mime_fields.py compares field by field.

    test_mime.py [MUTATIONS [SEED [CLASS]]]     with examples of that class
"""
import collections
import glob
import random
import re
import sys

import mime_values
from mime_fields import Comparison
from mime_readers import SOURCE, Program, Python, has_gmime

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


def has_other_boundary_syntax(message, *_):
    """A comment, a quote without its end, a continuation, a boundary that is empty or occurs twice."""
    flat = re.sub(rb"\r?\n[ \t]+", b" ", message)
    for line in re.findall(rb"^content-type[^\n]*", flat, re.I | re.M):
        if re.search(rb"[(\\*]|\"[^\"]*$|boundary[^;]*boundary|\"[^;\"]*;[^\"]*\"|=\s*\"[^\"]*\"[^;\s]", line, re.I):
            return True
        if re.search(rb"boundary[ \t]*(=[ \t]*(\"\")?[ \t]*)?(;|\r?$)", line, re.I):
            return True
    found = boundaries_of(message)
    return len(found) != len(set(found)) or any(one != other and one.startswith(other) for one in found for other in found)


def fields_changed(message, change):
    """The message with each field of its headers changed: change(name, field, names of the same header before it)."""
    out, field, seen = [], [], []

    def end_field():
        if field:
            name = field[0].split(b":")[0].strip().lower()
            out.extend(change(name, b"\n".join(field), seen).split(b"\n") if is_field(field[0]) else field)
            seen.append(name)
            field.clear()

    for line, in_header in lines_with_places(message):
        if not in_header or not line.rstrip(b"\r"):
            end_field()
            seen.clear()
            out.append(line)
            continue
        if is_field(line):
            end_field()
        field.append(line)
    end_field()
    return b"\n".join(out)


def rename_repeated(message):
    return fields_changed(message, lambda name, field, seen: b"X-" + field if name in seen and name in CONTENT else field)


def mend_types(message):
    """text/plain for what is no type (RFC 2045, 5.2)."""
    def change(name, field, _):
        value = re.sub(rb"\r?\n[ \t]+", b" ", field.partition(b":")[2])
        sound = re.match(rb"[ \t]*[\w!#$&^.+-]+/[\w!#$&^.+-]+[ \t\r]*(;|$)", value)
        return field if name != b"content-type" or sound else b"Content-Type: text/plain\r"
    return fields_changed(message, change)


def rename_message_types(message):
    return re.sub(rb"message/(?!rfc822(?![\w.+-]))", b"x-message/", message, flags=re.I)


def drop_other_encodings(message):
    def change(name, field, _):
        known = re.search(rb":\s*(7bit|8bit|binary|base64|quoted-printable)?\s*\Z", field, re.I)
        return field if name != b"content-transfer-encoding" or known else b"X-Encoding: other\r"
    return fields_changed(message, change)


def drop_encodings(message):
    return fields_changed(message, lambda name, field, _: b"X-" + field if name == b"content-transfer-encoding" else field)


def drop_encodings_of_holders(message):
    """Those beside a multipart or a message."""
    holders = re.compile(rb"content-type[ \t]*:\s*(multipart|message)/", re.I)
    sections = re.split(rb"(\r?\n\r?\n)", message)
    return b"".join(drop_encodings(section + b"\r\n\r\n")[:-4] if holders.search(section) else section for section in sections)


def has_multipart_without_parts(message, ours, theirs):
    return any("multipart/" in kind and body is not None for _, kind, body in theirs)


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

CONTENT = (b"content-type", b"content-transfer-encoding")

# Differences that go away when this is taken out of the message, for both: one after the other.
TAKEN_OUT = [
    ("bare CR", lambda message: re.sub(rb"\r(?!\n)", b"?", message)),
    ("other line breaks", lambda message: re.sub(rb"[\x0b\x0c\x1c\x1d\x1e\x85]", b"?", message)),
    ("mixed line ends", lambda message: re.sub(rb"\r?\n", b"\r\n", message)),
    ("pieces of a parameter", lambda message: re.sub(rb"\*[^=;\s]*=", b"=", message)),
    ("envelope line", lambda message: re.sub(rb"\A(?:>?From [^\n]*\n)+", b"", message)),
    ("repeated field", rename_repeated),
    ("broken type", mend_types),
    ("other message types", rename_message_types),
    ("other encodings", drop_other_encodings),
    ("encoded multipart or message", drop_encodings_of_holders),
    ("odd characters in an encoding", drop_encodings),
]

# Others that are known by what is in the message.
CLASSES = [
    ("boundary syntax", has_other_boundary_syntax),
    ("multipart without parts", has_multipart_without_parts),
]


def comparable(parts):
    """Without what is known to differ: line ends behind the text of a body that no boundary ends, and how a message that has
    neither fields nor text is told."""
    same = []
    for depth, kind, body in parts or [(0, "text/plain", b"")]:
        if kind == "message/rfc822" and body == b"":
            same += [(depth, kind, None), (depth + 1, "text/plain", b"")]
        else:
            same.append((depth, kind, body and body.rstrip(b"\r\n")))
    return same


def repair_all(message):
    for _, repair in REPAIRS:
        message = repair(message)
    return message


def agree(ours, theirs, message):
    return comparable(ours.read(message)["parts"]) == comparable(theirs.read(message)["parts"])


def class_of(message, ours, theirs):
    """The first repair that makes both read the same, or what they agree without; else what may be in the message that
    makes them differ."""
    mine, other = ours.read(message)["parts"], theirs.read(message)["parts"]
    if comparable(mine) == comparable(other):
        return "last line end, or empty message"
    repaired = message
    for name, repair in REPAIRS:
        repaired = repair(repaired)
        if comparable(theirs.read(repaired)["parts"]) == comparable(mine):
            return name
    for name, take_out in TAKEN_OUT:
        repaired = take_out(repaired)
        if agree(ours, theirs, repaired) or agree(ours, theirs, repair_all(repaired)):
            return name
    for name, applies in CLASSES:
        for version in (message, repaired, repair_all(repaired)):
            if applies(version, ours.read(version)["parts"], theirs.read(version)["parts"]):
                return name
    return None


def compare_trees(title, ours, theirs, messages, shown):
    """How many messages are read alike, or differ in each class. Returns whether any differs in none."""
    tally, failed = collections.Counter(), False
    for message in messages:
        mine, other = ours.read(message)["parts"], theirs.read(message)["parts"]
        name = "equal" if mine == other else class_of(message, ours, theirs) or "UNEXPLAINED"
        tally[name] += 1
        failed |= name == "UNEXPLAINED"
        if name in ("UNEXPLAINED", shown) and tally[name] <= 8:
            print("\n%r\nours   %r\ntheirs %r" % (message, mine, other))
    print("%s, %d messages" % (title, len(messages)))
    for name, number in tally.most_common():
        print("    %-32s %6d" % (name, number))
    return failed


def field_values(posthorn, messages, count, chance):
    """{title: values}: those in the messages, and `count` of each that are made."""
    values = collections.defaultdict(set, mime_values.make(count, chance))
    for message in messages:
        reading = posthorn.read(message)
        for fields in [reading["fields"], *reading["part_fields"]]:
            for title, (raw, _) in fields.items():
                values[title].add(raw)
    return values


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    originals = [open(path, "rb").read() for path in CORPUS]
    messages = originals + [tame(mutate(chance.choice(originals), chance), chance) for _ in range(count)]
    shown = sys.argv[3] if len(sys.argv) > 3 else None
    posthorn, python = Program("mime_dump"), Python()
    values = field_values(posthorn, messages, count // 3, chance)
    known_to_python = {title: found for title, found in values.items() if title not in ("message-id", "references")}
    failed = compare_trees("Python", posthorn, python, messages, shown)
    failed |= Comparison("Python", posthorn, python, without_groups=True).compare(known_to_python, shown)
    if has_gmime():
        gmime = Program("gmime_dump")
        failed |= compare_trees("GMime", posthorn, gmime, messages, shown)
        failed |= Comparison("GMime", posthorn, gmime).compare(values, shown)
        gmime.end()
    posthorn.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
