/*
 * What a peer has, and who it lets in.
 */
#include <stdlib.h>

#include "peer_inside.h"

void *list_grow(void *list, size_t n, size_t item)
{
	/* It has room for a power of two. */
	if (n & (n - 1))
		return list;
	return must_realloc(list, (n ? 2 * n : 1) * item);
}

char *text_of(struct str s)
{
	char *copy = must_alloc(s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

struct sim_peer *sim_peer_new(const struct conduct *c, const char *at)
{
	struct sim_peer *p = must_alloc(sizeof(*p));

	check(c);
	*p = (struct sim_peer){ .conduct = c, .name = text_of(S("peer")) };
	check(inet_parse(str_of(at), 25, &p->at));
	p->rules = must_alloc((c->n_rules + 1) * sizeof(p->rules[0]));
	memset(p->rules, 0, (c->n_rules + 1) * sizeof(p->rules[0]));
	return p;
}

static void mail_free(struct sim_peer_mail *m)
{
	for (size_t i = 0; i < m->n; i++)
		free((char *)m->recipients[i].p);
	free(m->recipients);
	free((char *)m->sender.p);
	free((char *)m->bytes.p);
	free(m);
}

void sim_peer_close(struct sim_peer *p)
{
	for (size_t i = 0; i < p->n_users; i++)
		free(p->users[i]);
	for (size_t i = 0; i < p->n_mails; i++)
		mail_free(p->mails[i]);
	for (size_t i = 0; i < p->n_sights; i++)
		free(p->sights[i].address);
	for (size_t i = 0; i < p->n_backs; i++) {
		free(p->backs[i]->to);
		free(p->backs[i]);
	}
	for (size_t i = 0; i < p->n_lists; i++) {
		free(p->lists[i].address);
		free(p->lists[i].member);
	}
	free(p->lists);
	free(p->backs);
	free(p->users);
	free(p->mails);
	free(p->sights);
	free(p->rules);
	free(p->name);
	free(p);
}

const struct conduct *sim_peer_conduct(const struct sim_peer *p)
{
	return p->conduct;
}

void sim_peer_call(struct sim_peer *p, const char *name)
{
	free(p->name);
	p->name = text_of(str_of(name));
}

const char *sim_peer_name(const struct sim_peer *p)
{
	return p->name;
}

void sim_peer_tell(struct sim_peer *p, const struct sim_peer_book *book)
{
	p->book = *book;
}

void sim_peer_gives_back(struct sim_peer *p, const char *to)
{
	check(inet_parse(str_of(to), 25, &p->back));
	p->has_back = true;
}

void sim_peer_leaves_by(struct sim_peer *p, const char *from)
{
	check(inet_parse_ip(str_of(from), 0, &p->gateway));
	p->has_gateway = true;
}

void sim_peer_strips_trail(struct sim_peer *p)
{
	p->strips_trail = true;
}

void sim_peer_without_tls(struct sim_peer *p)
{
	p->is_plain = true;
}

struct sim_peer_figures sim_peer_figures(const struct sim_peer *p)
{
	return p->figures;
}

/* ---- users ---- */

void sim_peer_user(struct sim_peer *p, const char *address)
{
	p->users = list_grow(p->users, p->n_users, sizeof(p->users[0]));
	p->users[p->n_users++] = text_of(str_of(address));
}

void sim_peer_list(struct sim_peer *p, const char *address, const char *member)
{
	p->lists = list_grow(p->lists, p->n_lists, sizeof(p->lists[0]));
	p->lists[p->n_lists++] = (struct peer_list){ text_of(str_of(address)),
						     text_of(str_of(member)) };
}

void sim_peer_user_leaves(struct sim_peer *p, const char *address)
{
	for (size_t i = 0; i < p->n_users; i++)
		if (str_same_nocase(str_of(p->users[i]), str_of(address))) {
			free(p->users[i]);
			p->users[i--] = p->users[--p->n_users];
		}
}

static bool has(const struct sim_peer *p, struct str local,
		struct str at_domain)
{
	for (size_t i = 0; i < p->n_users; i++) {
		struct str user = str_of(p->users[i]);

		if (user.n == local.n + at_domain.n &&
		    str_same_nocase(str_part(user, 0, local.n), local) &&
		    str_same_nocase(str_from(user, local.n), at_domain))
			return true;
	}
	return false;
}

bool sim_peer_has(const struct sim_peer *p, struct str address)
{
	ptrdiff_t at = str_find_last(address, '@');
	struct str local =
		str_part(address, 0, at < 0 ? address.n : (size_t)at);
	struct str domain = str_from(address, local.n);
	ptrdiff_t plus = str_find(local, '+');

	/* quotes are for details only */
	if (plus > 0 && local.p[0] == '"') {
		local = str_from(local, 1);
		plus--;
	}
	return has(p, local, domain) ||
	       (plus > 0 && has(p, str_part(local, 0, (size_t)plus), domain));
}

int64_t sim_peer_first_seen(struct sim_peer *p, struct str address)
{
	for (size_t i = 0; i < p->n_sights; i++)
		if (str_same_nocase(str_of(p->sights[i].address), address))
			return p->sights[i].first_ms;
	p->sights = list_grow(p->sights, p->n_sights, sizeof(p->sights[0]));
	p->sights[p->n_sights++] = (struct sight){ text_of(address), now_ms() };
	return now_ms();
}

/* ---- mails ---- */

static struct str copy(struct str s)
{
	return (struct str){ text_of(s), s.n };
}

struct sim_peer_mail *sim_peer_take(struct sim_peer *p,
				    const struct sim_peer_mail *m)
{
	struct sim_peer_mail *kept = must_alloc(sizeof(*kept));

	*kept = *m;
	kept->taken_us = now_us();
	kept->sender = copy(m->sender);
	kept->bytes = copy(m->bytes);
	kept->recipients = must_alloc((m->n + 1) * sizeof(m->recipients[0]));
	for (size_t i = 0; i < m->n; i++) {
		kept->recipients[i] = copy(m->recipients[i]);
		p->figures.unknown += !sim_peer_has(p, m->recipients[i]);
	}
	p->mails = list_grow(p->mails, p->n_mails, sizeof(p->mails[0]));
	p->mails[p->n_mails++] = kept;
	if (p->book.takes)
		p->book.takes(p->book.arg, p, kept);
	if (p->conduct->forwards_unknown && p->has_back)
		sim_peer_give_back(p, kept);
	return kept;
}

size_t sim_peer_mails(const struct sim_peer *p)
{
	return p->n_mails;
}

const struct sim_peer_mail *sim_peer_mail(const struct sim_peer *p, size_t i)
{
	check(i < p->n_mails);
	return p->mails[i];
}

/* ---- the process ---- */

static bool is_full(const struct sim_peer *p)
{
	return p->conduct->connections &&
	       p->figures.open >= p->conduct->connections;
}

static bool refuses(const struct sim_peer *p)
{
	return p->conduct->beyond.then == THEN_REFUSE;
}

static void let_in(struct sim_peer *p, struct stream *s)
{
	struct arrival *a = must_alloc(sizeof(*a));

	*a = (struct arrival){ p, s, is_full(p) };
	p->figures.connections++;
	if (a->is_beyond)
		p->figures.sent_away++;
	else
		p->figures.open++;
	if (p->figures.open > p->figures.most_open)
		p->figures.most_open = p->figures.open;
	check(fiber_start("conversation", sim_peer_talk, a));
}

/* Nobody listens while it has all it takes, if that is its way. */
static void serve(struct sim_peer *p)
{
	struct listener *l = listener_open(&p->at);
	struct stream *s;

	check(l);
	while ((s = listener_accept(l)) != NULL) {
		let_in(p, s);
		if (is_full(p) && refuses(p)) {
			listener_close(l);
			return;
		}
	}
}

static void make_certificate(struct sim_peer *p)
{
	check(tls_self_signed("peer.test", "/peer.crt", "/peer.key"));
	p->tls = tls_server("/peer.crt", "/peer.key");
	check(p->tls);
}

void sim_peer_run(void *peer)
{
	struct sim_peer *p = peer;

	p->figures.open = 0;
	p->gate = (struct gate){ 0 };
	if (p->conduct->tls && !p->is_plain)
		make_certificate(p);
	sim_peer_back_resume(p);
	for (;;) {
		serve(p);
		while (is_full(p))
			gate_wait(&p->gate, NEVER);
	}
}
