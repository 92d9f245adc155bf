/*
 * Who answers what: routes.def as declarations, and as a table.
 */
#ifndef CONSOLE_HANDLERS_H
#define CONSOLE_HANDLERS_H

#include "console/request.h"

/* METRICS: as SUPER, and by a token that is for nothing else. */
enum right { OPEN, ANY, SESSION, DOMAIN, SUPER, METRICS };
enum has_body { NO_BODY, BODY, STREAM };

struct route {
	const char *method, *path;
	struct response (*handler)(struct request *r);
	enum right right;
	enum has_body body;
};

#define ROUTE(method, path, handler, right, body) \
	struct response handler(struct request *r);
#include "console/routes.def"
#undef ROUTE

/* The document of the API as a page, for people. (docs.c) */
#define DOCS_PATH "/api/docs"
struct response on_docs(struct request *r);
/* Everything that is none of these: the web pages. (web.c) */
struct response on_web(struct request *r);

/* Called when a request that parked is gone. (relay_test.c) */
void relay_test_forget(struct request *r);

#endif
