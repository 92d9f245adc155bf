/*
 * For tests: deliver between a queue on a disk and next hops on sockets, in one
 * loop.  Linked with rt/linux both are real; with rt/sim they are a world's,
 * and so is the time, of which waiting takes none.
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
 * expands to w->members, somebody on the Internet is stand-in@box.test, and
 * both@box.test lives at B as well.  What a next hop thinks of a recipient is his
 * name: no... 550, busy... 450, many... 452 as for too many, end... 421, shut...
 * closes without a word, full... 452 after the final dot, and by w->a... what
 * it does otherwise.
 */
#ifndef DELIVER_TEST_WORLD_H
#define DELIVER_TEST_WORLD_H

#include "deliver/inside.h"
#include "rt/log.h"
#include "rt/stream.h"
#include "rt/tally.h"

enum { WORLD_MEMBERS = 500 }; /* of the group, at most */

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
	const char *caps; /* "PIPELINING DSN AUTH+PLAIN" */
	const char *greeting, *ehlo, *mail, *rcpt, *data, *final;
	const char *null_sender; /* reply to MAIL FROM:<> */
	int64_t final_ms, greeting_ms, rcpt_ms;
	bool drop_after_dot;
	bool takes_no_notify; /* with RCPT: 501, of the parameter */
	bool makes_mailbox;   /* with its first mail, which has to be alone */
	int n_open;           /* recipients whose mail has not ended */
	int drop_at_mail;     /* at the nth MAIL, without a word */
	int most_refused; /* RCPTs on one connection, then 421; 0: any number */
	const char *reset; /* reply to RSET; "" is silence */
	bool breaks_tls;
	const char *after_starttls; /* injected with the 220 */
	struct tls_context *tls;
	/* Said by the nth connection instead of all that: "S" line, "C" one
	 * command is read, "D" a message is read, "X" close. */
	const char *script[4];
	int connections, resets, probes, rcpts;
	int most_asked;         /* MAILs on one connection */
	struct hop_mail *mails; /* newest first */
	int n_mails;
};

void hop_open(struct fake_hop *hop);
void hop_forget(struct fake_hop *hop);
/* How many mails it took for RCPT, "<bob@a.test>". */
int said_to(const struct fake_hop *hop, const char *rcpt);
/* Is TEXT the last mail it took?  Most are CONTENT: what submit() sends. */
bool is_content(const struct fake_hop *hop, const char *text);
#define CONTENT \
	"Received: from x by here\r\nSubject: hello\r\n\r\n" \
	".dots\r\n..\r\n.\r\nend\r\n"
/* Is TEXT in it? */
bool contains(const struct fake_hop *hop, const char *text);

struct world {
	char folder[64];
	struct queue *queue;
	struct deliver_settings settings;
	struct router router;
	struct tally *open_questions;
	struct verification *verification;
	struct deliver *deliver;
	struct fiber *scheduler;
	struct fake_hop a, b, box;
	struct system sys_a, sys_b;
	char hosts_a[64], hosts_b[64];
	struct tlsa tlsa[4]; /* of hosts of domains that begin with "dane-" */
	size_t n_tlsa;
	struct str txt; /* of whatever name */
	const char *members;
	int box_questions; /* that find box.test; then it is no domain of ours */
	enum asker_kind asker;
	unsigned askers_read; /* from the text in the queue */
	struct str sender_trail;
	const char *hold_why; /* what is submitted is held; NULL: it is not */
	unsigned notify;
	bool says_utf8;               /* as MAIL does */
	struct header_summary header; /* as the session read it */
	const char *trace;            /* put in front of it; NULL: a Received */
	char body[4096];
	struct buf large; /* used instead when not empty */
	char last_reply[1024];
	char last_id[16];
	char failed[512]; /* the first thing that was wrong */
};

extern struct world *the_world;

/* Where it lies: deliver_test_disk.c, or deliver_test_disk_sim.c. */
void world_disk_open(char folder[64]);
void world_disk_close(const char *folder);
void world_disk_is_full(bool is_full);

/* Run TEST in a world of its own; cmocka hears what went wrong. */
void world_run(void (*test)(struct world *w));

/* All of TESTS, a list of names like TESTS(T) T(one) T(other): a main() for
 * them. */
#define WORLD_TEST_RUN(test) \
	static void run_##test(void **state) \
	{ \
		world_run(test); \
	}
#define WORLD_TEST_ENTRY(test) cmocka_unit_test(run_##test),
#define WORLD_TESTS(TESTS) \
	TESTS(WORLD_TEST_RUN) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = { TESTS(WORLD_TEST_ENTRY) }; \
\
		log_open("here.test"); \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#define wrong_unless(w, x) \
	((x) ? (void)0 : world_wrong((w), __FILE__, __LINE__, #x))
void world_wrong(struct world *w, const char *file, int line, const char *what);

/* RECIPIENTS are separated by spaces; returns "250 2.0.0 text". */
const char *waits submit(struct world *w, const char *sender,
			 const char *recipients);
#define says(w, reply, start) \
	do { \
		const char *said_ = (reply); \
		if (!str_starts(str_of(said_), S(start))) \
			world_wrong((w), __FILE__, __LINE__, said_); \
	} while (0)
/* As long as the test likes: final_ms and its like may be set to 0 later. */
enum { LONG_MS = 60000 };

/* Messages in the queue that nobody attempts now; text of the recipients
 * "a@b c@d" in TO. */
int waits queued(struct world *w, char *to, size_t room);
void scheduler_begin(struct world *w);
/* Wait for it, up to a minute: machines are busy. */
#define wait_for(w, x) \
	do { \
		int64_t until_ = after_ms(60000); \
		while (!(x) && now_ms() < until_) \
			fiber_sleep(after_ms(5)); \
		wrong_unless((w), x); \
	} while (0)

#endif
