/* The web pages, as tools/embed_folder.py puts them into the binary. */
#ifndef CONSOLE_WEB_H
#define CONSOLE_WEB_H

#include <stddef.h>

struct web_file {
	const char *path; /* "/index.html", as it is asked for */
	const char *type;
	const char *bytes;
	size_t n;
	const char *packed; /* by gzip; or NULL when that saves nothing */
	size_t packed_n;
};

extern const struct web_file web_files[];
extern const size_t web_files_n;

#endif
