#!/usr/bin/python3
"""Make C of a folder of web pages: embed_folder.py FOLDER FALLBACK OUTPUT
[TABLE [PREFIX]].

TABLE (web_files) is as src/console/web.h has it; PREFIX stands in front of each
path.  Without FOLDER it holds the one file FALLBACK, as /index.html.  OUTPUT
stays untouched when nothing has changed.
"""
import gzip
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript",
         ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png",
         ".ico": "image/x-icon", ".json": "application/json",
         ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
         ".webmanifest": "application/manifest+json"}
LINE = 64


def files(folder, fallback):
	if not os.path.isfile(os.path.join(folder, "index.html")):
		return [("/index.html", fallback)]
	found = []
	for place, names, here in os.walk(folder):
		names.sort()
		for name in sorted(here):
			path = os.path.join(place, name)
			found.append(("/" + os.path.relpath(path, folder), path))
	return found


def literal(data):
	lines = []
	for at in range(0, len(data), LINE):
		part = data[at:at + LINE]
		lines.append('\t"%s"' % "".join("\\%03o" % byte for byte in part))
	return "\n".join(lines) or '\t""'


def read(path):
	with open(path, "rb") as file:
		return file.read()


folder, fallback, target, table, prefix = (
	sys.argv[1:] + ["web_files", ""][len(sys.argv) - 4:])
texts, rows = [], []
for number, (name, path) in enumerate(files(folder, fallback)):
	kind = TYPES.get(os.path.splitext(name)[1])
	if not kind:
		sys.exit("%s: of which type is %s?" % (sys.argv[0], name))
	data = read(path)
	packed = gzip.compress(data, 9, mtime=0)
	texts.append("static const char bytes_%d[] =\n%s;\n"
	             % (number, literal(data)))
	row = '\t{ "%s", "%s", bytes_%d, %d, ' % (prefix + name, kind, number, len(data))
	if len(packed) < len(data) * 9 // 10:
		texts.append("static const char packed_%d[] =\n%s;\n"
		             % (number, literal(packed)))
		row += "packed_%d, %d }," % (number, len(packed))
	else:
		row += "NULL, 0 },"
	rows.append(row)

made = ('#include "console/web.h"\n\n%s\nconst struct web_file %s[] = {'
        "\n%s\n};\nconst size_t %s_n = %d;\n"
        % ("\n".join(texts), table, "\n".join(rows), table, len(rows)))
if not os.path.exists(target) or read(target) != made.encode():
	with open(target, "w", encoding="utf-8") as file:
		file.write(made)
