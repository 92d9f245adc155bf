/*
 * Mail that is wide: many recipients through two Splitmails to one system of
 * the gallery, a system that takes half a minute for each, groups within groups
 * over three systems.  All of it arrives, once each, and in time.
 *
 *	client ─▶ mx1 ─▶ mx2 ─▶ peer	through_two()
 *	client ─▶ mx1 ─▶ peer		half_a_minute_each()
 *	client ─▶ mx1 ─▶ peer, a, b	groups_within_groups()
 *
 * CONDUCT=text in the environment: only those whose name has it, and all of
 * them; SEED=number: another world; SHOW=1: with the engines' log and the
 * times; WIDTH=number: so many recipients at most.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "directory/changes.h"
#include "directory/database.h"
#include "dns/dns_sim.h"
#include "engine/engine.h"
#include "peer.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/sim/sim.h"
#include "rt/stream.h"
#include "rt/tls.h"

enum {
	USERS = 1400,
	WIDE = 200, /* recipients of a mail, members of a group */
	EVERY = 11, /* of the gallery, that is played by all of ./dev test */
	HOUR_MS = 3600000,
	RETRIES_MS = 900000,
	SLOW_MS = 30000, /* for each recipient */
};

/* ---- engines ---- */

struct site {
	const char *name, *address;
	void (*fill)(struct changes *c, const struct site *mx);
	const char *relay;
	struct sim_host *host;
};

static size_t users;        /* u1..., of the domain */
static size_t depth, width; /* of the groups */

static struct engine_settings settings_of(const struct site *mx)
{
	return (struct engine_settings){
		.data = "/data",
		.directory = "/data/directory.db",
		.submit = "/run/submit",
		.control = "/run/control",
		.hostname = mx->name,
		.certificate = "/data/certificate.pem",
		.certificate_trouble = "certificate.trouble",
		.lanes = 1,
		.smtp = { .hostname = mx->name,
			  .auth_path = "/run/auth",
			  .message_bytes = 1000000,
			  .connections_per_ip = 50,
			  .command_ms = 300000,
			  .data_ms = 600000 },
		.deliver = { .hostname = mx->name,
			     .internet_port = 25,
			     .lmtp_path = "/run/lmtp",
			     .retry_min_s = 300,
			     .retry_max_s = 300,
			     .expiry_s = 86400,
			     .delay_warning_s = 86400,
			     .handover_ms = 20000 },
	};
}

static void must(struct change r)
{
	if (r.outcome != CHANGE_DONE)
		fprintf(stderr, "%s\n", r.sentence);
	check(r.outcome == CHANGE_DONE);
}

static void fill_users(struct changes *c, const struct site *mx)
{
	struct setting away = { S("mail_system"), S("alternate") };
	struct setting relay = { S("relay"), str_of(mx->relay) };
	char address[40];

	must(domain_create(c, S("own.test"), &relay, 1));
	for (size_t i = 1; i <= users; i++) {
		snprintf(address, sizeof(address), "u%zu@own.test", i);
		must(user_create(c, str_of(address), &away, 1));
	}
}

static void make_certificate(void)
{
	char chain[4096], key[4096], both[8192];

	check(tls_self_signed("own.test", "/data/c", "/data/k"));
	check(folder_noted("/data", "c", chain, sizeof(chain)));
	check(folder_noted("/data", "k", key, sizeof(key)));
	snprintf(both, sizeof(both), "%s%s", chain, key);
	check(folder_note("/data", "certificate.pem", both));
}

static void fill(const struct site *mx)
{
	struct changes *c;

	check(folder_make("/data"));
	check(directory_create("/data/directory.db", S("secret")));
	c = changes_open("/data/directory.db", "test");
	check(c && changes_begin(c));
	mx->fill(c, mx);
	check(changes_end(c));
	changes_close(c);
	make_certificate();
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Until the world ends. */
static void attend(void *arg)
{
	(void)arg;
	fiber_sleep(NEVER);
}

static void run_mx(void *arg)
{
	const struct site *mx = arg;
	struct engine_settings set = settings_of(mx);
	struct engine_listener smtp = { .door = { SMTP_MX, S("smtp") } };
	const struct engine_owner owner = { nothing, nothing, attend, nothing,
					    NULL };
	struct engine *e;

	fill(mx);
	check(inet_parse(S("0.0.0.0:25"), 0, &smtp.at));
	set.listeners = &smtp;
	set.n_listeners = 1;
	log_open(mx->name);
	e = engine_open(&set, &owner);
	check(e);
	loops_run(engine_lanes(e), engine_lane, e);
}

static void start(struct site *mx)
{
	mx->host = sim_host(mx->name, mx->address);
	sim_start(mx->host, "engine", run_mx, mx);
	sim_run(after_ms(1000));
}

/* ---- one mail ---- */

static struct {
	size_t number, first, n; /* for u FIRST..., or the outermost group */
	bool to_group;
	int code; /* at the dot; 0: not yet */
	int64_t begun_ms, last_ms;
	size_t n_came;
	unsigned came[USERS + 1];
} mail;

/* The reply's code; 0: there is none. */
static int ask(struct stream *s, const char *text)
{
	bool is_last = false;
	ptrdiff_t end;
	int code = 0;

	stream_say(s, str_of(text));
	if (!stream_flush(s, after_ms(60000)))
		return 0;
	while (!is_last) {
		while ((end = str_find(stream_bytes(s), '\n')) < 0)
			if (stream_fill(s, after_ms(600000)) != STREAM_MORE)
				return 0;
		code = (int)strtol(stream_bytes(s).p, NULL, 10);
		is_last = stream_bytes(s).p[3] != '-';
		stream_skip(s, (size_t)end + 1);
	}
	return code;
}

static int name_recipients(struct stream *s)
{
	int code = ask(s, "MAIL FROM:<a@client.test>\r\n");
	char line[60];

	if (code == 250 && mail.to_group)
		return ask(s, "RCPT TO:<g1@own.test>\r\n");
	for (size_t i = 0; i < mail.n && code == 250; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<u%zu@own.test>\r\n",
			 mail.first + i);
		code = ask(s, line);
	}
	return code;
}

static void send_it(void *arg)
{
	struct stream *s;
	struct inet at;
	char text[60];

	(void)arg;
	check(inet_parse(S("192.0.2.1:25"), 0, &at));
	s = stream_dial(&at, NULL, after_ms(60000));
	check(s && ask(s, "") == 220);
	check(ask(s, "EHLO client.test\r\n") == 250);
	mail.code = name_recipients(s);
	if (mail.code == 250 && (mail.code = ask(s, "DATA\r\n")) == 354) {
		snprintf(text, sizeof(text), "Subject: %zu\r\n\r\n.\r\n",
			 mail.number);
		mail.code = ask(s, text);
	}
	ask(s, "QUIT\r\n");
	stream_close(s);
}

/* A peer has M; of an earlier mail it may be a copy. */
static void note(void *arg, struct sim_peer *p, const struct sim_peer_mail *m)
{
	ptrdiff_t at = str_search(m->bytes, S("\r\nSubject: "));
	size_t user;

	(void)arg;
	(void)p;
	check(at >= 0);
	if ((size_t)strtoul(m->bytes.p + at + 11, NULL, 10) != mail.number)
		return;
	for (size_t j = 0; j < m->n; j++) {
		if (sscanf(m->recipients[j].p, "u%zu@own.test", &user) != 1)
			continue;
		check(user <= USERS);
		mail.n_came += mail.came[user]++ == 0;
	}
	mail.last_ms = m->taken_us / 1000;
}

static unsigned complain(const char *name, const char *what, size_t n)
{
	fprintf(stderr, "%s, for %zu: %s: %zu\n", name, mail.n, what, n);
	return 1;
}

/* How much is wrong. */
static unsigned judge(const struct conduct *c, int64_t within_ms)
{
	int64_t took_ms = mail.last_ms - mail.begun_ms;
	unsigned wrong = 0;
	size_t twice = 0, others = 0;

	for (size_t i = 1; i <= USERS; i++) {
		bool is_meant = i >= mail.first && i < mail.first + mail.n;

		twice += mail.came[i] > 1;
		others += mail.came[i] && !is_meant;
	}
	if (getenv("SHOW"))
		fprintf(stderr, "%s, for %zu: %lld ms\n", c->name, mail.n,
			(long long)took_ms);
	if (mail.code != 250)
		wrong += complain(c->name, "answered", (size_t)mail.code);
	if (mail.n_came < mail.n)
		wrong += complain(c->name, "have not got it",
				  mail.n - mail.n_came);
	if (twice && !c->is_open)
		wrong += complain(c->name, "have it twice", twice);
	if (others)
		wrong += complain(c->name, "have what is not theirs", others);
	if (took_ms > within_ms)
		wrong += complain(c->name, "seconds it took",
				  (size_t)took_ms / 1000);
	return wrong;
}

static unsigned play(struct sim_host *outside, const struct conduct *c,
		     size_t first, size_t n, int64_t within_ms)
{
	size_t number = mail.number + 1;
	bool to_group = mail.to_group;
	int64_t until;

	memset(&mail, 0, sizeof(mail));
	mail.number = number;
	mail.to_group = to_group;
	mail.first = first;
	mail.n = n;
	mail.begun_ms = now_ms();
	sim_start(outside, "client", send_it, NULL);
	until = after_ms(within_ms + HOUR_MS);
	while ((mail.n_came < n || !mail.code) && now_ms() < until)
		if (sim_run(after_ms(500)) == SIM_IDLE)
			break;
	sim_run(after_ms(2000)); /* what comes twice comes soon */
	return judge(c, within_ms);
}

/* ---- worlds ---- */

static struct sim_host *outside;
static struct gallery *gallery;
static struct sim_peer *peers[400];
static size_t n_peers;

static void no_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	if (getenv("SHOW"))
		fprintf(stderr, "%.*s", STR(lines));
}

static size_t at_most(size_t n)
{
	const char *most = getenv("WIDTH");
	size_t limit = most ? strtoul(most, NULL, 10) : n;

	return n < limit ? n : limit;
}

static void world_begin(void)
{
	const char *seed = getenv("SEED");

	memset(&mail, 0, sizeof(mail));
	gallery = gallery_open();
	sim_open(seed ? strtoull(seed, NULL, 10) : 1);
	sim_hear_log(no_log, NULL);
	*sim_link_default() =
		(struct sim_link){ .latency_us = 2000, .jitter_us = 3000 };
	outside = sim_host("client", "192.0.2.9");
}

static void world_end(void)
{
	sim_hear_log(NULL, NULL);
	sim_close();
	dns_sim_forget();
	while (n_peers)
		sim_peer_close(peers[--n_peers]);
	gallery_close(gallery);
}

static void add_peer(const struct conduct *c, const char *address)
{
	static const struct sim_peer_book book = { .takes = note };
	struct sim_peer *p = sim_peer_new(c, "0.0.0.0:25");
	char name[60];

	check(n_peers < array_size(peers));
	peers[n_peers++] = p;
	for (size_t i = 1; i <= users; i++) {
		snprintf(name, sizeof(name), "u%zu@own.test", i);
		sim_peer_user(p, name);
	}
	sim_peer_tell(p, &book);
	snprintf(name, sizeof(name), "peer%zu", n_peers);
	sim_start(sim_host(name, address), name, sim_peer_run, p);
}

static void set_relay(void *relay)
{
	struct setting s = { S("relay"), str_of(relay) };
	struct changes *c = changes_open("/data/directory.db", "test");

	check(c);
	must(domain_set(c, S("own.test"), &s, 1));
	changes_close(c);
}

static void relay_is(const struct site *mx, char *relay)
{
	struct sim_process *p = sim_start(mx->host, "admin", set_relay, relay);

	while (!sim_has_ended(p))
		check(sim_step(after_ms(10000) * 1000));
}

/* ---- two Splitmails, one behind the other ---- */

static bool is_played(size_t i)
{
	const char *only = getenv("CONDUCT");

	return only ? strstr(gallery_at(gallery, i)->name, only) != NULL
		    : i % EVERY == 0;
}

/* Each recipient may cost what a mail does. */
static int64_t allowed_ms(const struct conduct *c, size_t n)
{
	return c->within_ms * (1 + (int64_t)n / 20) +
	       (c->retries ? RETRIES_MS : 0);
}

static void through_two(void **state)
{
	static const size_t sizes[] = { 1, 50, WIDE };
	struct site mx1 = { "mx1.test", "192.0.2.1", fill_users, "192.0.2.2",
			    NULL };
	struct site mx2 = { "mx2.test", "192.0.2.2", fill_users, "192.0.2.99",
			    NULL };
	unsigned wrong = 0;
	char address[40];

	(void)state;
	users = WIDE;
	world_begin();
	start(&mx1);
	start(&mx2);
	for (size_t i = 0; i < gallery_size(gallery); i++) {
		const struct conduct *c = gallery_at(gallery, i);

		if (!is_played(i))
			continue;
		snprintf(address, sizeof(address), "198.51.%zu.%zu", i / 200,
			 i % 200 + 1);
		add_peer(c, address);
		relay_is(&mx2, address);
		for (size_t j = 0; j < array_size(sizes); j++)
			wrong += play(outside, c, 1, at_most(sizes[j]),
				      allowed_ms(c, sizes[j]));
	}
	world_end();
	assert_int_equal(wrong, 0);
}

/* ---- slow at each recipient ---- */

static void half_a_minute_each(void **state)
{
	static const size_t sizes[] = { 1, 7, 40 };
	struct site mx1 = { "mx1.test", "192.0.2.1", fill_users, "198.51.100.1",
			    NULL };
	static struct rule late = { .at = 1 << MOMENT_RCPT,
				    .does = { .wait_ms = SLOW_MS } };
	struct conduct c;
	unsigned wrong = 0;

	(void)state;
	users = WIDE;
	world_begin();
	c = *gallery_find(gallery, "accepts all");
	c.name = "half a minute each";
	c.rules = &late;
	c.n_rules = 1;
	add_peer(&c, "198.51.100.1");
	start(&mx1);
	for (size_t j = 0; j < array_size(sizes); j++)
		wrong += play(outside, &c, 1, at_most(sizes[j]),
			      SLOW_MS * ((int64_t)sizes[j] + 1));
	world_end();
	assert_int_equal(wrong, 0);
}

/* ---- groups within groups ---- */

static void add_system(struct changes *c, const char *name, const char *hosts)
{
	struct setting s = { S("hosts"), str_of(hosts) };

	must(system_create(c, str_of(name), &s, 1));
}

/* Group I has so many users, and the next group. */
static void add_group(struct changes *c, size_t i)
{
	struct str *members = must_alloc(sizeof(*members) * (width + 1));
	struct arena *a scoped(arena) = arena_open();
	size_t n = 0;

	for (; n < width; n++)
		members[n] =
			arena_strf(a, "u%zu@own.test", (i - 1) * width + n + 1);
	if (i < depth)
		members[n++] = arena_strf(a, "g%zu@own.test", i + 1);
	must(group_create(c, arena_strf(a, "g%zu@own.test", i), NULL, 0));
	must(group_add(c, arena_strf(a, "g%zu@own.test", i), members, n));
	free(members);
}

static void fill_groups(struct changes *c, const struct site *mx)
{
	static const char *const homes[] = { "", "a", "b" };
	struct setting relay = { S("relay"), str_of(mx->relay) };
	char address[40];

	add_system(c, "a", "198.51.100.2");
	add_system(c, "b", "198.51.100.3");
	must(domain_create(c, S("own.test"), &relay, 1));
	for (size_t i = 1; i <= users; i++) {
		const char *system = homes[i % array_size(homes)];
		struct setting home[] = { { S("mail_system"), S("alternate") },
					  { S("system"), str_of(system) } };

		snprintf(address, sizeof(address), "u%zu@own.test", i);
		must(user_create(c, str_of(address), home, *system ? 2 : 1));
	}
	for (size_t i = depth; i > 0; i--)
		add_group(c, i);
}

static unsigned play_groups(size_t deep, size_t wide)
{
	static const char *const addresses[] = { "198.51.100.1", "198.51.100.2",
						 "198.51.100.3" };
	struct site mx1 = { "mx1.test", "192.0.2.1", fill_groups,
			    "198.51.100.1", NULL };
	unsigned wrong;

	depth = deep;
	width = wide;
	users = depth * width;
	check(users <= USERS);
	world_begin();
	for (size_t i = 0; i < array_size(addresses); i++)
		add_peer(gallery_find(gallery, "accepts all"), addresses[i]);
	start(&mx1);
	mail.to_group = true;
	wrong = play(outside, sim_peer_conduct(peers[0]), 1, users, 30000);
	world_end();
	return wrong;
}

static void groups_within_groups(void **state)
{
	(void)state;
	assert_int_equal(play_groups(2, 10), 0);
	assert_int_equal(play_groups(7, at_most(WIDE)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_within_groups),
		cmocka_unit_test(half_a_minute_each),
		cmocka_unit_test(through_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
