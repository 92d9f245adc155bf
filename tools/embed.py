#!/usr/bin/python3
"""Make a C string of a text file, for the build: embed.py NAME INPUT OUTPUT.

	extern const char NAME[];
"""
import sys


def literal(line):
	text = line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
	return '\t"%s\\n"' % text.replace("\t", "\\t")


name, source, target = sys.argv[1:]
with open(source, encoding="utf-8") as f:
	lines = [literal(line) for line in f.read().split("\n")]
with open(target, "w", encoding="utf-8") as f:
	f.write("extern const char %s[];\nconst char %s[] =\n%s;\n"
	        % (name, name, "\n".join(lines)))
