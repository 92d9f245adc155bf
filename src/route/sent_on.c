/*
 * Mail that is sent on to the Internet, and what is returned of it.
 *
 * A forward, a group's member elsewhere, a catch-all that leads out, Sieve's
 * redirect: the next server asks the sender's domain whether we may send for
 * it, and we may not.  So a sender of another domain becomes one of ours, which
 * is good for what is returned only (wire/srs.h).  A sender of our own domains
 * may come from here and stays; so does <>.
 *
 * Which domain it is one of: that of the address it was sent to.  The secret is
 * made of this node's key.
 */
#include <sodium.h>

#include "base/mutants.h"
#include "route/walk.h"
#include "rt/clock.h"
#include "wire/srs.h"

static bool srs_key(struct directory *d, uint8_t key[SRS_KEY_BYTES])
{
	static const uint8_t purpose[] = "SRS";
	struct node node;

	_Static_assert(
		sizeof(node.key) == crypto_auth_hmacsha256_KEYBYTES &&
			(int)SRS_KEY_BYTES == crypto_auth_hmacsha256_BYTES,
		"");
	if (!directory_node(d, &node))
		return false;
	crypto_auth_hmacsha256(key, purpose, sizeof(purpose) - 1, node.key);
	return true;
}

static int64_t today(void)
{
	return wall_ms() / 86400000;
}

/* ---- out ---- */

/* Of whom has sent it on; NO: there is no domain. */
static enum answer domain_of(struct walk *w, struct str *out)
{
	struct directory *d = w->router->directory;
	const struct asker *asker = &w->q->asker;
	enum answer found = ANSWER_NO;
	struct domain domain;
	struct address a;

	*out = w->domain.name;
	if (!str_empty(*out))
		return ANSWER_YES;
	if (asker->kind == ASKER_LOCAL &&
	    address_parse(asker->user, w->arena, &a))
		found = directory_domain(d, a.domain, w->arena, &domain);
	if (found == ANSWER_NO)
		found = directory_first_domain(d, w->arena, &domain);
	if (found == ANSWER_YES)
		*out = domain.name;
	return found;
}

/* May it come from here as it is? */
static enum answer is_own(struct walk *w, const struct address *sender)
{
	struct domain domain;

	if (str_empty(sender->domain) ||
	    str_same(sender->domain, w->router->hostname))
		return ANSWER_YES;
	return directory_domain(w->router->directory, sender->domain, w->arena,
				&domain);
}

/* False: our own trouble. */
static bool rewrite(struct walk *w, struct str sender, struct str domain,
		    struct str *out)
{
	uint8_t key[SRS_KEY_BYTES];
	struct address a;

	if (!address_parse(sender, w->arena, &a))
		return true;
	switch (is_own(w, &a)) {
	case ANSWER_YES:
		return true;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return false;
	}
	if (!srs_key(w->router->directory, key))
		return false;
	/* one that gets too long goes as it is */
	if (!srs_forward(key, a.spelling, domain, today(), w->arena, out))
		*out = S("");
	return true;
}

/* A forward, a member, a catch-all; or Sieve's redirect.  What a program on
 * this machine sends is not. */
static bool is_sent_on(const struct walk *w, const struct target *t)
{
	const struct asker *asker = &w->q->asker;

	return t->way->is_new ||
	       (asker->kind == ASKER_LOCAL && !str_empty(asker->user));
}

bool sent_on_rewrite(struct walk *w, const struct target *t, struct outcome *o)
{
	const struct str *sender = w->q->sender;
	struct str domain;

	if (o->is_final || o->action != ROUTE_RELAY || w->n == 0 ||
	    !is_sent_on(w, t) || (sender && str_empty(*sender)) || w->is_return)
		return true;
	if (!w->knows_rewritten && !MUTANT(sent_on_in_his_name)) {
		switch (domain_of(w, &domain)) {
		case ANSWER_YES:
			break;
		case ANSWER_NO:
			return true;
		case ANSWER_UNSURE:
			return decide_unsure(w, o);
		}
		because(w, sender_rewritten, V("domain", domain));
		if (sender && !rewrite(w, *sender, domain, &w->rewritten))
			return decide_unsure(w, o);
		w->knows_rewritten = true;
	}
	w->legs[w->n - 1].sender = w->rewritten;
	return true;
}

/* ---- and back ---- */

bool sent_on_looks_so(const struct address *a)
{
	return str_starts(a->local, S("srs0")) ||
	       str_starts(a->local, S("srs1"));
}

bool sent_on_returns(struct walk *w, const struct address *a,
		     enum srs_verdict *verdict, struct str *to)
{
	uint8_t key[SRS_KEY_BYTES];

	if (!srs_key(w->router->directory, key))
		return false;
	*verdict = srs_reverse(key, a->spelling, today(), w->arena, to);
	return true;
}

enum answer sent_on_from_here(struct directory *d, const struct address *sender,
			      struct arena *arena)
{
	uint8_t key[SRS_KEY_BYTES];
	struct str to;

	if (!sent_on_looks_so(sender))
		return ANSWER_NO;
	if (!srs_key(d, key))
		return ANSWER_UNSURE;
	return srs_reverse(key, sender->spelling, today(), arena, &to) ==
			       SRS_GOOD
		       ? ANSWER_YES
		       : ANSWER_NO;
}
