/*
 * XCLIENT, as a client says it (xclient.h).
 *
 * Values are xtext.  What is not announced is not said, and without ADDR nothing
 * is.  EHLO repeats his name: it would be ours otherwise.
 */
#include "deliver/xclient.h"

#include "base/buf.h"
#include "base/limits.h"
#include "dns/dns.h"
#include "rt/log.h"
#include "wire/command.h"

enum { COMMAND_BYTES = 512 - 2 };

static bool is_stranger(const struct asker *a)
{
	return a->kind == ASKER_INTERNET ||
	       (a->kind == ASKER_SYSTEM && !a->trusted);
}

bool xclient_is_due(const struct round *round, const struct system *system)
{
	const struct message *m = round->message;

	return system->xclient && is_stranger(&round->asker) &&
	       m->client.port != 0 && m->helo.n > 0;
}

/* ---- what is said of him ---- */

/* "[...]": why there is none. */
static struct str waits name_of(const struct round *round)
{
	struct dns *dns = round->deliver->settings->dns;
	struct str name;

	switch (dns_name_of(dns, &round->message->client,
			    after_ms(LIMIT_CLIENT_NAME_MS), round->arena,
			    &name)) {
	case DNS_FOUND:
		return xtext_encode(name, round->arena);
	case DNS_NONE:
		return S("[UNAVAILABLE]");
	case DNS_TROUBLE:
		break;
	}
	return S("[TEMPUNAVAIL]");
}

static struct str protocol_of(const struct message *m)
{
	return str_search(m->trace, S("(Splitmail) with SMTP id ")) >= 0
		       ? S("SMTP")
		       : S("ESMTP");
}

static void say(struct buf *b, const struct peer *p, unsigned attribute,
		const char *word, struct str value)
{
	if (p->can.xclient & attribute &&
	    b->n + strlen(word) + value.n + 2 <= COMMAND_BYTES)
		buf_printf(b, " %s=%.*s", word, STR(value));
}

static struct str waits command(const struct peer *p, const struct round *round)
{
	const struct message *m = round->message;
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str port = arena_strf(round->arena, "%u", m->client.port);
	struct str at = arena_strf(round->arena, "%s%s",
				   inet_is_v4(&m->client) ? "" : "IPV6:",
				   inet_ip_text(&m->client).c);

	buf_add(&b, S("XCLIENT"));
	say(&b, p, XCLIENT_ADDR, "ADDR", at);
	if (p->can.xclient & XCLIENT_NAME)
		say(&b, p, XCLIENT_NAME, "NAME", name_of(round));
	say(&b, p, XCLIENT_PORT, "PORT", port);
	say(&b, p, XCLIENT_PROTO, "PROTO", protocol_of(m));
	say(&b, p, XCLIENT_HELO, "HELO", xtext_encode(m->helo, round->arena));
	buf_add(&b, S("\r\n"));
	return arena_str(round->arena, buf_str(&b));
}

/* ---- and heard ---- */

static enum xclient_outcome lost(struct peer *p)
{
	p->is_broken = true;
	return XCLIENT_LOST;
}

/* 220, and EHLO again. */
static enum xclient_outcome waits begin_anew(struct peer *p,
					     struct round *round,
					     int64_t deadline_ms)
{
	struct arena *a = round->arena;
	struct reply r;

	if (!peer_is_silent(p) ||
	    !peer_ask(p, a,
		      arena_strf(a, "EHLO %.*s\r\n", STR(round->message->helo)),
		      &r, deadline_ms))
		return lost(p);
	if (r.code != 250) {
		fail("EHLO after XCLIENT: %.*s", STR(reply_line(&r, a)));
		return lost(p);
	}
	capabilities_parse(&r, &p->can);
	return XCLIENT_DONE;
}

static enum xclient_outcome refused(struct peer *p, const struct reply *r,
				    struct arena *arena)
{
	struct str said = reply_line(r, arena);

	log_warn("smtp", "%s refuses XCLIENT: %s", p->name,
		 log_safe(arena, said, FAIL_SENTENCE_BYTES));
	p->refuses_xclient = true;
	fail("%.*s", STR(said));
	return p->was_told || r->code == 421 ? lost(p) : XCLIENT_DONE;
}

static enum xclient_outcome waits tell(struct peer *p, struct round *round)
{
	int64_t deadline_ms = after_ms(LIMIT_XCLIENT_MS);
	struct reply r;

	if (!peer_is_silent(p) ||
	    !peer_ask(p, round->arena, command(p, round), &r, deadline_ms))
		return lost(p);
	if (r.code >= 400)
		return refused(p, &r, round->arena);
	if (r.code != 220) {
		fail("XCLIENT: %.*s", STR(reply_line(&r, round->arena)));
		return lost(p);
	}
	p->was_told = true;
	return begin_anew(p, round, deadline_ms);
}

enum xclient_outcome xclient_tell(struct peer *p, struct host_state *host,
				  struct round *round)
{
	enum xclient_outcome outcome;

	if (p->refuses_xclient)
		return p->was_told ? lost(p) : XCLIENT_DONE;
	if (!(p->can.xclient & XCLIENT_ADDR)) {
		log_fact("smtp", "%s announces no XCLIENT", p->name);
		fail("%s announces no XCLIENT", p->name);
		return p->was_told ? lost(p) : XCLIENT_DONE;
	}
	outcome = tell(p, round);
	switch (outcome) {
	case XCLIENT_DONE:
		if (p->was_told)
			host_works_at(host, HOST_NO_XCLIENT, HOST_XCLIENT);
		break;
	case XCLIENT_LOST:
		log_warn("smtp", "%s: XCLIENT: %s", p->name, cause());
		host_failed_at(host, HOST_NO_XCLIENT, HOST_XCLIENT);
		break;
	}
	return outcome;
}
