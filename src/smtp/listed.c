/*
 * Is the client on lists in DNS (wire/dnsbl.h) that its listener asks?
 *
 * All of them at once, at the first MAIL of a session, of strangers alone; those
 * that say yes have their weights added up.  A list that does not answer within
 * LIMIT_DNSBL_MS has said nothing, and one that has 127.0.0.1, which no list may
 * (RFC 5782 5), says yes to everybody and is not believed.
 */
#include "wire/dnsbl.h"

#include "base/buf.h"
#include "dns/dns.h"
#include "rt/counter.h"
#include "rt/log.h"
#include "smtp/session.h"

struct list_answer {
	struct listing *of;
	const struct dnsbl *list;
	struct fiber *fiber; /* NULL: it has ended */
	bool is_listed;
};

struct listing {
	struct session *session;
	int64_t deadline_ms;
	size_t left;
	struct gate news;
};

static bool waits is_on(struct dns *dns, const struct inet *at,
			const struct dnsbl *list, int64_t deadline_ms)
{
	struct arena *own scoped(arena) = arena_open();
	struct inet *answers;
	size_t n;

	if (dns_addresses(dns, dnsbl_name(at, list->zone, own), 0, deadline_ms,
			  own, &answers, &n) != DNS_FOUND)
		return false;
	for (size_t i = 0; i < n; i++)
		if (dnsbl_is_listed(&answers[i]))
			return true;
	return false;
}

static void waits ask_list(void *answer)
{
	struct list_answer *a = answer;
	struct listing *l = a->of;
	struct session *s = l->session;
	struct dns *dns = s->server->settings->dns;
	struct inet nobody;

	check(inet_parse_ip(S("127.0.0.1"), 0, &nobody));
	a->is_listed =
		is_on(dns, stream_peer(s->peer), a->list, l->deadline_ms);
	if (a->is_listed && is_on(dns, &nobody, a->list, l->deadline_ms)) {
		log_warn("dnsblog", "%.*s lists everybody: not believed",
			 STR(a->list->zone));
		a->is_listed = false;
	}
	a->fiber = NULL;
	l->left--;
	gate_open(&l->news);
}

static void waits ask_all(struct listing *l, struct list_answer *answers,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		l->left++;
		answers[i].of = l;
		answers[i].fiber = fiber_start("dnsbl", ask_list, &answers[i]);
		l->left -= !answers[i].fiber;
	}
	while (l->left > 0 && gate_wait(&l->news, l->deadline_ms) == WAIT_DONE)
		;
	for (size_t i = 0; i < n; i++)
		if (answers[i].fiber)
			fiber_cancel(answers[i].fiber);
	while (l->left > 0)
		fiber_yield();
}

/* The reply; code 0: it is let in. */
static struct reply judge_lists(struct session *s,
				const struct list_answer *answers, size_t n)
{
	const char *client = inet_ip_text(stream_peer(s->peer)).c;
	struct buf by scoped(buf) = BUF_EMPTY;
	int score = 0;

	for (size_t i = 0; i < n; i++) {
		const struct dnsbl *list = answers[i].list;

		if (!answers[i].is_listed)
			continue;
		log_fact("dnsblog", "addr %s listed by domain %.*s", client,
			 STR(list->zone));
		score += list->weight;
		if (list->weight > 0)
			buf_printf(&by, "%s%.*s", by.n ? ", " : "",
				   STR(list->zone));
	}
	if (score < s->door->dnsbl_threshold)
		return SILENCE;
	count(COUNT_CLIENTS_LISTED);
	return SAY(s, listed, client, arena_cstr(s->line, buf_str(&by)));
}

static struct reply waits look_up_client(struct session *s)
{
	const struct smtp_door *door = s->door;
	struct list_answer *answers =
		arena_array(s->line, struct list_answer, door->n_dnsbl);
	struct listing l = {
		.session = s,
		.deadline_ms = after_ms(LIMIT_DNSBL_MS),
	};

	for (size_t i = 0; i < door->n_dnsbl; i++)
		answers[i].list = &door->dnsbl[i];
	ask_all(&l, answers, door->n_dnsbl);
	return judge_lists(s, answers, door->n_dnsbl);
}

struct reply refuse_listed(struct session *s)
{
	if (!s->door->n_dnsbl || !s->server->settings->dns ||
	    s->kind != SMTP_MX || asker_has_rights(&s->mail->asker))
		return SILENCE;
	if (!s->was_looked_up) {
		struct reply r = look_up_client(s);

		s->was_looked_up = true;
		s->listed = r;
		s->listed.text = arena_str(s->arena, r.text);
	}
	return s->listed;
}
