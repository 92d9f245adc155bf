/*
 * For tests: deliver between a queue on a real disk and next hops on real
 * sockets, in one loop.
 *
 *	static void late_answer(struct world *w)
 *	{
 *		w->a.final_ms = 500;
 *		says(w, submit(w, "s@x.test", "bob@a.test"), "250");
 *		...
 *	}
 *
 * Where an address goes is its domain: a.test and b.test are the systems A and
 * B, box.test has mailboxes, net.test is the Internet's; group@box.test
 * expands to w->members.  What a next hop thinks of a recipient is his name:
 * no... 550, busy... 450, full... 452 after the final dot, and by w->a... what
 * it does otherwise.
 */
#ifndef DELIVER_TEST_WORLD_H
#define DELIVER_TEST_WORLD_H

#include "deliver/job.h"
#include "rt/stream.h"

struct hop_mail {
	char mail[200];     /* the MAIL line */
	char rcpts[8000];   /* RCPT lines, each ended by '\n' */
	struct buf content; /* unstuffed */
	bool by_bdat;
	struct hop_mail *next;
};

/* A next hop: well-behaved, except where told otherwise. */
struct fake_hop {
	const char *name;
	uint16_t port;
	char path[128]; /* LMTP, instead */
	struct listener *listener;
	const char *caps; /* "PIPELINING DSN" */
	const char *greeting, *ehlo, *mail, *rcpt, *data, *final;
	const char *null_sender; /* reply to MAIL FROM:<> */
	int64_t final_ms, greeting_ms;
	bool drop_after_dot;
	int drop_at_mail; /* at the nth MAIL, without a word */
	bool breaks_tls;
	const char *after_starttls; /* injected with the 220 */
	struct tls_context *tls;
	/* Said by the nth connection instead of all that: "S" line, "C" one
	 * command is read, "D" a message is read, "X" close. */
	const char *script[4];
	int connections, resets, probes;
	struct hop_mail *mails; /* newest first */
	int n_mails;
};

struct world {
	char folder[64];
	struct queue *queue;
	struct deliver_settings settings;
	struct router router;
	struct verification *verification;
	struct deliver *deliver;
	struct fiber *scheduler;
	struct fake_hop a, b, box;
	struct system sys_a, sys_b;
	char hosts_a[64], hosts_b[64];
	const char *members;
	enum asker_kind asker;
	struct str sender_trail;
	unsigned notify;
	char body[4096];
	struct buf large; /* used instead when not empty */
	char last_reply[1024];
	char last_id[16];
	char failed[512]; /* the first thing that was wrong */
};

extern struct world *the_world;

/* Run TEST in a world of its own; cmocka hears what went wrong. */
void world_run(void (*test)(struct world *w));

#define wrong_unless(w, x)                                                     \
	((x) ? (void)0 : world_wrong((w), __FILE__, __LINE__, #x))
void world_wrong(struct world *w, const char *file, int line, const char *what);

/* RECIPIENTS are separated by spaces; returns "250 2.0.0 text". */
const char *waits submit(struct world *w, const char *sender,
                         const char *recipients);
#define says(w, reply, start)                                                  \
	do {                                                                   \
		const char *said_ = (reply);                                   \
		if (!str_starts(str_of(said_), S(start)))                      \
			world_wrong((w), __FILE__, __LINE__, said_);           \
	} while (0)
/* Messages in the queue that nobody attempts now; text of the recipients
 * "a@b c@d" in TO. */
int waits queued(struct world *w, char *to, size_t room);
void scheduler_begin(struct world *w);
/* Wait for it, up to five seconds. */
#define wait_for(w, x)                                                         \
	do {                                                                   \
		int64_t until_ = after_ms(5000);                               \
		while (!(x) && now_ms() < until_)                              \
			fiber_sleep(after_ms(5));                              \
		wrong_unless((w), x);                                          \
	} while (0)

#endif
