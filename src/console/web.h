/* The web pages and the manual, as tools/embed_folder.py puts them into the
 * binary. */
#ifndef CONSOLE_WEB_H
#define CONSOLE_WEB_H

#include "console/request.h"

struct web_file {
	const char *path; /* "/index.html", "/help/start/index.html" */
	const char *type;
	const char *bytes;
	size_t n;
	const char *packed; /* by gzip; or NULL when that saves nothing */
	size_t packed_n;
};

extern const struct web_file web_files[];
extern const size_t web_files_n;
/* The manual, below /help. */
extern const struct web_file help_files[];
extern const size_t help_files_n;

const struct web_file *web_find(const struct web_file *files, size_t n,
				struct str path);
/* FOR_EVER: a browser need not ask for it again, its name says what is in it. */
struct response web_show(struct request *r, const struct web_file *f,
			 bool for_ever);

/* Is it the manual's?  Then this is what there is, for everybody. */
bool is_help(struct str path);
struct response show_help(struct request *r);

#endif
