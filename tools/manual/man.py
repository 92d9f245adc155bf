"""Manual pages, as scdoc(5) takes them, of the code's tables."""

import re

SPECIAL = re.compile(r"([\\*_`#\[\]|~<>])")


def plain(text):
    """TEXT in which nothing means anything; what stands between `` is bold."""
    text = SPECIAL.sub(r"\\\1", text)
    text = re.sub(r"\\`([^`\n]+?)\\`", r"*\1*", text)
    return re.sub(r"^([.-])", r"\\\1", text, flags=re.M)


def indented(text):
    return re.sub(r"^(?=.)", "\t", text, flags=re.M)


def literal(text):
    return f"```\n{text}\n```\n"


def paragraphs(text):
    """What a command says of itself: lines that begin with a space are a
    table."""
    parts, in_table = [], False
    for line in text.split("\n"):
        if line.startswith(" ") != in_table:
            in_table = not in_table
            parts.append("```" if in_table else "```\n")
        parts.append(line[2:] if in_table else plain(line) + "\n")
    return "\n".join(parts + (["```\n"] if in_table else [])) + "\n"


def head(name, section, title):
    return (f'{name}({section}) "Splitmail" "Splitmail"\n\n# NAME\n\n'
            f"{name} - {title}\n\n")


def command(name, c):
    usage = f"*splitmail {plain(name)}* {plain(c['usage'])}".strip()
    text = f"## splitmail {plain(name)}\n\n{usage}\n\n"
    text += paragraphs(c["what"])
    for key in c.get("keys", []):
        choice = key["value"].replace("|", ", ") + ". " \
            if "|" in key["value"] else ""
        text += f"*{plain(key['name'])}*\n"
        text += indented(plain(choice + " ".join(key["what"].split()))) + "\n\n"
    if c.get("more"):
        text += paragraphs(c["more"])
    return text + indented(literal(c["example"])) + "\n"


def splitmail(known):
    text = head("splitmail", 8, "one mail domain on several mail systems")
    text += """# SYNOPSIS

*splitmail* [--data DIR] [--json] [--yes] _COMMAND_ ...

# DESCRIPTION

Splitmail serves a mail domain whose users live on several mail systems: some have their mailbox
here, the others on an alternate mail server. *splitmail serve* runs it; the other commands change
what it knows, and show what it does.

A setting is written name=VALUE or --name VALUE; - and \\_ are the same in names.

What deletes asks first. With --yes nothing is asked; where there is no terminal to ask at, as in
a script, it has to be said.

The whole manual, with each step of splitting a domain, is served by the console under /help.

# COMMANDS

"""
    for noun in known["nouns"]:
        for each in noun["commands"]:
            text += command(" ".join([noun["name"], each["verb"]]).strip(), each)
    for each in known["processes"]:
        text += command(each["name"], each)
    return text + """# EXIT STATUS

0 done, 1 refused or not found, 2 usage; sendmail's are those of sysexits.h.

# ENVIRONMENT

*SPLITMAIL_DATA*
	The data folder, when there is no --data.

# FILES

_/var/lib/splitmail_
	The data folder: splitmail.conf, directory.db, queue.db, tls, mail, spool.

# SEE ALSO

*splitmail.conf*(5), *sendmail*(8)
"""


def sendmail(known):
    [own] = [p for p in known["processes"] if p["name"] == "sendmail"]
    first = own["what"].split(". ")[0].rstrip(".")
    text = head("sendmail", 8, plain(first[0].lower() + first[1:]))
    usage = plain(own["usage"])
    return text + f"""# SYNOPSIS

*sendmail* {usage}

*mailq*

*newaliases*

# DESCRIPTION

{paragraphs(own['what'])}{paragraphs(own['more'])}
*mailq* is *sendmail -bp*, *newaliases* is *sendmail -bi*.

# EXAMPLES

{indented(literal(own['example'].replace('splitmail sendmail', 'sendmail')))}
# FILES

_/etc/aliases_
	Where mail for names of this host goes.

_/run/splitmail/submit_
	The socket where mail is handed in.

# SEE ALSO

*splitmail*(8), *splitmail.conf*(5)
"""


def usual(setting):
    value = setting.get("default")
    if value is None:
        return "It has to be there." if setting["kind"] == "needed" else \
            "A list; by itself empty."
    if setting["kind"] == "flag":
        value = "true" if value else "false"
    if setting["kind"] == "text":
        return f'By itself "{value}".'
    bounds = f", from {setting['least']} to {setting['most']}" \
        if setting["kind"] == "number" else ""
    return f"By itself {value}{bounds}."


def configuration(known):
    text = head("splitmail.conf", 5, "what Splitmail has to know beforehand")
    text += """# DESCRIPTION

Lines *key = value*, text between double quotes, lists as { "one", "two" }, and blocks, the
name of each in front of braces. What follows # is a comment. A file with only *hostname* is a working configuration.
Everything else is in the directory, and changed by splitmail(8) and in the console. What is
changed in this file is in force after *systemctl restart splitmail*.

# SETTINGS

"""
    blocks = known["blocks"]
    for block in [blocks[-1], *blocks[:-1]]:
        title = "Outside of blocks" if block["name"] == "top" else block["name"]
        text += f"## {title}\n\n"
        if block["name"] != "top":
            text += plain(block["what"]) + "\n\n"
        for setting in block["settings"]:
            text += f"*{plain(setting['key'])}*\n"
            text += indented(plain(setting["what"] + " " + usual(setting)))
            text += "\n\n"
    return text + """# EXAMPLES

```
hostname = "mx.example.org"
user = "splitmail"
tls {
	certificate = "/etc/ssl/mx/fullchain.pem"
	key = "/etc/ssl/mx/privkey.pem"
}
```

# FILES

_/var/lib/splitmail/splitmail.conf_

# SEE ALSO

*splitmail*(8)
"""


PAGES = {"splitmail.8": splitmail, "sendmail.8": sendmail,
         "splitmail.conf.5": configuration}
