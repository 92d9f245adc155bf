"""The manual's pages that are made of the code's tables, as Markdown."""

import re

import tables

SPECIAL = re.compile(r"([\\*_<>|\[\]{}#~^])")
CODE = re.compile(r"(`[^`\n]+`)")


def prose(text):
    """TEXT of a table as Markdown: what stands between `` is code, nothing
    else means anything."""
    return "".join(part if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part)
                   for part in CODE.split(text))


def cell(text):
    """...in one cell of a table."""
    return prose(text).replace("\n", " ").replace("`|", "`\\|")


def code(text):
    return f"`{text}`" if text else ""


def paragraphs(text):
    """What a command says of itself: lines that begin with a space are a
    table."""
    parts, in_table = [], False
    for line in text.split("\n"):
        if line.startswith(" ") != in_table:
            in_table = not in_table
            parts.append("```text" if in_table else "```\n")
        parts.append(line if in_table else prose(line) + "\n")
    return "\n".join(parts + (["```\n"] if in_table else []))


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


# ---- commands

def command(name, c):
    usage = " ".join(("splitmail " + name + " " + c["usage"]).split())
    text = f"### splitmail {name}\n\n```text\n{usage}\n```\n\n"
    text += paragraphs(c["what"]) + "\n"
    if c.get("keys"):
        text += table(["Setting", "Value", "What it does"], [
            [code(key["name"]), cell(key["value"].replace("|", ", ")),
             cell(key["what"])] for key in c["keys"]]) + "\n"
    if c.get("more"):
        text += paragraphs(c["more"]) + "\n"
    return text + f"```text\n{c['example']}\n```\n\n"


def commands(known):
    text = """# Commands

As `splitmail --help` has them, and splitmail(8). Every command takes `--data DIR` (or
`SPLITMAIL_DATA`; by itself /var/lib/splitmail), `--json`, `--yes` and `--help`. What deletes asks
first; with `--yes` nothing is asked, and where there is no terminal to ask at it has to be said.
A setting is written `name=VALUE` or `--name VALUE`; `-` and `_` are the same in names. Exit
status: 0 done, 1 refused or not found, 2 usage.

"""
    group = None
    for noun in known["nouns"]:
        if noun["group"] != group:
            group = noun["group"]
            text += f"## {group}\n\n"
        for each in noun["commands"]:
            text += command(" ".join([noun["name"], each["verb"]]).strip(), each)
    text += "## The server\n\n"
    for each in known["processes"]:
        text += command(each["name"], each)
    return text


# ---- splitmail.conf

def usual(setting):
    value = setting.get("default")
    if value is None:
        return "has to be there" if setting["kind"] == "needed" else "none"
    if setting["kind"] == "flag":
        return code("true" if value else "false")
    return code(f'"{value}"' if setting["kind"] == "text" else str(value))


def range_of(setting):
    if setting["kind"] != "number":
        return {"needed": "text", "flag": "true, false"}.get(setting["kind"],
                                                            setting["kind"])
    return f"{setting['least']} to {setting['most']}"


def settings(known):
    text = """# splitmail.conf

What has to be known before the directory can be read; everything else is in the directory, and
changed by commands and in the console. A file with only `hostname` is a working
configuration. What is changed here is in force after `systemctl restart splitmail`.

```text
hostname = "mx.example.org"
limits {
    message_bytes = 52428800
}
```

"""
    blocks = known["blocks"]
    for block in [blocks[-1], *blocks[:-1]]:
        if block["name"] == "top":
            text += "## Outside of blocks\n\n"
        else:
            text += f"## {block['name']}\n\n{prose(block['what'])}\n\n"
        text += table(["Setting", "By itself", "May be", "What it does"], [
            [code(s["key"]), usual(s), range_of(s), cell(s["what"])]
            for s in block["settings"]]) + "\n"
    return text


# ---- limits

UNITS = [("_BYTES_PER_S", "bytes/s"), ("_BYTES", "bytes"), ("_KIB", "KiB"),
         ("_MS", "ms"), ("_S", "s"), ("_HOURS", "h"), ("_DAYS", "days")]


def amount(name, number):
    unit = next((unit for end, unit in UNITS if name.endswith(end)), "")
    if unit == "ms" and number >= 1000 and number % 1000 == 0:
        number, unit = number // 1000, "s"
    if unit == "s" and number >= 120 and number % 60 == 0:
        number, unit = number // 60, "min"
    for larger in "KiB", "MiB", "GiB":
        if unit in ("bytes", "KiB", "MiB") and number >= 1024 and \
                number % 1024 == 0 and larger != unit:
            number, unit = number // 1024, larger
    return f"{number:,} {unit}".strip().replace(",", "\u202f")


def limit_name(name):
    for end, _ in UNITS:
        if name.endswith(end):
            name = name[:-len(end)]
            break
    return name.removeprefix("LIMIT_").replace("_", " ").lower()


def limits():
    text = """# Limits

Every size and time that somebody else could stretch has a bound. Those with a setting in
[splitmail.conf](settings.md) are what holds without a word there; the others are fixed: no
legitimate peer reaches them.

"""
    for title, about, numbers in tables.limits():
        text += f"## {title[0].upper() + title[1:]}\n\n"
        if about:
            text += prose(about[0].upper() + about[1:]) + ".\n\n"
        text += table(["Limit", "Size", "Why"], [
            [limit_name(name), amount(name, number), cell(reason)]
            for name, number, reason in numbers]) + "\n"
    return text


# ---- what is said

def said(text):
    """%s and {value} as a reader takes them."""
    text = re.sub(r"%\.?[\d*]*(?:ll|z)?[sdufc]|\{(\w+)\}",
                  lambda found: f"…{found[1]}…" if found[1] else "…", text)
    return cell(re.sub("…{2,}", "…", text))


def replies():
    text = """# SMTP replies

What a client is told, by session, and what the log has of it. The reply of another system
is passed on as it is, with its host in front.

"""
    section = None
    for title, (_, number, status, words) in tables.rows(
            "src/smtp/replies.def", "REPLY"):
        if title != section:
            section = title
            text += f"\n## {title[0].upper() + title[1:]}\n\n"
            text += "| Code | Status | What is said |\n| --- | --- | --- |\n"
        text += f"| {number} | {status} | {said(words)} |\n"
    return text


def reasons():
    text = """# Reasons of a route

What `splitmail route ADDRESS` gives as a reason, in the order of its rules; the console has
the same.

"""
    section = None
    for title, (_, rule, source, words) in tables.rows(
            "src/route/facts.def", "FACT"):
        if title != section:
            section = title
            text += f"\n## {title[0].upper() + title[1:]}\n\n"
            text += "| Rule | From | Reason |\n| --- | --- | --- |\n"
        text += f"| {rule} | {source} | {said(words)} |\n"
    return text


def refusals():
    text = """# Refusals

What a change can be refused for: the sentence of commands and pages, and the `reason` that the
HTTP API gives beside it.

"""
    for name, macro, first in (
            ("src/directory/refusals.def", "REFUSAL", "Of a change"),
            ("src/console/problems.def", "PROBLEM", "Of a request")):
        section = None
        for title, row in tables.rows(name, macro):
            if title != section:
                section = title
                text += f"\n## {first}: {title}\n\n| Reason | Sentence |\n| --- | --- |\n"
            text += (f"| {code(row[0].replace('_', '-'))} | "
                     f"{said(row[-1])} |\n")
    return text


def remarks():
    text = """# Remarks on records

What `splitmail domain dns DOMAIN`, the console and the HTTP API (`id`) say of a domain's records.
[Put it on the Internet](../internet.md) has what to do.

"""
    section = None
    for title, (name, kind, words) in tables.rows(
            "src/publish/remarks.def", "REMARK"):
        if title != section:
            section = title
            text += f"\n## {title or 'Any record'}\n\n"
            text += "| Remark | Kind | Sentence |\n| --- | --- | --- |\n"
        text += (f"| {code(name.replace('_', '-'))} | {kind.lower()} | "
                 f"{said(words)} |\n")
    return text


# A part that C computes, for what it may be.
PARTS = {"s->part": "smtpd, submission/smtpd, smtps/smtpd, pickup",
         's->leg.kind == LEG_MAILBOX ? "lmtp" : "smtp"': "smtp, lmtp"}
ORDER = ["smtpd", "cleanup", "qmgr", "smtp, lmtp", "smtp", "bounce", "error"]
LEVELS = {"fact": "fact", "warn": "warning", "error": "error"}


def log():
    text = """# Log lines

Every line that the log can have, by the part of Splitmail that says it; … is what is told. Lines of
warnings begin with `warning:`, of errors with `error:`. [Operations](../operations.md#the-log) has
one mail from beginning to end. Lines of Dovecot's are its own.

"""
    parts = {}
    for level, part, words in tables.log_lines():
        # "%s" alone is another's sentence
        if re.search(r"[a-z]{3}", re.sub(r"%\S+", "", words)):
            line = (LEVELS[level], said(words.replace("%m", "…")))
            lines = parts.setdefault(PARTS.get(part) or part.strip('"'), [])
            if line not in lines:
                lines.append(line)

    def order(part):
        first = [i for i, each in enumerate(ORDER) if part.startswith(each)]
        return (first or [len(ORDER)])[0], part
    for part in sorted(parts, key=order):
        text += f"## {part}\n\n" + table(["Level", "Line"], [
            [level, words] for level, words in parts[part]]) + "\n"
    return text


# ---- figures

def metrics():
    text = """# Metrics

`GET /metrics` of the console's port, for Prometheus, with the token of a superadministrator that
reads nothing else (`--scope metrics`) or any other of his. [Operations](../operations.md#figures-and-alerts) says how.

| Metric | Type | What it counts |
| --- | --- | --- |
"""
    for _, (_, name, kind, help) in tables.rows("src/console/metrics.def",
                                                "METRIC"):
        text += f"| {code(name)} | {kind} | {cell(help)} |\n"
    for _, (_, name, help) in tables.rows("src/rt/counters.def", "COUNTER"):
        text += f"| {code(name)} | counter | {cell(help)}. |\n"
    for _, (_, name, help) in tables.rows("src/rt/histograms.def",
                                          "HISTOGRAM"):
        text += f"| {code(name)} | histogram | {cell(help)}. |\n"
    return text


def pages(known, api):
    """Path below docs -> Markdown."""
    return {"reference/commands.md": commands(known),
            "reference/settings.md": settings(known),
            "reference/limits.md": limits(),
            "reference/replies.md": replies(),
            "reference/reasons.md": reasons(),
            "reference/remarks.md": remarks(),
            "reference/refusals.md": refusals(),
            "reference/log.md": log(),
            "reference/metrics.md": metrics(),
            "reference/api.md": api}
