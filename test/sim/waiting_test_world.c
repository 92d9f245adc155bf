/*
 * The world of mail that waits (waiting_test_world.h).
 */
#include "waiting_test_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "db/sql.h"
#include "dns/dns_sim.h"

static struct sim_host *outside;
struct engine_of mx;

/* ---- other systems ---- */

enum { PLACES = 8 };

static struct place places[PLACES];
static size_t n_places;

static struct place *make_place(const struct rule *rule)
{
	struct place *p = &places[n_places];
	char name[16];

	check(n_places < PLACES);
	n_places++;
	snprintf(name, sizeof(name), "place%zu", n_places);
	snprintf(p->at, sizeof(p->at), "192.0.2.%zu", 100 + n_places);
	p->conduct = (struct conduct){ .name = "one of a test",
				       .idle_ms = 600000,
				       .extensions = { "PIPELINING", "8BITMIME",
						       "DSN" },
				       .n_extensions = 3,
				       .rules = &p->rule };
	if (rule) {
		p->rule = *rule;
		p->conduct.n_rules = 1;
	}
	p->peer = sim_peer_new(&p->conduct, "0.0.0.0:25");
	p->host = sim_host(name, p->at);
	return p;
}

struct place *new_place(void)
{
	return make_place(NULL);
}

struct place *new_place_that_is_up(void)
{
	struct place *p = make_place(NULL);

	rises(p);
	return p;
}

struct place *new_place_that(enum moment at, struct deed does, uint64_t times)
{
	struct rule rule = { .at = 1U << at,
			     .when = { .times = times },
			     .does = does };
	struct place *p = make_place(&rule);

	rises(p);
	return p;
}

void rises(struct place *p)
{
	p->process = sim_start(p->host, "place", sim_peer_run, p->peer);
}

void falls(struct place *p)
{
	sim_kill(p->process);
}

size_t has(const struct place *p)
{
	return sim_peer_mails(p->peer);
}

bool has_text(const struct place *p, size_t i, const char *text)
{
	return str_search(sim_peer_mail(p->peer, i)->bytes, str_of(text)) >= 0;
}

/* ---- the directory ---- */

void is_done(struct change r)
{
	if (r.outcome != CHANGE_DONE)
		fail_msg("%s", r.sentence);
}

struct setting_of {
	const char *name, *key, *value;
};

static void set_domain(struct changes *c, void *arg)
{
	const struct setting_of *s = arg;
	struct setting one = { str_of(s->key), str_of(s->value) };

	is_done(domain_set(c, str_of(s->name), &one, 1));
}

void domain_is(const char *name, const char *key, const char *value)
{
	struct setting_of s = { name, key, value };

	engine_of_change(&mx, set_domain, &s);
}

static void set_user(struct changes *c, void *arg)
{
	const struct setting_of *s = arg;
	struct setting one = { str_of(s->key), str_of(s->value) };

	is_done(user_set(c, str_of(s->name), &one, 1));
}

void user_is(const char *name, const char *key, const char *value)
{
	struct setting_of s = { name, key, value };

	engine_of_change(&mx, set_user, &s);
}

static void create_domain(struct changes *c, void *arg)
{
	const struct setting_of *s = arg;
	struct setting one = { str_of(s->key), str_of(s->value) };

	is_done(domain_create(c, str_of(s->name), &one, 1));
}

void new_domain(const char *name, const char *relay)
{
	struct setting_of s = { name, "relay", relay };

	engine_of_change(&mx, create_domain, &s);
}

static void create_user(struct changes *c, void *address)
{
	struct setting away = { S("mail_system"), S("alternate") };

	is_done(user_create(c, str_of(address), &away, 1));
}

void new_user(const char *address)
{
	engine_of_change(&mx, create_user, (void *)address);
}

static void create_system(struct changes *c, void *arg)
{
	const struct setting_of *s = arg;
	struct setting hosts = { S("hosts"), str_of(s->value) };

	is_done(system_create(c, str_of(s->name), &hosts, 1));
}

void new_system(const char *name, const struct place *p)
{
	struct setting_of s = { name, NULL, p->at };

	engine_of_change(&mx, create_system, &s);
}

/* The test's own domains come later: first there are places. */
static void fill_nothing(struct changes *c)
{
	(void)c;
}

struct place *new_place_of_the_sender(void)
{
	struct place *back = new_place_that_is_up();

	new_domain("back.test", back->at);
	new_user(SENDER);
	return back;
}

/* ---- the queue, as its tools have it ---- */

static struct sql *open_queue(enum sql_mode mode)
{
	static const struct sql_file file = { .name = "queue.db",
					      .read_wait_ms = 10000,
					      .write_wait_ms = 10000 };
	struct sql *s = sql_open(&file, "/data/queue.db", mode);

	check(s);
	return s;
}

static void look(void *arg)
{
	struct look *l = arg;
	struct sql *s = open_queue(SQL_READ);
	struct query q =
		sql_query(s, "SELECT attempts, reply FROM recipient", "");

	while (query_step(&q) == SQL_ROW) {
		l->recipients++;
		l->attempts += (unsigned)query_int(&q, 0);
		snprintf(l->reply, sizeof(l->reply), "%.*s",
			 STR(query_peek(&q, 1)));
	}
	query_free(&q);
	sql_close(s);
}

struct look queue(void)
{
	struct look l = { 0 };

	engine_of_do(&mx, look, &l);
	return l;
}

void retry_all(void)
{
	change_queue("UPDATE recipient SET next_attempt = 0");
}

static void run_script(void *text)
{
	struct sql *s = open_queue(SQL_WRITE);

	check(sql_script(s, text));
	sql_close(s);
}

void change_queue(const char *script)
{
	engine_of_do(&mx, run_script, (void *)script);
}

/* ---- a client ---- */

static bool name_recipients(struct stream *s, const struct letters *l)
{
	const char *at = strchr(l->to, '@');
	char line[100];

	for (unsigned i = 1; i <= l->recipients; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<%.*s+%u%s>\r\n",
			 (int)(at - l->to), l->to, i, at);
		if (client_asks(s, line) != 250)
			return false;
	}
	snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", l->to);
	return l->recipients || client_asks(s, line) == 250;
}

static bool send_one(struct stream *s, const struct letters *l)
{
	char line[100];

	snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", l->from);
	return client_asks(s, line) == 250 && name_recipients(s, l) &&
	       client_asks(s, "DATA\r\n") == 354 &&
	       client_asks(s, "Subject: x\r\n\r\nhello\r\n.\r\n") == 250;
}

static void send_all(void *letters)
{
	struct letters *l = letters;
	struct stream *s = client_greets("192.0.2.1");

	for (unsigned i = 0; i < l->n; i++) {
		int64_t begun_ms = now_ms();

		l->taken += send_one(s, l);
		if (now_ms() - begun_ms > l->took_ms)
			l->took_ms = now_ms() - begun_ms;
	}
	client_asks(s, "QUIT\r\n");
	stream_close(s);
}

/* Until it is answered; the milliseconds that the slowest took. */
int64_t send_letters(struct letters l)
{
	struct sim_process *p = sim_start(outside, "client", send_all, &l);

	while (!sim_has_ended(p))
		check(sim_step(after_ms(900000) * 1000));
	assert_int_equal(l.taken, l.n);
	return l.took_ms;
}

int64_t send_far(unsigned n)
{
	return send_letters((struct letters){ SENDER, FAR, .n = n });
}

/* N mails for FAR wait for P, which is down or will not. */
void wait_for(const struct place *p, unsigned n)
{
	new_domain("own.test", p->at);
	new_user(FAR);
	send_far(n);
	assert_int_equal(queue().recipients, n);
}

void pass(int64_t ms)
{
	sim_run(after_ms(ms));
}

/* They are there, once each, and nothing waits. */
void have_come_to(const struct place *p, unsigned n)
{
	assert_int_equal(has(p), n);
	assert_int_equal(queue().recipients, 0);
}

/* ---- worlds ---- */

static void hear_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	if (getenv("SHOW"))
		fprintf(stderr, "%.*s", STR(lines));
}

int world_begin(void **state)
{
	(void)state;
	sim_open(1);
	sim_hear_log(hear_log, NULL);
	*sim_link_default() =
		(struct sim_link){ .latency_us = 2000, .jitter_us = 3000 };
	outside = sim_host("client", "192.0.2.3");
	mx = (struct engine_of){ .host = sim_host("mx", "192.0.2.1"),
				 .settings = engine_settings_of("mx.own.test"),
				 .fill = fill_nothing };
	mx.settings.deliver.retry_min_s = RETRY_S;
	mx.settings.deliver.retry_max_s = RETRY_S;
	return 0;
}

int world_end(void **state)
{
	(void)state;
	sim_hear_log(NULL, NULL);
	sim_close();
	dns_sim_forget();
	for (size_t i = 0; i < n_places; i++)
		sim_peer_close(places[i].peer);
	memset(places, 0, sizeof(places));
	n_places = 0;
	return 0;
}

void begin(void)
{
	engine_of_start(&mx);
	pass(1000);
}

/* With these times between attempts, and this one until it is given up. */
void begin_hasty(int64_t retry_s, int64_t expiry_s)
{
	mx.settings.deliver.retry_min_s = retry_s;
	mx.settings.deliver.retry_max_s = retry_s;
	mx.settings.deliver.expiry_s = expiry_s;
	begin();
}
