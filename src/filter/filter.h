/*
 * Filters: what a mail passes before it is accepted, by the milter protocol.
 *
 *	m = filtering_open(filters, list, n, &client, message->arena);
 *	v = filtering_mail(m, id, sender);		at MAIL
 *	v = filtering_rcpt(m, recipient);		at each RCPT
 *	v = filtering_message(m, &letter);		when all of it is there
 *	filtering_close(m);				whatever came of it
 *
 * A filter is connected to when a mail begins.  The filters hear of it in their
 * order, each with what those before it have changed; the first one that does
 * not let it pass has the last word, and what it wanted changed is forgotten.
 *
 * A filter that cannot be asked, does not answer in time or says what is not
 * the protocol is down for this mail, and never beyond it: the mail is to come
 * again, goes on without it, or is to be held, as its administrator wants.
 *
 * Files: macros.c (what a filter may ask by name), contact.c (connections),
 * answers.c (is one there?), conversation.c (one filter and one mail), wishes.c
 * (what it wants changed), filtering.c (the story).
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "directory/directory.h"
#include "queue/message.h"
#include "wire/header_edit.h"

struct dns;
struct ledger;
struct filters;   /* one per loop */
struct filtering; /* one mail */

/* What each has said of senders, recipients and mails; or how long it took for
 * mails: columns of a ledger with a row for each filter. */
enum filter_figure {
	FILTER_FIGURE_PASSED, /* mails only */
	FILTER_FIGURE_REFUSED,
	FILTER_FIGURE_LATER,
	FILTER_FIGURE_DISCARDED,
	FILTER_FIGURE_HELD, /* of those that passed */
	FILTER_FIGURE_DOWN, /* mails for which it was */
	FILTER_FIGURE_MS,
};
enum { FILTER_FIGURES = FILTER_FIGURE_MS + 1 };

/* Its row's state, by the last mail that it agreed to take: it has judged it, or
 * not, and the note says why. */
enum filter_state { FILTER_STATE_UNMET, FILTER_STATE_UP, FILTER_STATE_SILENT };

/* DNS may be NULL: then filters are known by addresses and paths only.  FIGURES
 * may be, too. */
struct filters *filters_open(struct dns *dns, struct ledger *figures);
void filters_close(struct filters *f); /* NULL is allowed */

/* Does it agree to take mail at SOCKET, by the deadline?  False: cause(). */
bool waits filter_answers(struct dns *dns, struct str socket,
			  int64_t deadline_ms) must_check;

/* Who sends, as filters are told; outlives the mail. */
struct filter_client {
	const char *hostname;    /* ours: in Authentication-Results */
	const struct inet *peer; /* NULL: a program of this machine */
	struct str name;         /* of its host; empty: none is known */
	const char *helo;
	const char *tls_version, *tls_cipher; /* "": without TLS */
	struct str login, mechanism;          /* empty: none */
	/* Mail of ours that leaves, and whose it is: "system:NAME", "local";
	 * empty: it is not, or a login says so.  Known by the time of DATA. */
	struct str outgoing_as;
	int64_t latest_ms; /* they have no longer than that, now_ms(); 0: for
			      each part of a mail LIMIT_FILTER_MAIL_MS */
};

enum filter_action {
	FILTER_PASS,
	FILTER_REFUSE, /* with its reply, 4xx or 5xx */
	FILTER_DISCARD,
};

struct filter_verdict {
	enum filter_action action;
	struct reply reply; /* in the mail's arena */
	struct str filter;  /* who said so; PASS: empty */
	bool is_down;       /* he did not: he is not there */
};

/* What is said where a filter says no more than that: 451 4.7.1. */
struct reply filter_later(void);

/* What is to become of a recipient, in the order in which filters wanted it. */
struct filter_recipient {
	bool is_added; /* else: none of the mail's any more */
	struct rcpt_command wanted;
	struct str filter;
};

/* A message as filters see and change it. */
struct filter_letter {
	struct message *message; /* perhaps with another body afterwards */
	size_t skip;             /* bytes of it that are the header; also
				    afterwards */
	struct str front;        /* ours, which no filter is shown */
	struct str header;  /* its fields, with what we add to them; not in the
			      body's memory */
	uint64_t max_bytes; /* of a new body */

	/* what came of it */
	bool is_changed; /* the header is now these fields, without */
	struct header_edited fields;     /* an empty line; or the body is new */
	const struct header_edit *edits; /* as filters said them, in order: */
	size_t n_edits;  /* what is written here came with nobody's mail */
	bool has_sender; /* the mail has another sender */
	struct mail_command sender;
	struct filter_recipient *recipients;
	size_t n;
	struct str held_by; /* it is to be held, and why; empty: it is not */
	struct str held_why;
};

struct filtering *filtering_open(struct filters *f, const struct filter *list,
				 size_t n, const struct filter_client *client,
				 struct arena *arena);
struct filter_verdict waits filtering_mail(struct filtering *m, struct str id,
					   struct str sender);
struct filter_verdict waits filtering_rcpt(struct filtering *m,
					   struct str recipient);
struct filter_verdict waits filtering_message(struct filtering *m,
					      struct filter_letter *letter);
/* How long its filters took for the message. */
int64_t filtering_ms(const struct filtering *m);
void filtering_close(struct filtering *m); /* NULL is allowed */

#endif
