#!/usr/bin/python3
"""Whole engines can live side by side in one program, and in simulated worlds.

usage: seam.py LIBRARY... -- RT...

Reads the LIBRARYs of which an engine is made, with nm, and fails (exit 1) on
  asks   a symbol that neither they nor RT (rt and dns: what a simulated world
         has instead of the kernel) define, and that is not in one of the lists
         below: it would ask the machine behind the world's back
  keeps  a variable of the program, of which all its engines would have the
         same one: a member of what it belongs to, or one of rt's own
         (rt/own_inside.h)
"""

import re
import subprocess
import sys

# Functions of libc that know nothing but their arguments.
PURE = set("""
    abort bcmp bsearch calloc free malloc realloc qsort strdup strndup
    memchr memcmp memcpy memmem memmove memrchr memset mempcpy
    strcasecmp strncasecmp strchr strcmp strcspn strlen strncmp strncpy strnlen
    strpbrk strrchr strspn strstr stpcpy
    snprintf vsnprintf sscanf strtol strtoul strtoll strtoull
    gmtime_r timegm strftime inet_ntop inet_pton
    __errno_location __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc
    __stack_chk_fail __popcountdi2 __tls_get_addr _GLOBAL_OFFSET_TABLE_
    """.split())

# Libraries that do not ask either; SQLite asks by way of rt (db/vfs.c).
LIBRARIES = re.compile(
    r"u8_|u32_|uc_|uninorm_|json_|jsonp_|sqlite3_|crypto_|sodium_|oath_|idn2_|psl_|"
    r"__asan_|__ubsan_|__gcov_|__sanitizer_")

# file -> what it alone may ask: the end of a process that has a fault, what is
# kept for a thread, and what is no engine's: tools on a queue that rests.
ASKS = {
    "check.c": {"write"},
    "arena.c": {"pthread_key_create", "pthread_once", "pthread_setspecific"},
    "tools.c": {"access"},
    "tools_list.c": {"fopen", "fopen64", "fread", "fclose", "ferror"},
}

# file -> what it alone may keep: a thread's, and what is the same for all and
# made once.
KEEPS = {
    "arena.c": {"at_thread_end", "once", "spare", "spares"},
    "fail.c": {"own_slot", "slot"},
    "fold.c": {"letters", "once"},
    "vfs.c": {"is_there", "once", "ours"},
}

VARIABLES = {".data", ".bss", ".tdata", ".tbss", ".data.rel", ".data.rel.local"}


def symbols(library):
    """(file, name, section) of each; the section is *UND* if it is asked for."""
    out = subprocess.run(["nm", "--format=sysv", library], check=True,
                         capture_output=True, text=True).stdout
    file = None
    for line in out.splitlines():
        member = re.match(r"(?:Symbols|Undefined symbols) from .*\[.*?([^/]+)\.o\]:",
                          line)
        if member:
            file = member[1]
        columns = [column.strip() for column in line.split("|")]
        if len(columns) == 7 and columns[0] != "Name":
            yield file, columns[0], columns[6]


def plain(name):
    """The name in the source, of a static within a function or a symbol that
    the compiler fortified."""
    name = re.sub(r"\.\d+$", "", name)
    fortified = re.fullmatch(r"__(\w+)_chk", name)
    return fortified[1] if fortified else name


def look(libraries, below):
    seen = [s for library in libraries for s in symbols(library)]
    defined = {name for library in below for _, name, section in symbols(library)
               if section != "*UND*"}
    defined |= {name for _, name, section in seen if section != "*UND*"}
    found = set()
    for file, name, section in seen:
        name = plain(name)
        if section == "*UND*":
            if not (name in defined or name in PURE or LIBRARIES.match(name) or
                    name in ASKS.get(file, ())):
                found.add(f"{file}: asks: {name}()")
        elif section in VARIABLES and "asan" not in name:
            if name not in KEEPS.get(file, ()):
                found.add(f"{file}: keeps: {name}")
    return sorted(found), len(seen)


def main():
    at = sys.argv.index("--")
    found, n = look(sys.argv[1:at], sys.argv[at + 1:])
    for line in found:
        print(line)
    print(f"seam: {n} symbols, {len(found)} errors")
    return 1 if found or not n else 0


if __name__ == "__main__":
    sys.exit(main())
