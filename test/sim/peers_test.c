/*
 * The gallery of conducts, each played once against the whole engine: mail for
 * 1, 2, 7 and 50 users of a system that behaves so arrives, once each, within
 * the conduct's time; so do as many mails as it takes to meet its limits, and
 * one that is for somebody unknown, too.
 *
 * One world for all: the domain has one relay after the other, each a host of
 * its own, of which the engine knows nothing yet.
 *
 * CONDUCT=text in the environment: only those whose name has it; SEED=number:
 * another world; SHOW=1: with the engine's log.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "dns/dns_sim.h"
#include "engine_of.h"
#include "peer.h"

enum {
	USERS = 50,
	RETRY_S = 300,
	/* What a retry or two may add. */
	RETRIES_MS = 3 * RETRY_S * 1000,
	MAILS = 40, /* of one trial at most */
	CLIENTS = 3,
	LARGE_LIMIT = 10, /* more are not tried out */
};

static const size_t sizes[] = { 1, 2, 7, USERS };

static struct sim_host *outside;
static struct engine_of mx;
static struct gallery *gallery;
static struct trial *trials;
static struct sim_peer *back;
static unsigned failures;

/* What a user got of one mail. */
struct came {
	unsigned times;
	int64_t first_ms;
};

struct sent {
	size_t users;     /* it is for u1... */
	bool with_nobody; /* and for somebody unknown */
	int code;         /* at the dot; 0: not sent yet */
	int64_t begun_ms;
	struct came came[USERS + 1];
};

/* One conduct's turn. */
struct trial {
	size_t number;
	const struct conduct *conduct;
	struct sim_peer *peer;
	struct sim_host *host;
	char relay[60];
	struct sent mails[MAILS];
	size_t n, next; /* to be sent */
	unsigned clients;
	size_t n_came;
};

/* ---- mx ---- */

static void make_directory(struct changes *c)
{
	struct setting away = { S("mail_system"), S("alternate") };
	struct setting relay = { S("relay"), S("192.0.2.254") };
	char address[40];

	check(domain_create(c, S("own.test"), &relay, 1).outcome ==
	      CHANGE_DONE);
	for (int i = 1; i <= USERS; i++) {
		snprintf(address, sizeof(address), "u%d@own.test", i);
		check(user_create(c, str_of(address), &away, 1).outcome ==
		      CHANGE_DONE);
	}
}

/* An administrator: KEY=VALUE of the domain. */
static void set_domain(struct changes *c, void *setting)
{
	check(domain_set(c, S("own.test"), setting, 1).outcome == CHANGE_DONE);
}

static void domain_is(const char *key, const char *value)
{
	struct setting s = { str_of(key), str_of(value) };

	engine_of_change(&mx, set_domain, &s);
}

/* ---- a client ---- */

static int name_recipients(struct stream *s, const struct sent *m)
{
	int code = client_asks(s, "MAIL FROM:<a@client.test>\r\n");
	char line[60];

	for (size_t i = 1; i <= m->users && code == 250; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<u%zu@own.test>\r\n", i);
		code = client_asks(s, line);
	}
	/* Refused, or taken with the others, as it may be. */
	if (m->with_nobody && code == 250 &&
	    client_asks(s, "RCPT TO:<nobody@own.test>\r\n") == 0)
		code = 0;
	return code;
}

/* The first code that is none of success, or the last. */
static int send_mail(const struct trial *t, struct stream *s,
		     const struct sent *m)
{
	int code = name_recipients(s, m);
	char text[100];

	if (code != 250 || (code = client_asks(s, "DATA\r\n")) != 354)
		return code;
	snprintf(text, sizeof(text), "Subject: %zu of %zu\r\n\r\n..\r\n.\r\n",
		 (size_t)(m - t->mails), t->number);
	return client_asks(s, text);
}

/* One of several that share the mails. */
static void send_some(void *arg)
{
	struct trial *t = arg;
	struct stream *s = client_greets("192.0.2.1");

	while (t->next < t->n) {
		struct sent *m = &t->mails[t->next++];

		m->begun_ms = now_ms();
		m->code = send_mail(t, s, m);
	}
	client_asks(s, "QUIT\r\n");
	stream_close(s);
}

/* ---- what came ---- */

/* A peer has M, of whichever trial: what is sent again goes to the relay of
 * that moment. */
static void note(void *arg, struct sim_peer *p, const struct sim_peer_mail *m)
{
	ptrdiff_t mark = str_search(m->bytes, S("\r\nSubject: "));
	size_t number, i, user;

	(void)arg;
	(void)p;
	check(mark >= 0 && str_ends(m->bytes, S("\r\n\r\n.\r\n")));
	check(sscanf(m->bytes.p + mark, "\r\nSubject: %zu of %zu\r\n", &i,
		     &number) == 2);
	for (size_t j = 0; j < m->n; j++) {
		struct came *c;

		if (sscanf(m->recipients[j].p, "u%zu@own.test", &user) != 1)
			continue;
		c = &trials[number].mails[i].came[user];
		if (c->times++ == 0)
			c->first_ms = m->taken_us / 1000;
		trials[number].n_came++;
	}
}

static void complain(const struct trial *t, const struct sent *m, size_t user,
		     const char *what)
{
	fprintf(stderr, "%s: mail %zu, of %zu: u%zu: %s\n", t->conduct->name,
		(size_t)(m - t->mails), m->users, user, what);
	failures++;
}

static int64_t allowed_ms(const struct trial *t)
{
	return t->conduct->within_ms + (t->conduct->retries ? RETRIES_MS : 0);
}

static void look(const struct trial *t, const struct sent *m, size_t user)
{
	const struct came *c = &m->came[user];

	if (c->times == 0)
		complain(t, m, user, "has not come");
	else if (c->times > 1 && !t->conduct->is_open)
		complain(t, m, user, "has come twice");
	else if (c->first_ms - m->begun_ms > allowed_ms(t))
		complain(t, m, user, "has come late");
}

static void look_at_all(const struct trial *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct sent *m = &t->mails[i];

		if (m->code != 250)
			complain(t, m, 0, "was not taken");
		else
			for (size_t user = 1; user <= m->users; user++)
				look(t, m, user);
	}
}

static bool has_come(const struct trial *t)
{
	size_t wanted = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->mails[i].code == 0)
			return false;
		else
			wanted += t->mails[i].users;
	return t->n_came >= wanted;
}

/* ---- the world ---- */

static void no_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	if (getenv("SHOW"))
		fprintf(stderr, "%.*s", STR(lines));
}

/* Which mails it takes to meet its limits; one that is about the number of
 * mails needs none for many. */
static void plan(struct trial *t)
{
	const struct conduct *c = t->conduct;
	uint64_t mails = 0, singles;
	bool knows = false;

	for (size_t i = 0; i < c->n_rules; i++) {
		knows |= c->rules[i].when.is_unknown;
		if (c->rules[i].when.mails > mails)
			mails = c->rules[i].when.mails;
	}
	/* Over one connection, or over so many. */
	t->clients = mails ? 1 : CLIENTS;
	singles = mails ? mails + 2 : 0;
	if (c->connections && c->connections <= LARGE_LIMIT) {
		t->clients = c->connections + 2;
		singles = 2 * t->clients;
	}
	for (size_t i = 0; i < array_size(sizes); i++)
		if (sizes[i] <= c->most && (!mails || sizes[i] < USERS))
			t->mails[t->n++].users = sizes[i];
	while (singles--)
		t->mails[t->n++].users = 1;
	t->mails[t->n].with_nobody = knows;
	t->mails[t->n++].users = 1;
	check(t->n <= MAILS);
}

static void begin(struct trial *t, size_t number)
{
	static const struct sim_peer_book book = { .takes = note };
	char name[40], user[40];

	snprintf(name, sizeof(name), "peer%zu", number);
	snprintf(t->relay, sizeof(t->relay), "198.51.%zu.%zu", number / 200,
		 number % 200 + 1);
	t->number = number;
	t->conduct = gallery_at(gallery, number);
	t->peer = sim_peer_new(t->conduct, "0.0.0.0:25");
	for (int i = 1; i <= USERS; i++) {
		snprintf(user, sizeof(user), "u%d@own.test", i);
		sim_peer_user(t->peer, user);
	}
	sim_peer_tell(t->peer, &book);
	t->host = sim_host(name, t->relay);
	sim_start(t->host, name, sim_peer_run, t->peer);
	domain_is("relay", t->relay);
	plan(t);
}

static void play(struct trial *t)
{
	int64_t until;

	if (getenv("SHOW"))
		fprintf(stderr, "---- %s\n", t->conduct->name);
	for (unsigned i = 0; i < t->clients; i++)
		sim_start(outside, "client", send_some, t);
	until = after_ms(4 * (allowed_ms(t) + 30000));
	while (!has_come(t) && now_ms() < until)
		if (sim_run(after_ms(200)) == SIM_IDLE)
			break;
}

static void mail_gets_through(void **state)
{
	const char *only = getenv("CONDUCT");

	(void)state;
	domain_is("forward_unknown", "yes");
	for (size_t i = 0; i < gallery_size(gallery); i++) {
		if (only && !strstr(gallery_at(gallery, i)->name, only))
			continue;
		begin(&trials[i], i);
		play(&trials[i]);
	}
	sim_run(after_ms(4 * RETRIES_MS));
	for (size_t i = 0; i < gallery_size(gallery); i++)
		if (trials[i].peer)
			look_at_all(&trials[i]);
	assert_int_equal(failures, 0);
}

/* ---- what a peer does not have ---- */

static int given_back;

static void gave_back(void *arg, struct sim_peer *p,
		      const struct sim_peer_mail *m, struct str recipient,
		      int code)
{
	(void)arg;
	(void)p;
	(void)m;
	check(str_same(recipient, S("nobody@own.test")));
	given_back = code;
}

static void send_to_nobody(void *arg)
{
	struct stream *s = client_greets("192.0.2.1");

	*(int *)arg = 250;
	if (client_asks(s, "MAIL FROM:<a@client.test>\r\n") != 250 ||
	    client_asks(s, "RCPT TO:<nobody@own.test>\r\n") != 250 ||
	    client_asks(s, "DATA\r\n") != 354 ||
	    client_asks(s, "Subject: x\r\n\r\n.\r\n") != 250)
		*(int *)arg = 0;
	stream_close(s);
}

/* The engine has it from its relay, and refuses to give it to that again; the
 * peer is killed meanwhile, and goes on. */
static void what_is_unknown_comes_back(void **state)
{
	const struct sim_peer_book book = { .gave_back = gave_back };
	struct sim_host *host = sim_host("back", "198.51.100.250");
	struct sim_process *process;
	int sent = 0;

	(void)state;
	back = sim_peer_new(gallery_find(gallery, "forwards unknown ones back"),
			    "0.0.0.0:25");
	sim_peer_tell(back, &book);
	sim_peer_gives_back(back, "192.0.2.1:25");
	process = sim_start(host, "back", sim_peer_run, back);
	domain_is("relay", "198.51.100.250");
	sim_start(outside, "client", send_to_nobody, &sent);
	while (sim_peer_mails(back) == 0 && sim_step(INT64_MAX))
		;
	sim_kill(process);
	assert_int_equal(sim_peer_figures(back).under_way, 1);
	sim_start(host, "back", sim_peer_run, back);
	sim_run(after_ms(10000));
	assert_int_equal(sent, 250);
	assert_int_equal(given_back / 100, 5);
	assert_int_equal(sim_peer_figures(back).under_way, 0);
}

static int open_world(void **state)
{
	const char *seed = getenv("SEED");

	(void)state;
	gallery = gallery_open();
	trials = must_alloc(gallery_size(gallery) * sizeof(trials[0]));
	memset(trials, 0, gallery_size(gallery) * sizeof(trials[0]));
	engines_prepare(1);
	sim_open(seed ? strtoull(seed, NULL, 10) : 1);
	sim_hear_log(no_log, NULL);
	*sim_link_default() =
		(struct sim_link){ .latency_us = 2000, .jitter_us = 3000 };
	outside = sim_host("client", "192.0.2.3");
	mx = (struct engine_of){ .host = sim_host("mx", "192.0.2.1"),
				 .settings = engine_settings_of("mx.own.test"),
				 .fill = make_directory };
	mx.settings.lanes = 1;
	mx.settings.deliver.retry_min_s = RETRY_S;
	mx.settings.deliver.retry_max_s = RETRY_S;
	engine_of_start(&mx);
	sim_run(after_ms(1000));
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	sim_hear_log(NULL, NULL);
	sim_close();
	dns_sim_forget();
	for (size_t i = 0; i < gallery_size(gallery); i++)
		if (trials[i].peer)
			sim_peer_close(trials[i].peer);
	if (back)
		sim_peer_close(back);
	free(trials);
	gallery_close(gallery);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_gets_through),
		cmocka_unit_test(what_is_unknown_comes_back),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
