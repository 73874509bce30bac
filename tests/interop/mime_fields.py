"""Fields one by one: what Posthorn reads in the value of a field, beside what another reader does.

Each value is given to both as the only field of a message. Where they differ, constructs that they are known to read
differently are taken out of the value, one kind after the other, and both read it again: the difference belongs to the
kind without which they agree. So a class explains nothing but what it is about. docs/mime.md says why each is read as
it is."""
import base64
import collections
import quopri
import re

NAMES = {"type": b"Content-Type", "disposition": b"Content-Disposition"}
WORD = rb"=\?[\w.:-]+(?:\*[\w-]+)?\?(?:[qQ]\?(?:[!-<>@-~]|=[0-9A-Fa-f]{2})*|[bB]\?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?="
CHARSETS = rb"=\?(?:utf-8|us-ascii|iso-8859-15?)\?"

# --- what the RFCs allow, without their obsolete forms; comments in comments once ---

COMMENT = rb"\((?:[^()\\\x00\x80-\xff]|\\[ -~]|\((?:[^()\\\x00\x80-\xff]|\\[ -~])*\))*\)"
QUOTED = rb'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
TOKENS = re.compile(rb"(?P<space>(?:[ \t]|" + COMMENT + rb")+)|(?P<quoted>" + QUOTED + rb")|(?P<literal>\[[!-Z^-~]*\])"
                    rb"|(?P<atom>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)|(?P<special>[<>@,;:.])|(?P<other>.)", re.S)
LETTERS = {"space": " ", "quoted": "q", "literal": "l", "atom": "a", "other": "!"}
SPEC = r"(?:a(?:\.a)*|q)@(?:a(?:\.a)*|l)"
MAILBOX = r"(?:(?:[aq][aq. ]*)?<" + SPEC + ">|" + SPEC + ")"
GROUP = r"[aq][aq. ]*:(?:" + MAILBOX + "(?:," + MAILBOX + ")*)?;"
LIST = "(?:" + MAILBOX + "|" + GROUP + ")(?:,(?:" + MAILBOX + "|" + GROUP + "))*"
IDS = r"(?:<a(?:\.a)*@(?:a(?:\.a)*|l)> ?)+"
DATE = (rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(?:0?[1-9]|[12]\d|3[01]) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
        rb"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)? (?:[+-][01]\d[0-5]\d|GMT|UT|[ECMP][SD]T)")
TOKEN = rb"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
NAME = rb"[A-Za-z0-9!#$&+.^_`{|}~-]+(?:\*[0-9]+)?\*?"
PARAMS = rb"(?:; ?" + NAME + rb"=(?:" + TOKEN + rb"|" + QUOTED + rb") ?)*"


def shape(value):
    """A structured value, a letter for each token."""
    letters = "".join(LETTERS.get(token.lastgroup) or token[0].decode() for token in TOKENS.finditer(value)).strip()
    return re.sub(r" ?([<>,;:]) ?", r"\1", letters)


def has_syntax(title, raw):
    """Is the value what the RFC for it allows? Of unstructured text anything is."""
    value = re.sub(rb"\r?\n(?=[ \t])", b"", raw).strip(b" \t")
    if title != "subject" and re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
        return False
    plain = b" ".join(re.sub(COMMENT, b" ", value).split())
    if title in ("from", "to", "cc"):
        return re.fullmatch(LIST, shape(value)) is not None
    if title in ("message-id", "references"):
        return re.fullmatch(IDS, shape(value)) is not None
    if title == "date":
        return re.fullmatch(DATE, plain) is not None
    if title == "type":
        return re.fullmatch(TOKEN + rb"/" + TOKEN + rb" ?" + PARAMS, plain) is not None
    if title == "disposition":
        return re.fullmatch(TOKEN + rb" ?" + PARAMS, plain) is not None
    return True


def message_of(title, raw):
    return NAMES.get(title, title.encode()) + b":" + raw + b"\r\n\r\n"


def read(reader, title, raw):
    reading = reader.read(message_of(title, raw))
    fields = reading["part_fields"][0] if title in NAMES else reading["fields"]
    return fields[title][1] if title in fields else None


# --- what is taken out ---

def sub(pattern, by, flags=0):
    return lambda raw: re.sub(pattern, by, raw, flags=flags | re.S)


def drop_broken_words(raw):
    """Encoded words that RFC 2047 would not allow: an opening that is none, or no white space around."""
    pieces = re.split(rb"((?:(?<=[ \t\n])|\A)" + WORD + rb"(?=[ \t\r]|\Z))", raw)
    return b"".join(piece if index % 2 else piece.replace(b"=?", b"x") for index, piece in enumerate(pieces))


def is_whole(word):
    """Of a charset that all know, and no character is cut."""
    charset, kind, text = word[2:-2].split(b"?", 2)
    try:
        data = base64.b64decode(text) if kind in b"bB" else quopri.decodestring(text, header=True)
        return re.match(CHARSETS, word, re.I) and data.decode(charset.decode()).isprintable()
    except (LookupError, UnicodeError, ValueError):
        return False


def drop_cut_words(raw):
    return re.sub(WORD, lambda word: word[0] if is_whole(word[0]) else b"x", raw)


def drop_quoted_pairs(raw):
    """All backslashes but those before a quote or a backslash."""
    return re.sub(rb"\\(.)", lambda pair: pair[0] if pair[1] in b'"\\' else pair[1], raw, flags=re.S)


def sort_pieces(raw):
    """Parameters in their alphabetical order."""
    front, *params = re.split(rb";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*\Z)", raw)
    return b";".join([front] + sorted(b" " + param.strip() for param in params))


def drop_neighbours(raw):
    """Of encoded words with only white space between all but the first."""
    return re.sub(rb"(" + WORD + rb")(?:\s+" + WORD + rb")+", rb"\1", raw)


TEXT = [
    ("8-bit bytes", sub(rb"[\x80-\xff]+", b"x")),
    ("control characters", sub(rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", b"x")),
    ("line that is no fold", sub(rb"\r?\n(?![ \t])", b" ")),
    ("white space", lambda raw: b" " + b" ".join(raw.split())),
]
WORDS = [
    ("broken encoded words", drop_broken_words),
    ("characters cut, other charsets", drop_cut_words),
    ("neighbouring encoded words", drop_neighbours),
]
PARAMETERS = [
    ("white space", lambda raw: b" " + b" ".join(raw.split())),
    ("comments", sub(COMMENT, b"")),
    ("quoted pairs", drop_quoted_pairs),
    ("escaped beside plain", sub(rb"(\w+)\*=[^;]*;\s*(?=\1=)", b"")),
    ("pieces out of order", sort_pieces),
    ("escaped without a charset", sub(rb"%[0-9A-Fa-f]{2}|'", b"x")),
    ("pieces with a number missing", sub(rb"\*[^=;\s]*=", b"=")),
    ("white space in quotes", sub(rb'"\s+|\s+"', b'"')),
    ("encoded words in quotes", sub(rb"=\?", b"x")),
]
ADDRESSES = [
    ("comments", sub(COMMENT, b" ")),
    ("empty group", sub(rb":\s*;", b":a@b;")),
    ("words not parted", sub(rb"(" + QUOTED + rb")(?=[^\s<>,;:@.])", rb"\1 ")),
]
STEPS = {
    "subject": TEXT + WORDS,
    "date": [("comments", sub(COMMENT, b" "))],
    **dict.fromkeys(("message-id", "references"), [("encoded words in ids", sub(rb"=\?", b"x"))]),
    "type": PARAMETERS,
    "disposition": PARAMETERS,
    **dict.fromkeys(("from", "to", "cc"), ADDRESSES + WORDS),
}


def same(value):
    """Without what is no difference: how much white space there is in a name, quotes around a local part."""
    if not isinstance(value, tuple) or not value or len(value[0]) != 4 or not isinstance(value[0], tuple):
        return value
    return tuple((kind, b" ".join(name.split()), re.sub(rb"\\(.)", rb"\1", local[1:-1]) if local[:1] == b'"' else local, domain)
                 for kind, name, local, domain in value)


def flat(value):
    """Without groups, which Python's oldest address functions do not tell."""
    return tuple(entry for entry in value or () if entry[0] == "mailbox")


class Comparison:
    """Of Posthorn with one other reader."""

    def __init__(self, name, ours, theirs, without_groups=False):
        self.name, self.ours, self.theirs, self.without_groups = name, ours, theirs, without_groups

    def read(self, reader, title, raw):
        value = same(read(reader, title, raw))
        return flat(value) if self.without_groups and title in ("from", "to", "cc") else value

    def agree(self, title, raw):
        return self.read(self.ours, title, raw) == self.read(self.theirs, title, raw)

    def explain(self, title, raw):
        for name, take_out in STEPS.get(title, []):
            raw = take_out(raw)
            if self.agree(title, raw):
                return name
        return None

    def kind_of(self, title, raw):
        if self.agree(title, raw):
            return "equal"
        return self.explain(title, raw) if has_syntax(title, raw) else "not what the RFC allows"

    def compare(self, values, shown=None):
        """values: {title: raw values}. Returns whether any difference has no class."""
        failed = False
        for title in sorted(values):
            tally = collections.Counter()
            for raw in sorted(values[title]):
                kind = self.kind_of(title, raw) or "UNEXPLAINED"
                tally[kind] += 1
                if kind in ("UNEXPLAINED", shown) and tally[kind] <= 8:
                    print("    %r\n    ours   %r\n    theirs %r" % (
                        raw, self.read(self.ours, title, raw), self.read(self.theirs, title, raw)))
            failed |= tally["UNEXPLAINED"] > 0
            print("%s, %s: %s" % (self.name, title, ", ".join("%s %d" % pair for pair in tally.most_common())))
        return failed
