/* A look at records of a made-up DNS: whatever stands there, and however much. */
#include "publish/publish.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/test.h"
#include "dns/records.h"
#include "publish/spf_walk.h"
#include "rt/loop.h"

/* ---- a DNS of texts, in place of dns/records.c ---- */

static struct {
	const char *name;
	enum dns_type type;
	const char *text;
} zone[400];
static size_t n_zone, asked;
static struct arena *arena;

static void tell(const char *name, enum dns_type type, const char *text)
{
	zone[n_zone].name = name;
	zone[n_zone].type = type;
	zone[n_zone++].text = text;
}

static bool take(struct dns_record *out, enum dns_type type, const char *text)
{
	*out = (struct dns_record){ .text = str_of(text),
				    .name = str_of(text),
				    .preference = 10 };
	return (type != DNS_A && type != DNS_AAAA) ||
	       inet_parse_ip(str_of(text), 0, &out->ip);
}

enum dns_answer waits dns_records(struct dns *d, struct str name,
				  enum dns_type type, int64_t deadline_ms,
				  struct arena *a, struct dns_records *out)
{
	(void)d;
	asked++;
	*out = (struct dns_records){
		.p = arena_array(a, struct dns_record, LIMIT_TXT),
	};
	fiber_yield();
	for (size_t i = 0; i < n_zone && out->n < LIMIT_TXT; i++) {
		if (!str_same_nocase(name, str_of(zone[i].name)) ||
		    zone[i].type != type)
			continue;
		if (!zone[i].text) {
			fiber_sleep(deadline_ms);
			fail("dns: no answer about %.*s in time", STR(name));
			return DNS_TROUBLE;
		}
		out->n += take(&out->p[out->n], type, zone[i].text);
	}
	return out->n ? DNS_FOUND : DNS_NONE;
}

struct str dns_reverse_name(const struct inet *a, struct arena *to)
{
	return arena_strf(to, "%s.arpa", inet_ip_text(a).c);
}

/* ---- one look ---- */

static struct publish_plan plan;
static struct published found;

static void waits look(void *unused)
{
	static const struct dns_settings defaults;

	(void)unused;
	publish_look(&plan, &defaults, after_ms(300), arena, &found);
}

static const struct publish_row *row(const char *what)
{
	for (size_t i = 0; i < found.n; i++)
		if (!strcmp(found.rows[i].what, what))
			return &found.rows[i];
	return NULL;
}

static const struct publish_remark *remark_of(const struct publish_row *r,
					      const char *id)
{
	for (size_t i = 0; i < r->n_remarks; i++)
		if (!strcmp(r->remarks[i].id, id))
			return &r->remarks[i];
	return NULL;
}

static void look_at_spf(const char *text)
{
	static struct inet own;

	assert_true(inet_parse_ip(S("203.0.113.5"), 0, &own));
	plan = (struct publish_plan){
		.domain = S("a.test"),
		.postmaster = S("postmaster@a.test"),
		.server = { .hostname = S("mx.a.test") },
		.own = &own,
		.n_own = 1,
		.host = &own,
		.n_host = 1,
	};
	tell("a.test", DNS_TXT, text);
	asked = 0;
	loops_run(1, look, NULL);
}

static int set_up(void **state)
{
	(void)state;
	n_zone = 0;
	arena = arena_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

/* ---- SPF ---- */

static void a_record_that_includes_itself_ends(void **state)
{
	(void)state;
	look_at_spf("v=spf1 include:a.test include:a.test -all");
	assert_int_equal(row("spf")->state, PUBLISH_OTHER);
	assert_non_null(remark_of(row("spf"), "spf_too_many"));
	assert_true(asked < 4 * LIMIT_SPF_ASKED);
}

/* 1, 2, 7, 50 and all that a record may have: none is followed for ever. */
static void any_number_of_includes(void **state)
{
	static const unsigned sizes[] = { 1, 2, 7, 50, LIMIT_SPF_TERMS - 1 };

	for (size_t i = 0; i < array_size(sizes); i++) {
		struct buf text scoped(buf) = BUF_EMPTY;
		const struct value *n;

		tear_down(state);
		set_up(state);
		tell("b.test", DNS_TXT, "v=spf1 ip4:203.0.113.5 -all");
		buf_add(&text, S("v=spf1"));
		for (unsigned k = 0; k < sizes[i]; k++)
			buf_add(&text, S(" include:b.test"));
		buf_add(&text, S(" -all"));
		look_at_spf(arena_cstr(arena, buf_str(&text)));
		assert_int_equal(row("spf")->state, sizes[i] > SPF_LOOKUPS
							    ? PUBLISH_OTHER
							    : PUBLISH_RIGHT);
		n = value_find((sizes[i] > SPF_LOOKUPS
					? remark_of(row("spf"), "spf_too_many")
					: remark_of(row("spf"), "spf_lookups"))
				       ->values,
			       "n");
		assert_int_equal(n->number, sizes[i] > LIMIT_SPF_ASKED
						    ? LIMIT_SPF_ASKED + 1
						    : sizes[i]);
	}
}

static void a_silent_include_is_unknown(void **state)
{
	(void)state;
	tell("b.test", DNS_TXT, NULL);
	look_at_spf("v=spf1 include:b.test -all");
	assert_int_equal(row("spf")->state, PUBLISH_UNKNOWN);
	assert_non_null(remark_of(row("spf"), "not_asked"));
	assert_null(remark_of(row("spf"), "spf_lacks_here"));
}

static void terms_after_all_cost_nothing(void **state)
{
	(void)state;
	look_at_spf("v=spf1 ip4:203.0.113.0/24 -all a:nothing.test mx:no.test");
	assert_int_equal(row("spf")->state, PUBLISH_RIGHT);
	assert_int_equal(
		value_find(remark_of(row("spf"), "spf_lookups")->values, "n")
			->number,
		0);
}

/* Only "+" lets a sender pass. */
static void what_does_not_pass_is_missing(void **state)
{
	static const char *const texts[] = {
		"v=spf1 ~ip4:203.0.113.5 -all", "v=spf1 ?include:b.test -all",
		"v=spf1 ip4:203.0.113.6 -all",  "v=spf1 ip6:2001:db8::/32 -all",
		"v=spf1 include:c.test -all",
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		tear_down(state);
		set_up(state);
		tell("b.test", DNS_TXT, "v=spf1 ip4:203.0.113.5 -all");
		tell("c.test", DNS_TXT, "v=spf1 -ip4:203.0.113.5 +ip4:1.2.3.4");
		look_at_spf(texts[i]);
		assert_non_null(remark_of(row("spf"), "spf_lacks_here"));
	}
}

/* Who passes by a macro cannot be told. */
static void what_cannot_be_told_is_no_fault(void **state)
{
	(void)state;
	look_at_spf("v=spf1 exists:%{i}.b.test -all");
	assert_int_equal(row("spf")->state, PUBLISH_RIGHT);
}

/* ---- as a zone file ---- */

static void texts_are_cut_and_quoted(void **state)
{
	struct publish_row r = { .what = "spf",
				 .type = "TXT",
				 .name = S("a.test"),
				 .state = PUBLISH_ABSENT };
	struct published p = { &r, 1 };
	char text[601];
	struct str zone_text;

	(void)state;
	memset(text, 'x', 600);
	text[600] = '\0';
	r.value = str_of(text);
	zone_text = publish_zone(&p, arena);
	assert_true(str_starts(zone_text, S("a.test.\tIN\tTXT\t\"xxx")));
	assert_int_equal(zone_text.n, 15 + 600 + 3 * 2 + 2 + 1);
	r.value = S("say \"hello\\\"\x01\xff");
	assert_true(str_same(publish_zone(&p, arena),
			     S("a.test.\tIN\tTXT\t\"say "
			       "\\\"hello\\\\\\\"\\001\\255\"\n")));
	r.value = S("");
	assert_true(str_same(publish_zone(&p, arena),
			     S("; a.test.\tIN\tTXT\t?\n")));
}

static void providers_are_known_by_their_hosts(void **state)
{
	(void)state;
	assert_true(str_same(provider_include(S("alt1.aspmx.l.google.com")),
			     S("_spf.google.com")));
	assert_true(str_same(
		provider_include(S("a-test.mail.protection.outlook.com")),
		S("spf.protection.outlook.com")));
	assert_true(str_empty(provider_include(S("evilgoogle.com"))));
	assert_true(str_empty(provider_include(S("google.com.evil.test"))));
	assert_true(str_empty(provider_include(S(""))));
}

#define LOOKS(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOKS(a_record_that_includes_itself_ends),
		LOOKS(any_number_of_includes),
		LOOKS(a_silent_include_is_unknown),
		LOOKS(terms_after_all_cost_nothing),
		LOOKS(what_does_not_pass_is_missing),
		LOOKS(what_cannot_be_told_is_no_fault),
		LOOKS(texts_are_cut_and_quoted),
		LOOKS(providers_are_known_by_their_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
