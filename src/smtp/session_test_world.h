/*
 * What the dialogues are played in (session_test.c): a directory, a queue, keys,
 * Dovecot's side of AUTH; and what is written in their scripts.
 */
#ifndef SMTP_SESSION_TEST_WORLD_H
#define SMTP_SESSION_TEST_WORLD_H

#include "queue/queue.h"
#include "route/guard.h"
#include "rt/stream.h"
#include "rt/tls.h"
#include "smtp/deliver_fake.h"
#include "smtp/session.h"

enum { PATIENCE_MS = 120000 };

struct session_world {
	char folder[32];
	struct tls_context *tls_of_server, *tls_of_client;
	struct queue *queue;
	struct guard *guard;
	struct smtp_settings settings;
	char *alices_right; /* as dovecot_login has it (schema.sql) */
};

extern struct session_world the_world;

/* cmocka's, of all dialogues together. */
int world_make(void **state);
int world_remove(void **state);
/* NAME in its folder; good until the fourth call after this one. */
const char *world_path(const char *name);
/* On the loop: alice logs in with "secret", on a slow day with "later". */
struct listener *world_dovecot(void);

/* What a script's text stands for. */
void script_unfold(struct str text, struct buf *out);

#endif
