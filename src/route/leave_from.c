/*
 * The addresses of this machine that mail leaves from for the Internet.
 *
 * They are those of the domain in whose name it is sent: the envelope sender's,
 * as it leaves.  What has none (<>) is in the name of who made it: of a user, of
 * whose Sieve it is, of the domain whose group or forward sent it on; our own
 * reports are in nobody's.
 */
#include "route/walk.h"

/* Empty: in nobody's. */
static struct str in_name_of(struct walk *w, const struct target *t)
{
	const struct str *sender = w->q->sender;
	struct str rewritten = w->legs[w->n - 1].sender;
	const struct asker *asker = &w->q->asker;
	struct address a;

	if (!str_empty(rewritten))
		sender = &rewritten;
	else if (t->way->is_new && sender && str_empty(*sender))
		return w->domain.name;
	else if (!sender || str_empty(*sender))
		sender = &asker->user;
	if (str_empty(*sender) || !address_parse(*sender, w->arena, &a))
		return S("");
	return a.domain;
}

bool leave_from(struct walk *w, const struct target *t, struct outcome *o)
{
	struct domain domain;
	struct str name;

	if (o->is_final || o->action != ROUTE_RELAY || w->n == 0)
		return true;
	name = in_name_of(w, t);
	if (str_empty(name))
		return true;
	switch (directory_domain(w->router->directory, name, w->arena,
				 &domain)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return true;
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	}
	if (!outgoing_is_set(&domain.outgoing))
		return true;
	w->legs[w->n - 1].outgoing = domain.outgoing;
	because(w, leaves_from, V("domain", domain.name),
		V("outgoing", outgoing_text(&domain.outgoing, w->arena)));
	return true;
}
