/*
 * Trying an alternate mail server (relay_test.h).
 *
 * It is no scanner of networks: what is shown of a banner begins with "220",
 * link-local addresses are refused, loopback ones to all but
 * superadministrators, and only so many trials a minute are made.
 */
#include "console/relay_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "console/handlers.h"
#include "console/server.h"
#include "directory/lists.h"
#include "dns/dns.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "rt/stream.h"
#include "rt/tls.h"
#include "wire/address.h"
#include "wire/hosts.h"
#include "wire/reply.h"

enum {
	TRIAL_MS = 20000,	/* of one request */
	HOST_MS = 8000,
	A_MINUTE_MS = 60000,
	TRIALS_A_MINUTE = 30,
	HOSTS = 5,
	TEXT_BYTES = 500,	/* of a banner or reply, shown */
};

struct relay_test {
	struct request *request;
	struct arena *arena;
	struct host *hosts;
	size_t n;
	struct str domain;	/* whose random address is asked for */
	struct str known;	/* of a user there, asked for too; or empty */
	bool may_loopback;
	int64_t deadline;
	json_t *items;
	bool done;
};

static struct {
	const struct console_settings *settings;
	struct tls_context *verified, *any;
	atomic_uint running;	/* from parking to resuming */
	atomic_bool stopping;
	pthread_mutex_t lock;	/* of the next two */
	int64_t minute;
	unsigned trials;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- one conversation ---- */

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

struct talk {
	struct relay_test *t;
	const struct host *host;
	struct stream *stream;
	int64_t deadline;
	json_t *report;
	enum trial fault;	/* the last one */
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

static bool waits hear(struct talk *k, struct reply *out)
{
	size_t used;

	for (;;) {
		switch (reply_parse(stream_bytes(k->stream), k->t->arena, out,
				    &used)) {
		case REPLY_WHOLE:
			stream_skip(k->stream, used);
			return true;
		case REPLY_BAD:
			return fault(k, no_smtp);
		case REPLY_PART:
			break;
		}
		switch (stream_fill(k->stream, k->deadline)) {
		case STREAM_MORE:
			break;
		case STREAM_LATE:
			return fault(k, no_answer);
		case STREAM_END:
		case STREAM_FULL:
		case STREAM_BROKEN:
			return fault(k, closed);
		}
	}
}

static bool waits ask(struct talk *k, struct str line, struct reply *out)
{
	stream_say(k->stream, line);
	stream_say(k->stream, S("\r\n"));
	return (stream_flush(k->stream, k->deadline) ||
		fault(k, does_not_read)) && hear(k, out);
}

static json_t *shown(struct talk *k, const struct reply *r)
{
	struct str line = reply_line(r, k->t->arena);

	return json_text(str_part(line, 0, TEXT_BYTES));
}

static void set(struct talk *k, const char *key, json_t *v)
{
	json_object_set_new(k->report, key, v);
}

static bool waits greet(struct talk *k, struct capabilities *can)
{
	struct reply r;

	if (!hear(k, &r))
		return false;
	if (r.code != 220)
		return fault(k, greeting_refuses, V("code", r.code));
	set(k, "banner", shown(k, &r));
	if (!ask(k, arena_strf(k->t->arena, "EHLO %s", all.settings->hostname),
		 &r))
		return false;
	if (r.code != 250)
		return fault(k, ehlo_refused, V("code", r.code));
	capabilities_parse(&r, can);
	return true;
}

/* 0.0.0.0/8 and ::, by which Linux reaches this very machine. */
static bool is_unspecified(const struct inet *at)
{
	static const uint8_t none[16];

	return inet_is_v4(at) ? at->ip[12] == 0
			      : !memcmp(at->ip, none, sizeof(none));
}

/* 169.254.0.0/16, where clouds keep their secrets, and fe80::/10. */
static bool is_link_local(const struct inet *at)
{
	return inet_is_v4(at) ? at->ip[12] == 169 && at->ip[13] == 254
			      : at->ip[0] == 0xfe && (at->ip[1] & 0xc0) == 0x80;
}

static bool is_forbidden(const struct relay_test *t, const struct inet *at)
{
	if (is_link_local(at) || is_unspecified(at))
		return true;
	return inet_is_loopback(at) && !t->may_loopback;
}

static bool waits dial(struct talk *k, const struct inet *at)
{
	if (is_forbidden(k->t, at))
		return fault(k, not_tried, V("address", inet_ip_text(at).c));
	k->stream = stream_dial(at, all.settings->outgoing, k->deadline);
	if (!k->stream)
		return fault(k, not_connected,
			     V("address", inet_ip_text(at).c),
			     V("cause", cause()));
	set(k, "address", json_string(inet_ip_text(at).c));
	set(k, "connected", json_true());
	return true;
}

/* By A and AAAA; the first that answers. */
static bool waits reach(struct talk *k)
{
	struct inet *at;
	size_t n;

	if (k->host->is_ip)
		return dial(k, &k->host->ip);
	if (dns_addresses(k->host->name, k->host->port, k->deadline,
			  k->t->arena, &at, &n) != DNS_FOUND)
		return fault(k, no_address);
	for (size_t i = 0; i < n; i++)
		if (dial(k, &at[i]))
			return true;
	return false;
}

static bool waits start_tls(struct talk *k, struct tls_context *context)
{
	const char *name = arena_cstr(k->t->arena, k->host->name);
	struct reply r;

	if (!ask(k, S("STARTTLS"), &r))
		return false;
	if (r.code != 220)
		return fault(k, starttls_refused, V("code", r.code));
	return stream_tls_connect(k->stream, context, name, k->deadline) ||
	       fault(k, tls_fails, V("cause", cause()));
}

static void waits say_tls(struct talk *k, bool verified)
{
	set(k, "tls", json_pack("{s:s,s:b}", "version",
				stream_tls_version(k->stream), "verified",
				verified));
}

/* A certificate that cannot be verified ends the connection: then again,
 * whoever it is. */
static bool waits secure(struct talk *k, struct capabilities *can)
{
	struct reply r;

	if (!can->starttls)
		return true;
	if (!k->host->is_ip && start_tls(k, all.verified)) {
		say_tls(k, true);
	} else {
		stream_close(k->stream);
		k->stream = NULL;
		if (!reach(k) || !greet(k, can) || !start_tls(k, all.any))
			return false;
		say_tls(k, false);
	}
	return ask(k, arena_strf(k->t->arena, "EHLO %s",
				 all.settings->hostname), &r) &&
	       (r.code == 250 || fault(k, ehlo_refused, V("code", r.code)));
}

/* Addresses and hosts: they may be called anything, even "relay". */
static bool is_name(struct str word)
{
	ptrdiff_t dot = str_find(word, '.');

	return str_find(word, '@') >= 0 ||
	       (dot >= 0 && (size_t)dot + 1 < word.n);
}

/* "relaying denied", "not in my list of allowed rcpthosts". */
static bool speaks_of_relaying(struct str text)
{
	static const char *const beginnings[] = { "relay", "rcpthosts",
						  "blocked", "blocklist",
						  "blacklist" };
	struct str line, word;

	while (str_split(&text, '\n', &line))
		while (str_split(&line, ' ', &word))
			for (size_t i = 0; i < array_size(beginnings); i++)
				if (!is_name(word) &&
				    str_starts_nocase(word,
						      str_of(beginnings[i])))
					return true;
	return false;
}

/* Is it we, or the whole domain, whom a refused RCPT is about?  RFC 3463 has
 * 5.7.x for it; without a status there are only words. */
static bool is_about_us(const struct reply *r)
{
	if (r->code == 530 || r->code == 535)
		return true;
	if (r->status[0])
		return str_starts(str_of(r->status), S("5.7."));
	return (r->code == 550 || r->code == 553 || r->code == 554) &&
	       speaks_of_relaying(r->text);
}

/* What R says, the reply to RCPT, or to a MAIL that was not accepted: that is
 * never about an address. */
static const char *outcome(const struct reply *r, bool is_mail)
{
	if (reply_is_refusal(r))
		return is_mail || is_about_us(r) ? "denied" : "refused";
	return reply_is_done(r) ? "accepted" : "unsure";
}

/* Would it take mail for ADDRESS?  KEY of the report says; MAIL is what MAIL
 * was answered. */
static bool waits try_address(struct talk *k, const char *key,
			      struct str address, const struct reply *mail)
{
	bool is_mail = !reply_is_done(mail);
	struct reply r = *mail;

	if (!is_mail && !ask(k, arena_strf(k->t->arena, "RCPT TO:<%.*s>",
					   STR(address)), &r))
		return false;
	set(k, key,
	    json_pack("{s:o,s:s,s:o}", "address", json_text(address), "outcome",
		      outcome(&r, is_mail), "reply", shown(k, &r)));
	return true;
}

/* One nobody has, and one that somebody has. */
static bool waits try_addresses(struct talk *k)
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
	       try_address(k, "unknown_address", unknown, &mail) &&
	       (str_empty(k->t->known) ||
		try_address(k, "known_address", k->t->known, &mail));
}

static void say_fault(struct talk *k)
{
	struct str sentence = str_of(trials[k->fault].sentence);

	set(k, "problem",
	    json_text(sentence_fill(sentence, k->values, k->t->arena)));
	set(k, "reason", json_id(str_of(trials[k->fault].name)));
	set(k, "values", json_values(k->values));
}

static void waits try_host(struct relay_test *t, const struct host *host)
{
	struct talk k = { t, host, .deadline = after_ms(HOST_MS),
			  .report = json_pack("{s:o,s:n,s:b,s:n,s:n,s:n,s:n,"
					      "s:n,s:n,s:{}}",
					      "host",
					      json_text(hosts_text(host, 1,
								 t->arena)),
					      "address", "connected", 0,
					      "banner", "tls",
					      "unknown_address",
					      "known_address", "problem",
					      "reason", "values") };
	struct capabilities can = { 0 };

	if (k.deadline > t->deadline)
		k.deadline = t->deadline;
	if (!reach(&k) || !greet(&k, &can) || !secure(&k, &can) ||
	    !try_addresses(&k))
		say_fault(&k);
	else
		stream_say(k.stream, S("RSET\r\nQUIT\r\n"));
	if (k.stream && stream_flush(k.stream, after_ms(1000)))
		stream_skip(k.stream, stream_bytes(k.stream).n);
	stream_close(k.stream);
	json_array_append_new(t->items, k.report);
}

/* ---- one trial ---- */

/* From here on the request is another thread's. */
static void end(struct relay_test *t)
{
	t->done = true;
	server_resume(t->request);
	atomic_fetch_sub(&all.running, 1);
}

static void waits run(void *arg)
{
	struct relay_test *t = arg;

	t->deadline = after_ms(TRIAL_MS);
	for (size_t i = 0; i < t->n && !atomic_load(&all.stopping); i++)
		try_host(t, &t->hosts[i]);
	end(t);
}

/* On the loop. */
static void start(void *arg)
{
	if (!fiber_start("relay-test", run, arg))
		end(arg);
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

static bool is_one_more(void)
{
	int64_t minute = now_ms() / A_MINUTE_MS;
	bool good;

	pthread_mutex_lock(&all.lock);
	if (minute != all.minute)
		all.trials = 0;
	all.minute = minute;
	good = all.trials < TRIALS_A_MINUTE;
	all.trials += good;
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

static struct response park(struct request *r)
{
	atomic_fetch_add(&all.running, 1);
	if (atomic_load(&all.stopping)) {
		atomic_fetch_sub(&all.running, 1);
		return problem(NULL, stopping);
	}
	server_park(r);
	loop_post(0, start, r->test);
	return (struct response){ .status = 0 };
}

static struct response begin(struct request *r)
{
	struct relay_test *t = must_alloc(sizeof(*t));
	struct str text = body_text(r, "hosts");

	*t = (struct relay_test){ .request = r, .arena = arena_open(),
				  .items = json_array(),
				  .may_loopback = is_super(r) };
	r->test = t;
	if (!hosts_parse(text, t->arena, &t->hosts, &t->n))
		return problem("hosts", bad_hosts, V("given", text),
			       V("cause", cause()));
	if (t->n > HOSTS)
		return problem("hosts", too_many_hosts, V("most", HOSTS));
	switch (take_domain(r, t)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return problem("domain", no_such_domain,
			       V("domain", body_text(r, "domain")));
	case ANSWER_UNSURE:
		return trouble(r);
	}
	if (!is_one_more()) {
		struct response a = problem(NULL, too_many_trials);

		a.retry_after_s = 60;
		return a;
	}
	return park(r);
}

struct response on_relay_test(struct request *r)
{
	if (!r->test)
		return begin(r);
	check(r->test->done);
	return answer_json(200, json_pack("{s:O}", "items", r->test->items));
}

/* ---- all of them ---- */

bool relay_tests_open(const struct console_settings *s)
{
	all.settings = s;
	atomic_store(&all.stopping, false);
	all.verified = tls_client(TLS_VERIFIED, NULL);
	all.any = tls_client(TLS_ANY, NULL);
	return all.verified && all.any;
}

void relay_tests_stop(void)
{
	enum { LOOK_AGAIN_MS = 20 };

	atomic_store(&all.stopping, true);
	while (atomic_load(&all.running) > 0)
		fiber_sleep(after_ms(LOOK_AGAIN_MS));
}

void relay_tests_close(void)
{
	tls_close(all.verified);
	tls_close(all.any);
	all.verified = all.any = NULL;
}
