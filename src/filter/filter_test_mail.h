/*
 * A mail for the tests of filters: begun, told to filters that do as they are
 * told (filter_test_script.h), and looked at.  A story runs in a loop.
 */
#ifndef FILTER_FILTER_TEST_MAIL_H
#define FILTER_FILTER_TEST_MAIL_H

#include "base/test.h"
#include "filter/filter.h"
#include "filter/filter_test_script.h"

#define FRONT "Received: by us\r\n"
#define HEADER "Subject: hi\r\n there\r\nX-A: 1\r\n"
#define BODY "line one\r\nline two\r\n"

struct mail {
	struct filters *filters;
	struct script *scripts[2]; /* in this order */
	struct filter list[2];
	size_t n;
	struct filtering *filtering;
	struct filter_client client;
	struct message *message;
	struct filter_letter letter;
	struct filter_verdict at_mail, at_rcpt, at_end;
};

/* Begun, and given to the filters as a session does; mail_end() is left. */
void waits one_mail(struct mail *m);
void mail_end(struct mail *m);
/* STORY in a loop, with one filter or two. */
void play(struct script *first, struct script *second,
	  void (*story)(struct mail *m));

/* Otherwise the test ends: nothing can be thrown out of a fiber. */
void has(const struct buf *b, const char *text);
void is(struct str got, const char *text);
/* What the first filter heard, in whole: the last of it is said to nobody who
 * waits. */
void waits heard(const struct mail *m, const char *text);

#endif
