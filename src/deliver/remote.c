/*
 * The SMTP client: from a leg to an open, greeted, secured and authenticated
 * connection, and over the hosts of a system until one takes the mail.
 *
 *	hosts	A system's are used literally, in order, A and AAAA only; the
 *		Internet's come from MX.  One that did not answer is tried last
 *		for HOP_REST_MS, so the first is preferred again soon.
 *	TLS	none | opportunistic: clear text, on a new connection, when the
 *		handshake fails | required, verified: later, never clear text
 *	AUTH	over TLS only
 *
 * A 5xx greeting speaks for that host; when all hosts of an Internet domain
 * say so the mail is refused, a configured system gets it later.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "deliver/transaction.h"
#include "wire/command.h"
#include "wire/hosts.h"

enum { MAX_MX = 10, SLOW_MS = 3000 };

static bool trouble_ours(struct trouble *t, struct reply r)
{
	t->reply = r;
	t->is_ours = true;
	return false;
}

static bool trouble_said(struct trouble *t, const struct reply *r)
{
	t->reply = *r;
	t->is_ours = false;
	return false;
}

/* ---- where to ---- */

struct str hop_name(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return str_of(hop->path);
	return arena_strf(arena, "%.*s[%s]:%u", STR(hop->host),
	                  inet_ip_text(&hop->at).c, hop->at.port);
}

static struct str hop_key(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return arena_strf(arena, "lmtp %s", hop->path);
	return arena_strf(arena, "%s %d %.*s %.*s %.*s", inet_text(&hop->at).c,
	                  hop->tls, STR(hop->host), STR(hop->system),
	                  STR(hop->user));
}

struct hop_list {
	struct hop *hop;
	size_t n;
	struct arena *arena;
};

static void add_hops(struct hop_list *list, const struct hop *like,
                     struct str host, const struct inet *at, size_t n)
{
	for (size_t i = 0; i < n && list->n < LIMIT_HOSTS; i++) {
		static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff };
		static const uint8_t any_v6[16];
		struct hop *hop = &list->hop[list->n];

		if (!memcmp(at[i].ip, any_v4, 16) ||
		    !memcmp(at[i].ip, any_v6, 16))
			continue;
		*hop = *like;
		hop->host = host;
		hop->at = at[i];
		list->n++;
	}
}

/* Configured hosts, literally: never their MX. */
static bool hops_of_system(const struct leg *leg, int64_t deadline_ms,
                           struct hop_list *list, struct trouble *trouble)
{
	const struct system *sys = &leg->system;
	struct hop like = {
		.tls = sys->tls,
		.user = sys->user,
		.password = sys->password,
		.system = sys->name,
	};
	struct host *hosts;
	size_t n;

	fail("no host is configured");
	if (!hosts_parse(sys->hosts, list->arena, &hosts, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct inet *at = &hosts[i].ip;
		size_t n_at = 1;

		if (hosts[i].is_ip)
			at->port = hosts[i].port;
		else if (dns_addresses(hosts[i].name, hosts[i].port,
		                       deadline_ms, list->arena, &at,
		                       &n_at) != DNS_FOUND)
			continue;
		add_hops(list, &like, hosts[i].name, at, n_at);
	}
	if (list->n)
		return true;
	return trouble_ours(trouble, own_reply(list->arena, 451, "4.4.3",
	                                       "no address of %.*s: %s",
	                                       STR(sys->name), cause()));
}

/* RFC 5321 5.1: where we stand in the list, those behind are no way on. */
static bool mx_is_us(const struct deliver *d, struct str name)
{
	return str_same_nocase(name, str_of(d->settings->hostname));
}

static bool loops_back(struct trouble *trouble, struct arena *arena)
{
	return trouble_ours(trouble,
	                    own_reply(arena, 550, "5.4.6",
	                              "mail for this domain loops back to "
	                              "this server"));
}

static bool no_mx(enum dns_answer answer, struct str domain, bool null_mx,
                  struct arena *arena, struct trouble *trouble)
{
	if (answer == DNS_TROUBLE)
		return trouble_ours(trouble, own_reply(arena, 451, "4.4.3",
		                                       "looking up %.*s: %s",
		                                       STR(domain), cause()));
	if (null_mx)
		return trouble_ours(trouble,
		                    own_reply(arena, 556, "5.1.10",
		                              "%.*s takes no mail (null MX)",
		                              STR(domain)));
	return trouble_ours(trouble,
	                    own_reply(arena, 550, "5.1.2",
	                              "no such domain: %.*s", STR(domain)));
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static bool hops_of_literal(const struct deliver *d, struct str domain,
                            struct hop_list *list)
{
	struct str ip = str_part(domain, 1, domain.n - 1);
	struct hop like = { .tls = SYSTEM_TLS_OPPORTUNISTIC,
		            .is_internet = true };
	struct inet at;

	if (str_starts_nocase(ip, S("IPv6:")))
		ip = str_from(ip, 5);
	if (inet_parse_ip(ip, d->settings->internet_port, &at))
		add_hops(list, &like, domain, &at, 1);
	return list->n > 0;
}

static bool hops_of_internet(const struct deliver *d, const struct leg *leg,
                             int64_t deadline_ms, struct hop_list *list,
                             struct trouble *trouble)
{
	struct hop like = { .tls = SYSTEM_TLS_OPPORTUNISTIC,
		            .is_internet = true };
	enum dns_answer answer, worst = DNS_NONE;
	struct str domain = leg->domain;
	struct mx *mx;
	size_t n;
	bool null_mx = false;

	if (str_starts(domain, S("[")) && str_ends(domain, S("]")) &&
	    hops_of_literal(d, domain, list))
		return true;
	answer = dns_mx(domain, deadline_ms, list->arena, &mx, &n, &null_mx);
	if (answer != DNS_FOUND)
		return no_mx(answer, domain, null_mx, list->arena, trouble);
	for (size_t i = 0; i < n; i++)
		if (mx_is_us(d, mx[i].name)) {
			while (i > 0 &&
			       mx[i - 1].preference == mx[i].preference)
				i--;
			n = i;
			if (!n)
				return loops_back(trouble, list->arena);
		}
	for (size_t i = 0; i < n && i < MAX_MX; i++) {
		struct inet *at;
		size_t n_at;

		answer = dns_addresses(mx[i].name, d->settings->internet_port,
		                       deadline_ms, list->arena, &at, &n_at);
		if (answer == DNS_FOUND)
			add_hops(list, &like, mx[i].name, at, n_at);
		else if (answer == DNS_TROUBLE)
			worst = DNS_TROUBLE;
	}
	return list->n || no_mx(worst, domain, false, list->arena, trouble);
}

/* Those that did not answer a moment ago go to the end. */
static void put_resting_last(struct deliver *d, struct hop_list *list)
{
	struct hop *sorted = arena_array(list->arena, struct hop, list->n);
	size_t n = 0;

	for (int resting = 0; resting < 2; resting++)
		for (size_t i = 0; i < list->n; i++) {
			struct str key = hop_key(&list->hop[i], list->arena);

			if (!!hop_resting(d, key, false) == resting)
				sorted[n++] = list->hop[i];
		}
	list->hop = sorted;
}

bool hops_find(struct deliver *d, const struct leg *leg, int64_t deadline_ms,
               struct arena *arena, struct hop **out, size_t *n,
               struct trouble *trouble)
{
	struct hop_list list = {
		.hop = arena_array(arena, struct hop, LIMIT_HOSTS),
		.arena = arena,
	};
	bool found =
	        leg->kind == LEG_SYSTEM
	                ? hops_of_system(leg, deadline_ms, &list, trouble)
	                : hops_of_internet(d, leg, deadline_ms, &list, trouble);

	if (!found)
		return false;
	if (list.n > 1)
		put_resting_last(d, &list);
	*out = list.hop;
	*n = list.n;
	return true;
}

/* ---- an open conversation ---- */

static bool lost(struct arena *arena, struct trouble *trouble)
{
	return trouble_ours(trouble,
	                    own_reply(arena, 451, "4.4.2", "%s", cause()));
}

static bool hear_greeting(struct peer *p, struct arena *arena,
                          int64_t deadline_ms, struct trouble *trouble)
{
	struct reply r;

	if (!peer_reply(p, arena, &r, deadline_ms))
		return lost(arena, trouble);
	if (r.code == 220)
		return peer_is_silent(p) || lost(arena, trouble);
	p->is_broken = true;
	if (r.code >= 400)
		return trouble_said(trouble, &r);
	fail("%s greeted with %d", p->name, r.code);
	return lost(arena, trouble);
}

static bool peer_greet(struct peer *p, const char *verb, const char *hostname,
                       struct arena *arena, int64_t deadline_ms,
                       struct trouble *trouble)
{
	struct str said = arena_strf(arena, "%s %s\r\n", verb, hostname);
	struct str rest;
	struct reply r;

	p->can = (struct capabilities){ 0 };
	if (!peer_ask(p, arena, said, &r, deadline_ms))
		return lost(arena, trouble);
	if (reply_is_refusal(&r) && !p->is_lmtp &&
	    !str_same(str_of(verb), S("HELO")))
		return peer_greet(p, "HELO", hostname, arena, deadline_ms,
		                  trouble);
	if (r.code == 250) {
		rest = r.text;
		str_split(&rest, '\n', &said);
		str_split(&said, ' ', &p->greeted_as);
		p->greeted_as = arena_str(p->arena, p->greeted_as);
		if (!str_same(str_of(verb), S("HELO")))
			capabilities_parse(&r, &p->can);
		return true;
	}
	p->is_broken = true;
	if (r.code >= 400)
		return trouble_said(trouble, &r);
	fail("%s answered %s with %d", p->name, verb, r.code);
	return lost(arena, trouble);
}

enum tls_outcome { TLS_UP, TLS_NOT_OFFERED, TLS_FAILED, TLS_LOST };

/* What a server says before TLS is up is not said inside it: EHLO again. */
static enum tls_outcome secure(struct deliver *d, const struct hop *hop,
                               struct peer *p, struct arena *arena,
                               int64_t deadline_ms)
{
	struct tls_context *context = hop->tls == SYSTEM_TLS_VERIFIED
	                                      ? d->settings->tls_verified
	                                      : d->settings->tls_any;
	struct reply r;

	if (!p->can.starttls || !context)
		return TLS_NOT_OFFERED;
	if (!peer_ask(p, arena, S("STARTTLS\r\n"), &r, deadline_ms))
		return TLS_LOST;
	if (r.code != 220)
		return TLS_NOT_OFFERED;
	if (!peer_is_silent(p))
		return TLS_FAILED; /* bytes injected before the handshake */
	if (stream_tls_connect(p->stream, context, arena_cstr(arena, hop->host),
	                       deadline_ms))
		return TLS_UP;
	p->is_broken = true;
	return TLS_FAILED;
}

/* RFC 4616: NUL user NUL password. */
static bool auth_plain(const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct reply *r)
{
	struct buf both scoped(buf) = BUF_EMPTY;
	struct str secret;

	buf_add_char(&both, '\0');
	buf_add(&both, hop->user);
	buf_add_char(&both, '\0');
	buf_add(&both, hop->password);
	secret = base64_encode(buf_str(&both), arena);
	return peer_ask(p, arena,
	                arena_strf(arena, "AUTH PLAIN %.*s\r\n", STR(secret)),
	                r, deadline_ms);
}

static bool auth_login(const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct reply *r)
{
	struct str secrets[] = { hop->user, hop->password };

	if (!peer_ask(p, arena, S("AUTH LOGIN\r\n"), r, deadline_ms))
		return false;
	for (size_t i = 0; i < array_size(secrets) && r->code == 334; i++) {
		struct str x = base64_encode(secrets[i], arena);

		if (!peer_ask(p, arena, arena_strf(arena, "%.*s\r\n", STR(x)),
		              r, deadline_ms))
			return false;
	}
	return true;
}

static bool authenticate(const struct hop *hop, struct peer *p,
                         struct arena *arena, int64_t deadline_ms,
                         struct trouble *trouble)
{
	struct reply r = { 0 };
	bool ok;

	if (!stream_is_tls(p->stream)) {
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.0",
		                              "%s needs a password, which is "
		                              "sent over TLS only",
		                              p->name));
	}
	if (p->can.auth_plain) {
		ok = auth_plain(hop, p, arena, deadline_ms, &r);
	} else if (p->can.auth_login) {
		ok = auth_login(hop, p, arena, deadline_ms, &r);
	} else {
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.0",
		                              "%s offers no AUTH we know",
		                              p->name));
	}
	if (!ok)
		return lost(arena, trouble);
	if (r.code == 235)
		return true;
	p->is_broken = true;
	/* A wrong password is the administrators' business, not the mail's. */
	return trouble_ours(trouble,
	                    own_reply(arena, 451, "4.7.8",
	                              "%s refused our password: %.*s", p->name,
	                              STR(reply_line(&r, arena))));
}

static struct peer *dial(struct deliver *d, const struct hop *hop,
                         int64_t deadline_ms, struct arena *arena,
                         struct trouble *trouble)
{
	int64_t latest = after_ms(LIMIT_CONNECT_MS);
	const struct inet *bind = d->settings->bind;
	struct str name = hop_name(hop, arena);
	struct stream *s;

	if (latest > deadline_ms)
		latest = deadline_ms;
	if (bind && !hop->path && inet_is_v4(bind) != inet_is_v4(&hop->at))
		bind = NULL;
	s = hop->path ? stream_dial_path(hop->path, latest)
	              : stream_dial(&hop->at, bind, latest);
	if (s)
		return peer_new(s, arena_cstr(arena, name), hop->path);
	trouble_ours(trouble,
	             own_reply(arena, 451, "4.4.1", "connect to %.*s: %s",
	                       STR(name), cause()));
	return NULL;
}

/* Policy met?  TLS_LOST: *trouble is set. */
static bool secure_or_give_up(struct deliver *d, const struct hop *hop,
                              struct peer *p, struct arena *arena,
                              int64_t deadline_ms, struct trouble *trouble)
{
	bool is_must = hop->tls >= SYSTEM_TLS_REQUIRED;

	if (hop->tls == SYSTEM_TLS_NONE)
		return true;
	switch (secure(d, hop, p, arena, deadline_ms)) {
	case TLS_UP:
		return peer_greet(p, "EHLO", d->settings->hostname, arena,
		                  deadline_ms, trouble);
	case TLS_NOT_OFFERED:
		if (!is_must)
			return true;
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.4",
		                              "TLS is required, but %s does "
		                              "not offer it",
		                              p->name));
	case TLS_FAILED:
	case TLS_LOST:
		break;
	}
	p->is_broken = true;
	return trouble_ours(trouble,
	                    own_reply(arena, 451, is_must ? "4.7.5" : "4.7.0",
	                              "TLS with %s: %s", p->name, cause()));
}

static bool make_ready(struct deliver *d, const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct trouble *trouble)
{
	const char *hostname = d->settings->hostname;

	if (!hear_greeting(p, arena, deadline_ms, trouble))
		return false;
	if (p->is_lmtp)
		return peer_greet(p, "LHLO", hostname, arena, deadline_ms,
		                  trouble);
	if (!peer_greet(p, "EHLO", hostname, arena, deadline_ms, trouble))
		return false;
	if (hop->is_internet &&
	    str_same_nocase(p->greeted_as, str_of(hostname))) {
		p->is_broken = true;
		return loops_back(trouble, arena);
	}
	if (!secure_or_give_up(d, hop, p, arena, deadline_ms, trouble))
		return false;
	return !hop->user.n ||
	       authenticate(hop, p, arena, deadline_ms, trouble);
}

static struct peer *open_peer(struct deliver *d, const struct hop *hop,
                              int64_t deadline_ms, struct arena *arena,
                              struct trouble *trouble)
{
	struct peer *p = dial(d, hop, deadline_ms, arena, trouble);
	struct hop in_clear = *hop;

	if (!p || make_ready(d, hop, p, arena, deadline_ms, trouble))
		return p;
	peer_close(p);
	if (hop->tls != SYSTEM_TLS_OPPORTUNISTIC ||
	    !str_same(str_of(trouble->reply.status), S("4.7.0")) ||
	    !trouble->is_ours || hop->user.n)
		return NULL;
	in_clear.tls = SYSTEM_TLS_NONE;
	return open_peer(d, &in_clear, deadline_ms, arena, trouble);
}

bool line_open(struct deliver *d, const struct hop *hop, bool fresh,
               int64_t deadline_ms, struct arena *arena, struct line *out,
               struct trouble *trouble)
{
	struct str key = hop_key(hop, arena);
	int64_t began = now_ms();

	out->slot = pool_enter(d->pool, key, deadline_ms);
	if (!out->slot)
		return trouble_ours(
		        trouble, own_reply(arena, 451, "4.3.2", "%.*s: %s",
		                           STR(hop_name(hop, arena)), cause()));
	out->peer = fresh ? NULL : slot_idle(out->slot);
	if (!out->peer)
		out->peer = open_peer(d, hop, deadline_ms, arena, trouble);
	if (out->peer) {
		hop_answered(d, key);
		return true;
	}
	pool_leave(out->slot, NULL);
	hop_rest(d, key, &trouble->reply, now_ms() - began > SLOW_MS);
	return false;
}

void line_release(struct line *line)
{
	pool_leave(line->slot, line->peer);
}

/* ---- delivery ---- */

static size_t still_waiting(struct share **shares, size_t n,
                            struct share **left)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (shares[i]->state == RECIPIENT_WAITING)
			left[k++] = shares[i];
	return k;
}

/* A pooled connection that turns out dead is replaced once. */
void hop_try(struct attempt *a, const struct hop *hop, struct share **left,
             size_t n, struct trouble *trouble)
{
	struct job *job = a->job;
	bool fresh = false;

	while (n > 0) {
		struct line line;
		bool was_dead;

		if (!line_open(job->deliver, hop, fresh,
		               after_ms(LIMIT_REPLY_MS), job->arena, &line,
		               trouble))
			return;
		transaction_run(line.peer, job, left, n, trouble);
		was_dead = line.peer->is_broken && line.peer->is_reused &&
		           !line.peer->has_spoken;
		line_release(&line);
		if (!was_dead)
			return;
		fresh = true;
		n = still_waiting(left, n, left);
	}
}

static void conclude(struct attempt *a, struct share **left, size_t n,
                     const struct trouble *trouble)
{
	bool is_final = a->leg.kind == LEG_INTERNET &&
	                reply_is_refusal(&trouble->reply);

	for (size_t i = 0; i < n; i++) {
		left[i]->state = is_final ? RECIPIENT_REFUSED : RECIPIENT_LATER;
		left[i]->reply = trouble->reply;
	}
}

void remote_deliver(struct attempt *a, struct share **shares, size_t n)
{
	struct job *job = a->job;
	struct share **left = arena_array(job->arena, struct share *, n);
	struct trouble trouble = { 0 };
	int64_t began = now_ms();
	bool all_refuse = true;
	struct hop *hops;
	size_t n_hops, n_left = still_waiting(shares, n, left);

	if (!hops_find(job->deliver, &a->leg, after_ms(LIMIT_CONNECT_MS),
	               job->arena, &hops, &n_hops, &trouble)) {
		conclude(a, left, n_left, &trouble);
		return;
	}
	for (size_t i = 0; i < n_hops && n_left && !fiber_cancelled(); i++) {
		struct trouble last = { 0 };

		hop_try(a, &hops[i], left, n_left, &last);
		n_left = still_waiting(left, n_left, left);
		/* What may get better counts for more than a refusal. */
		if (last.reply.code &&
		    (all_refuse || !reply_is_refusal(&last.reply))) {
			trouble = last;
			all_refuse = reply_is_refusal(&last.reply);
		}
	}
	if (!n_left)
		return;
	if (!trouble.reply.code)
		trouble_ours(&trouble, own_reply(job->arena, 451, "4.3.2",
		                                 "the server is stopping"));
	conclude(a, left, n_left, &trouble);
	hop_rest(job->deliver, a->key, &trouble.reply,
	         now_ms() - began > SLOW_MS);
}
