/*
 * Trying an alternate mail server (relay_test.h).
 *
 * Delivery's own client is what tries it, so that it meets what mail would.
 *
 * It is no scanner of networks: what is shown of a banner begins with "220",
 * link-local addresses are refused, loopback ones to all but
 * superadministrators, and only so many trials a minute are made.
 */
#include "console/relay_test.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "console/errands.h"
#include "console/handlers.h"
#include "console/tested.h"
#include "deliver/hops.h"
#include "directory/lists.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "rt/tls.h"
#include "wire/address.h"
#include "wire/blame.h"
#include "wire/hosts.h"

enum {
	HOST_MS = 12000, /* to be open, and to be asked; all hosts are
				   tried at once */
	A_MINUTE_MS = 60000,
	TRIALS_A_MINUTE = 30,
	HOSTS_A_MINUTE = 150,
	TEXT_BYTES = 500, /* of a banner or reply, shown */
};

struct relay_test {
	struct arena *arena;
	struct host *hosts;
	size_t n;
	struct str domain;    /* whose random address is asked for */
	struct str known;     /* of a user there, asked for too; or empty */
	struct system system; /* its policy; the hosts come one by one */
	bool may_loopback;
	size_t running; /* hosts */
	struct gate ended;
	json_t *items;
};

static struct {
	struct client client;
	struct dns *dns;
	pthread_mutex_t lock; /* of the next three */
	int64_t minute;
	unsigned trials;
	size_t hosts;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum trial {
#define TRIAL(id, sentence) TRIAL_##id,
#include "console/trials.def"
#undef TRIAL
};

static const struct {
	const char *name, *sentence;
} trials[] = {
#define TRIAL(id, text) [TRIAL_##id] = { #id, text },
#include "console/trials.def"
#undef TRIAL
};

/* Of one host. */
struct talk {
	struct relay_test *t;
	const struct host *host;
	struct peer *peer;
	int64_t deadline;
	json_t *report;
	enum trial fault; /* the last one */
	const struct value *values;
};

/* fault(k, ehlo_refused, V("code", r.code)): why it ended, false. */
#define fault(k, id, ...) end_with(k, TRIAL_##id, VALUES(__VA_ARGS__))
static bool end_with(struct talk *k, enum trial fault,
		     const struct value *values)
{
	k->fault = fault;
	k->values = values_keep(values, k->t->arena);
	return false;
}

static void set(struct talk *k, const char *key, json_t *v)
{
	json_object_set_new(k->report, key, v);
}

static json_t *shown(struct str line)
{
	return json_text(str_part(line, 0, TEXT_BYTES));
}

static void say_fault(struct talk *k)
{
	struct str sentence = str_of(trials[k->fault].sentence);

	set(k, "problem",
	    json_text(sentence_fill(sentence, k->values, k->t->arena)));
	set(k, "reason", json_id(str_of(trials[k->fault].name)));
	set(k, "values", json_values(k->values));
}

/* ---- what went wrong ---- */

static bool is_lost(struct talk *k, enum loss loss)
{
	switch (loss) {
	case LOSS_LATE:
		return fault(k, no_answer);
	case LOSS_CLOSED:
		return fault(k, closed);
	case LOSS_UNREAD:
		return fault(k, does_not_read);
	case LOSS_NONE:
	case LOSS_WORDS:
		break;
	}
	return fault(k, no_smtp);
}

static bool tls_failed(struct talk *k, const struct trouble *t)
{
	if (t->is_tls)
		return fault(k, tls_fails, V("cause", t->cause));
	if (!t->is_ours)
		return fault(k, starttls_refused, V("code", t->reply.code));
	return t->loss ? is_lost(k, t->loss) : fault(k, tls_not_offered);
}

static bool not_open(struct talk *k, const struct hop *hop,
		     const struct trouble *t)
{
	switch (t->at) {
	case STAGE_CONNECT:
		return fault(k, not_connected,
			     V("address", inet_ip_text(&hop->at).c),
			     V("cause", t->cause));
	case STAGE_GREETING:
		return t->is_ours ? is_lost(k, t->loss)
				  : fault(k, greeting_refuses,
					  V("code", t->reply.code));
	case STAGE_HELLO:
		return t->is_ours ? is_lost(k, t->loss)
				  : fault(k, ehlo_refused,
					  V("code", t->reply.code));
	case STAGE_TLS:
		return tls_failed(k, t);
	case STAGE_AUTH:
	case STAGE_OPEN:
		break;
	}
	return is_lost(k, t->loss);
}

/* ---- one conversation ---- */

static bool is_forbidden(const struct relay_test *t, const struct inet *at)
{
	if (inet_is_link_local(at) || inet_is_unspecified(at))
		return true;
	return inet_is_loopback(at) && !t->may_loopback;
}

static void say_reached(struct talk *k, const struct hop *hop,
			const struct trouble *t)
{
	struct stream *s = k->peer ? k->peer->stream : NULL;

	set(k, "address", json_string(inet_ip_text(&hop->at).c));
	set(k, "connected", json_true());
	set(k, "banner", t->greeting.n ? shown(t->greeting) : json_null());
	if (s && stream_is_tls(s))
		set(k, "tls",
		    json_pack("{s:s,s:b}", "version", stream_tls_version(s),
			      "verified",
			      !k->host->is_ip && stream_tls_verified(s)));
}

static bool may_try(struct talk *k, const struct inet *at)
{
	return !is_forbidden(k->t, at) ||
	       fault(k, not_tried, V("address", inet_ip_text(at).c));
}

/* As delivery does it; what is wrong with the TLS it goes without is said all
 * the same. */
static bool waits try_address(struct talk *k, const struct hop *hop)
{
	struct trouble t;

	if (!may_try(k, &hop->at))
		return false;
	k->peer = client_open(&all.client, hop, k->deadline, k->t->arena, &t);
	if (t.at > STAGE_CONNECT)
		say_reached(k, hop, &t);
	if (!k->peer)
		return not_open(k, hop, &t);
	if (t.reply.code) {
		tls_failed(k, &t);
		say_fault(k);
	}
	k->deadline = after_ms(HOST_MS); /* to be asked */
	return true;
}

/* The first of its addresses that takes us. */
static bool waits open_host(struct talk *k)
{
	struct system system = k->t->system;
	struct hop *hops;
	size_t n;

	if (k->host->is_ip && !may_try(k, &k->host->ip))
		return false;
	system.hosts = hosts_text(k->host, 1, k->t->arena);
	if (!hops_of_system(all.dns, &system, k->deadline, k->t->arena, &hops,
			    &n))
		return fault(k, no_address);
	for (size_t i = 0; i < n; i++)
		if (try_address(k, &hops[i]))
			return true;
	return false;
}

static bool waits ask(struct talk *k, struct str line, struct reply *out)
{
	struct str command = arena_strf(k->t->arena, "%.*s\r\n", STR(line));

	return peer_ask(k->peer, k->t->arena, command, out, k->deadline) ||
	       is_lost(k, k->peer->loss);
}

/* What R says, the reply to RCPT, or to a MAIL that was not accepted: that is
 * never about an address. */
static const char *outcome(const struct reply *r, bool is_mail)
{
	struct judgement j =
		blame_judge(is_mail ? VERB_MAIL : VERB_RCPT, false, r);

	switch (j.remedy) {
	case REMEDY_NONE:
		return "accepted";
	case REMEDY_REFUSED:
		return j.whose == BLAME_RECIPIENT ? "refused" : "denied";
	case REMEDY_FURTHER:
	case REMEDY_FRESH:
	case REMEDY_ROOM:
	case REMEDY_PLAIN:
	case REMEDY_LATER:
		break;
	}
	return "unsure";
}

/* Would it take mail for ADDRESS?  KEY of the report says; MAIL is what MAIL
 * was answered. */
static bool waits ask_for(struct talk *k, const char *key, struct str address,
			  const struct reply *mail)
{
	bool is_mail = !reply_is_done(mail);
	struct reply r = *mail;

	if (!is_mail &&
	    !ask(k, arena_strf(k->t->arena, "RCPT TO:<%.*s>", STR(address)),
		 &r))
		return false;
	set(k, key,
	    json_pack("{s:o,s:s,s:o}", "address", json_text(address), "outcome",
		      outcome(&r, is_mail), "reply",
		      shown(reply_line(&r, k->t->arena))));
	return true;
}

/* One nobody has, and one that somebody has. */
static bool waits ask_for_addresses(struct talk *k)
{
	char random[17];
	struct str unknown;
	struct reply mail;

	if (str_empty(k->t->domain))
		return true;
	random_name(random, sizeof(random) - 1);
	unknown = arena_strf(k->t->arena, "splitmail-test-%s@%.*s", random,
			     STR(k->t->domain));
	return ask(k, S("MAIL FROM:<>"), &mail) &&
	       ask_for(k, "unknown_address", unknown, &mail) &&
	       (str_empty(k->t->known) ||
		ask_for(k, "known_address", k->t->known, &mail));
}

static void waits try_host(struct talk *k)
{
	k->deadline = after_ms(HOST_MS);
	k->report = json_pack(
		"{s:o,s:n,s:b,s:n,s:n,s:n,s:n,s:n,s:n,s:{}}", "host",
		json_text(hosts_text(k->host, 1, k->t->arena)), "address",
		"connected", 0, "banner", "tls", "unknown_address",
		"known_address", "problem", "reason", "values");
	if (!open_host(k) || !ask_for_addresses(k))
		say_fault(k);
	if (k->peer)
		peer_quit(k->peer);
	k->peer = NULL;
}

/* ---- one trial ---- */

static void waits run_host(void *arg)
{
	struct talk *k = arg;

	try_host(k);
	if (--k->t->running == 0)
		gate_open(&k->t->ended);
}

/* Whatever it says of addresses. */
static bool takes_mail(const struct talk *k)
{
	return json_is_true(json_object_get(k->report, "connected")) &&
	       json_is_null(json_object_get(k->report, "reason"));
}

static void remember(const struct relay_test *t, const struct talk *talks)
{
	struct tested what = { .at_wall_ms = wall_ms() };

	for (size_t i = 0; i < t->n; i++)
		what.is_good |= takes_mail(&talks[i]);
	tested_note(hosts_text(t->hosts, t->n, t->arena), what);
}

/* All of them at once, so that silent ones cost no more than one. */
static void waits run(struct request *r)
{
	struct relay_test *t = r->test;
	struct talk *talks = arena_array(t->arena, struct talk, t->n);

	t->running = t->n;
	for (size_t i = 0; i < t->n; i++) {
		talks[i] = (struct talk){ .t = t, .host = &t->hosts[i] };
		if (!fiber_start("relay-test", run_host, &talks[i]))
			run_host(&talks[i]);
	}
	while (t->running > 0)
		gate_wait(&t->ended, NEVER);
	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(t->items, talks[i].report);
	remember(t, talks);
}

void relay_test_forget(struct request *r)
{
	if (!r->test)
		return;
	json_decref(r->test->items);
	arena_close(r->test->arena);
	free(r->test);
	r->test = NULL;
}

static bool has_one_more(size_t hosts)
{
	int64_t minute = now_ms() / A_MINUTE_MS;
	bool good;

	pthread_mutex_lock(&all.lock);
	if (minute != all.minute)
		all.trials = 0, all.hosts = 0;
	all.minute = minute;
	good = all.trials < TRIALS_A_MINUTE &&
	       all.hosts + hosts <= HOSTS_A_MINUTE;
	all.trials += good;
	all.hosts += good ? hosts : 0;
	pthread_mutex_unlock(&all.lock);
	return good;
}

/* The domain has to be ours: nobody else's addresses are asked for. */
static enum answer take_domain(struct request *r, struct relay_test *t)
{
	struct str text = body_text(r, "domain"), name;
	struct domain domain;
	enum answer a;

	if (str_empty(text))
		return ANSWER_YES;
	if (!domain_parse(text, t->arena, &name))
		return ANSWER_NO;
	a = directory_domain(r->d, name, t->arena, &domain);
	if (a == ANSWER_YES && !sees_domain(r, domain.id))
		return ANSWER_NO;
	if (a != ANSWER_YES)
		return a;
	t->domain = name;
	a = find_alternate_address(r->d, domain.id, t->arena, &t->known);
	return a == ANSWER_UNSURE ? a : ANSWER_YES;
}

/* As a relay without a name has it, unless it is said. */
static bool take_tls(struct request *r, struct system *out)
{
	struct str word = body_text(r, "tls");

	out->tls = SYSTEM_TLS_OPPORTUNISTIC;
	if (!json_object_get(r->body, "tls"))
		return true;
	for (int i = SYSTEM_TLS_NONE; i <= SYSTEM_TLS_VERIFIED; i++)
		if (str_same(word, str_of(tls_name((enum system_tls)i)))) {
			out->tls = (enum system_tls)i;
			return true;
		}
	return false;
}

static bool take_family(struct request *r, struct system *out)
{
	struct str word = body_text(r, "address_family");

	if (!json_object_get(r->body, "address_family"))
		return true;
	for (int i = FAMILY_ANY; i <= FAMILY_IPV6; i++)
		if (str_same(word,
			     str_of(family_name((enum address_family)i)))) {
			out->limits.family = (enum address_family)i;
			return true;
		}
	return false;
}

static struct response begin(struct request *r)
{
	struct relay_test *t = must_alloc(sizeof(*t));
	struct str text = body_text(r, "hosts");

	*t = (struct relay_test){ .arena = arena_open(),
				  .items = json_array(),
				  .may_loopback = is_super(r) };
	r->test = t;
	if (!hosts_parse(text, t->arena, &t->hosts, &t->n))
		return t->n == LIMIT_HOSTS
			       ? problem("hosts", too_many_hosts,
					 V("most", LIMIT_HOSTS))
			       : problem("hosts", bad_hosts, V("given", text),
					 V("cause", cause()));
	if (!take_tls(r, &t->system))
		return problem("tls", wrong_type, V("key", "tls"),
			       V("right", "none, opportunistic, required or "
					  "verified"));
	if (!take_family(r, &t->system))
		return problem("address_family", wrong_type,
			       V("key", "address_family"),
			       V("right", "any, ipv4 or ipv6"));
	switch (take_domain(r, t)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return problem("domain", no_such_domain,
			       V("domain", body_text(r, "domain")));
	case ANSWER_UNSURE:
		return trouble(r);
	}
	if (!has_one_more(t->n)) {
		struct response a = problem(NULL, too_many_trials);

		a.retry_after_s = 60;
		return a;
	}
	return errand_begin(r, run);
}

struct response on_relay_test(struct request *r)
{
	if (!r->errand_ended)
		return begin(r);
	return answer_json(200, json_pack("{s:O}", "items", r->test->items));
}

/* ---- all of them ---- */

bool relay_tests_open(const struct console_settings *s)
{
	all.client = (struct client){
		.hostname = s->hostname,
		.outgoing = s->outgoing,
		.tls_any = tls_client(TLS_NOTED, NULL),
		.tls_verified = tls_client(TLS_VERIFIED, NULL),
	};
	all.dns = s->dns;
	return all.client.tls_any && all.client.tls_verified;
}

void relay_tests_close(void)
{
	tls_close(all.client.tls_any);
	tls_close(all.client.tls_verified);
	all.client = (struct client){ 0 };
}
