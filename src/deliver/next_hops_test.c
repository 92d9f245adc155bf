/*
 * Several hosts, the Internet's, and how they are spoken to: over TLS or not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "deliver/hops.h"
#include "deliver/hosts.h"
#include "rt/tls.h"

#define HELLO "S220 hi\nC\nS250-a\nS250 PIPELINING\n"

/* ---- hosts ---- */

static void other_host_is_tried(struct world *w)
{
	static char hosts[100];

	snprintf(hosts, sizeof hosts, "127.0.0.1:%u, 127.0.0.1:%u", w->a.port,
		 w->b.port);
	w->sys_a.hosts = str_of(hosts);
	w->a.greeting = "421 not now";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 1 && w->a.connections == 1);
	fiber_sleep(after_ms(50));
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 2 && w->a.connections == 1);
	w->a.greeting = NULL;
	fiber_sleep(after_ms(5100));
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 2 && w->a.n_mails == 1);
}

static void other_host_in_mid_mail(struct world *w)
{
	static char hosts[100];

	snprintf(hosts, sizeof hosts, "127.0.0.1:%u, 127.0.0.1:%u", w->a.port,
		 w->b.port);
	w->sys_a.hosts = str_of(hosts);
	w->a.script[0] =
		HELLO "C\nC\nC\nC\nS250 ok\nS550 5.1.1 no\nS421 bye\nX";
	w->a.greeting = "421 4.3.2 not again";
	says(w, submit(w, "s@b.test", "nobody@a.test bob@a.test"), "250");
	wrong_unless(w, w->b.n_mails == 1);
	wrong_unless(w, !strcmp(w->b.mails->rcpts, "RCPT TO:<bob@a.test>\n"));
}

/* "4 6 4": families of the addresses that are connected to. */
static const char *families(struct world *w, enum address_family set,
			    const char *hosts, char text[32])
{
	struct arena *arena scoped(arena) = arena_open();
	struct leg leg = { .kind = LEG_SYSTEM, .system = w->sys_a };
	struct trouble trouble = { 0 };
	struct hop *hops;
	size_t n;

	leg.system.hosts = str_of(hosts);
	leg.system.limits.family = set;
	text[0] = 0;
	if (!hops_find(w->deliver, &leg, after_ms(1000), arena, &hops, &n,
		       &trouble))
		return trouble.reply.code == 451 ? "later" : "?";
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), 32 - strlen(text), "%s%d",
			 i ? " " : "", inet_is_v4(&hops[i].at) ? 4 : 6);
	return text;
}

static void only_its_address_family(struct world *w)
{
	static const struct {
		const char *hosts, *any, *v4, *v6;
	} cases[] = {
		{ "127.0.0.1, [2001:db8::1]", "4 6", "4", "6" },
		{ "[2001:db8::1]:2525, 192.0.2.1, 192.0.2.2", "6 4 4", "4 4",
		  "6" },
		{ "192.0.2.1", "4", "4", "later" },
		{ "[2001:db8::1], [2001:db8::2]", "6 6", "later", "6 6" },
	};
	char text[32];

	for (size_t i = 0; i < array_size(cases); i++) {
		const char *hosts = cases[i].hosts;

		wrong_unless(w, !strcmp(families(w, FAMILY_ANY, hosts, text),
					cases[i].any));
		wrong_unless(w, !strcmp(families(w, FAMILY_IPV4, hosts, text),
					cases[i].v4));
		wrong_unless(w, !strcmp(families(w, FAMILY_IPV6, hosts, text),
					cases[i].v6));
	}
}

static void by_mx(struct world *w)
{
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 1);
	says(w, submit(w, "s@x.test", "bob@null.test"), "556 5.1.10");
	says(w, submit(w, "s@x.test", "bob@gone.test"), "550 5.1.2");
	says(w, submit(w, "s@x.test", "bob@loop.test"), "550 5.4.6");
	w->b.greeting = "554 no SMTP here";
	says(w, submit(w, "s@x.test", "bob@other.test"), "554");
}

static void limit_of_the_only_mx(struct world *w)
{
	w->b.script[0] = HELLO "C\nC\nC\nS554 5.7.0 too many messages per "
			       "hour\nS503 no\nS503 no\nX";
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: queued");
}

/* The first host takes nothing from anybody, the second one not so much. */
static void limit_of_the_other_mx(struct world *w)
{
	w->b.script[0] = "S554 no SMTP here\nX";
	w->b.script[1] = HELLO "C\nC\nC\nS554 5.7.0 too many messages per "
			       "hour\nS503 no\nS503 no\nX";
	says(w, submit(w, "s@x.test", "bob@two.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->b.connections == 2);
}

/* Of two hosts one takes nothing from anybody, the other one's address is not to
 * be had now: it may take the mail later. */
static void one_mx_cannot_be_looked_up(struct world *w)
{
	static const char *const to[] = { "bob@no0.test", "bob@no1.test" };

	for (size_t i = 0; i < array_size(to); i++) {
		w->b.greeting = "554 no SMTP here";
		says(w, submit(w, "s@x.test", to[i]), "250 2.0.0 Ok: queued");
		w->b.greeting = NULL;
		says(w, submit(w, "s@x.test", to[i]), "250 2.0.0 Ok: handed");
	}
	wrong_unless(w, w->b.n_mails == 2);
}

static void ourselves_as_mx(struct world *w)
{
	w->b.name = "here.test";
	says(w, submit(w, "s@x.test", "bob@net.test"), "550 5.4.6");
}

/* ---- TLS ---- */

static void with_tls(struct world *w, struct fake_hop *hop)
{
	char certificate[100], key[100];

	snprintf(certificate, sizeof certificate, "%s/cert.pem", w->folder);
	snprintf(key, sizeof key, "%s/key.pem", w->folder);
	check(tls_self_signed("a.hop", certificate, key));
	hop->tls = tls_server(certificate, key);
	w->settings.tls_any = tls_client(TLS_ANY, NULL);
	w->settings.tls_verified = tls_client(TLS_VERIFIED, NULL);
	check(hop->tls && w->settings.tls_any && w->settings.tls_verified);
}

static void without_tls(struct world *w, struct fake_hop *hop)
{
	deliver_drain(w->deliver, after_ms(1000));
	tls_close(hop->tls);
	hop->tls = NULL;
	tls_close(w->settings.tls_any);
	tls_close(w->settings.tls_verified);
	w->settings.tls_any = w->settings.tls_verified = NULL;
}

static void tls_is_used(struct world *w)
{
	with_tls(w, &w->a);
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	w->sys_a.user = S("us");
	w->sys_a.password = S("secret");
	w->a.caps = "PIPELINING AUTH\tPLAIN";
	w->a.script[0] = NULL;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	w->sys_a.user = STR_NONE;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	w->sys_a.tls = SYSTEM_TLS_VERIFIED; /* nobody signed it */
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 1);
	without_tls(w, &w->a);
}

static void tls_that_fails_is_left_out(struct world *w)
{
	with_tls(w, &w->a);
	w->a.breaks_tls = true;
	w->sys_a.tls = SYSTEM_TLS_OPPORTUNISTIC;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.connections == 2 && w->a.n_mails == 1);
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.connections == 3 && w->a.n_mails == 1);
	without_tls(w, &w->a);
}

static void tls_required_is_never_left_out(struct world *w)
{
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.connections == 1 && w->a.n_mails == 0);
}

static void injected_before_tls(struct world *w)
{
	with_tls(w, &w->a);
	w->a.after_starttls = "250-evil.test\r\n250 AUTH PLAIN\r\n";
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 0);
	without_tls(w, &w->a);
}

/* What DNSSEC says of a host in the Internet that speaks TLS, or does not. */
static void with_tlsa(struct world *w, uint8_t usage)
{
	with_tls(w, &w->b);
	w->settings.tls_dane = tls_client(TLS_DANE, NULL);
	check(w->settings.tls_dane);
	w->tlsa[0] = (struct tlsa){ usage, 1, 1,
				    S("thirty-two bytes of other digest") };
	w->n_tlsa = 1;
}

static void without_tlsa(struct world *w)
{
	without_tls(w, &w->b);
	tls_close(w->settings.tls_dane);
	w->settings.tls_dane = NULL;
}

static bool rests(struct world *w, const struct fake_hop *hop)
{
	char key[32];
	struct host_state *host;
	bool look, is_resting;

	snprintf(key, sizeof key, "127.0.0.1:%u", hop->port);
	host = host_hold(w->settings.hosts, str_of(key),
			 (struct host_owner){ S("x"), S("") }, 1);
	is_resting = host_is_resting(host, &look);
	host_release(host);
	return is_resting;
}

static void another_than_dane_says(struct world *w)
{
	with_tlsa(w, TLSA_SERVER);
	says(w, submit(w, "s@x.test", "bob@dane-other.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, w->b.connections == 1 && w->b.n_mails == 0);
	wrong_unless(w, !rests(w, &w->b));
	/* what is not vouched for is not asked of DNS */
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: handed");
	without_tlsa(w);
}

static void dane_of_no_use_wants_tls(struct world *w)
{
	with_tlsa(w, 1);
	says(w, submit(w, "s@x.test", "bob@dane-useless.test"),
	     "250 2.0.0 Ok: handed");
	without_tlsa(w);
}

static void dane_without_tls(struct world *w)
{
	w->tlsa[0] = (struct tlsa){ 1, 1, 1, S("x") };
	w->n_tlsa = 1;
	says(w, submit(w, "s@x.test", "bob@dane-clear.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, w->b.connections == 1 && w->b.n_mails == 0);
}

static void dane_that_cannot_be_known(struct world *w)
{
	says(w, submit(w, "s@x.test", "bob@dane-forged.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, w->b.connections == 0);
	says(w, submit(w, "s@x.test", "bob@dane-none.test"),
	     "250 2.0.0 Ok: handed");
}

static bool share_a_connection(const struct hop *a, const struct hop *b)
{
	struct arena *arena scoped(arena) = arena_open();
	struct hop copy = hop_copy(b, arena);

	check(str_same(hop_key(b, arena), hop_key(&copy, arena)));
	return str_same(hop_key(a, arena), hop_key(b, arena));
}

static void demands_are_kept_apart(struct world *w)
{
	struct tlsa one = { 3, 1, 1, S("one") }, other = { 3, 1, 1, S("two") };
	struct tls_dane by_one = { "mx.test", NULL, &one, 1 },
			by_other = { "mx.test", NULL, &other, 1 },
			of_domain = { "mx.test", "b.test", &one, 1 };
	struct hop hop = { .host = S("mx.test"),
			   .tls = SYSTEM_TLS_OPPORTUNISTIC,
			   .next = { .kind = NEXT_HOP_INTERNET } };
	struct hop hops[] = { hop, hop, hop, hop, hop, hop };

	hops[1].tls = SYSTEM_TLS_REQUIRED;
	for (size_t i = 2; i < array_size(hops); i++)
		hops[i].tls = SYSTEM_TLS_VERIFIED;
	hops[3].dane = &by_one;
	hops[4].dane = &by_other;
	hops[5].dane = &of_domain;
	for (size_t i = 0; i < array_size(hops); i++)
		for (size_t k = 0; k < array_size(hops); k++)
			wrong_unless(w,
				     share_a_connection(&hops[i], &hops[k]) ==
					     (i == k));
}

/* clang-format off */
#define TESTS(T) \
	T(other_host_is_tried) T(other_host_in_mid_mail) \
	T(only_its_address_family) T(by_mx) T(limit_of_the_only_mx) T(limit_of_the_other_mx) \
	T(one_mx_cannot_be_looked_up) 	T(ourselves_as_mx) \
	T(tls_is_used) T(tls_that_fails_is_left_out) \
	T(tls_required_is_never_left_out) T(injected_before_tls) \
	T(another_than_dane_says) T(dane_of_no_use_wants_tls) T(dane_without_tls) \
	T(dane_that_cannot_be_known) T(demands_are_kept_apart)
/* clang-format on */

WORLD_TESTS(TESTS)
