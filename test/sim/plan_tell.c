/*
 * The plan, told: each of its entries by the name under which it can be left
 * out (entries.h).
 */
#include <stdio.h>

#include "entries.h"
#include "neighbour.h"
#include "subject.h"

/* ---- who there is ---- */

static const char *const roles[] = { "master", "slave", "both" };
static const char *const kinds[] = { "user", "group", "forwarder", "outsider",
				     "nobody" };

static void tell_person(const struct person *p)
{
	char text[200] = "";
	int n = 0;

	for (int i = 0; i < p->n_members; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s",
			      person_name(p->members[i]).text);
	if (p->crowd)
		snprintf(text + n, sizeof(text) - (size_t)n,
			 " behind %d spellings of %s", p->crowd,
			 person_name(p->crowd_of).text);
	tell("%s@%s is a %s at %s%s%s%s%s%s%s", p->local, p->domain,
	     kinds[p->kind], p->home < 0 ? "-" : world.takers[p->home].name,
	     p->also < 0 ? "" : " and ",
	     p->also < 0 ? "" : world.takers[p->also].name,
	     p->is_full         ? ", full"
	     : p->is_over_quota ? ", over quota"
				: "",
	     !p->is_disabled  ? ""
	     : p->has_no_home ? ", no home"
			      : ", disabled",
	     n ? ", leads to" : "", text);
}

static const char *trust_of(const struct taker *t)
{
	return t->may_relay ? ", may relay" : t->is_trusted ? ", trusted" : "";
}

static void tell_taker(const struct taker *t)
{
	const struct manners *c = &t->manners;

	if (t->kind >= 0) {
		tell("system %s: %s%s", t->name, neighbour_kind(t->kind),
		     t->is_gone ? ", gone" : "");
		return;
	}
	if (taker_is_ordinary(t)) {
		tell("%s %s%s%s", t->is_store ? "mailboxes of" : "system",
		     t->name, trust_of(t), t->is_gone ? ", gone" : "");
		return;
	}
	tell("%s %s: slow %lld/%lld/%lld ms, %u mails, %u recipients, "
	     "%u connections, 4xx 1/%llu 1/%llu, hangs up 1/%llu, "
	     "at DATA 1/%llu, lost 1/%llu, in part 1/%llu, away 1/%llu, "
	     "%u a minute%s%s%s%s%s%s",
	     t->is_store ? "mailboxes of" : "system", t->name,
	     (long long)c->greet_ms, (long long)c->answer_ms,
	     (long long)c->dot_ms, c->mails_per_connection,
	     c->recipients_per_mail, c->connections,
	     (unsigned long long)c->later_in,
	     (unsigned long long)c->dot_later_in,
	     (unsigned long long)c->close_in,
	     (unsigned long long)c->close_data_in,
	     (unsigned long long)c->lost_in, (unsigned long long)c->part_in,
	     (unsigned long long)c->away_in, c->mails_per_minute, trust_of(t),
	     c->says_at_dot ? ", full at the dot" : "",
	     c->greylists ? ", greylists" : "",
	     c->says_little ? ", no extensions" : "",
	     t->has_unwilling_host ? ", its first host takes nothing" : "",
	     t->is_gone ? ", gone" : "");
}

static void tell_splitmail(const struct splitmail *s)
{
	tell("%s is a Splitmail, %s%s, %d lanes%s%s%s%s%s", s->name,
	     roles[s->role], s->asks_peer ? ", asks p0" : "", s->lanes,
	     s->has_smart_host ? ", by a smart host" : "",
	     s->is_backup ? ", the Internet's last server" : "",
	     s->wants_tls ? ", TLS" : "",
	     s->catch_all < 0 ? "" : ", catch-all ",
	     s->catch_all < 0 ? "" : person_name(s->catch_all).text);
}

static void tell_filter(const struct world_filter *f)
{
	static const char *const downs[] = { "later", "accept", "hold" };
	static const char *const directions[] = { "all", "incoming",
						  "outgoing" };

	tell("filter %s of %s mail, %s while it is down: version %u, steps "
	     "%x, slow %lld/%lld ms, silent 1/%llu, hangs up 1/%llu, lies "
	     "1/%llu, 4xx 1/%llu, away %lld to %lld ms",
	     f->name, directions[f->direction], downs[f->when_down], f->version,
	     f->steps, (long long)f->pause_ms, (long long)f->end_ms,
	     (unsigned long long)f->silent_in, (unsigned long long)f->close_in,
	     (unsigned long long)f->lie_in, (unsigned long long)f->later_in,
	     (long long)f->away_ms, (long long)f->back_ms);
}

/* ---- what is sent, and what befalls them ---- */

static const char *const hastes[] = { "patient", "impatient",
				      "leaves before the dot",
				      "leaves after the dot" };

static void tell_mail(const struct client *c, const struct mail *m)
{
	char text[120] = "";
	int n = 0;

	for (int i = 0; i < m->n; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s",
			      person_name(m->to[i]).text);
	if (n)
		tell("%s.%d at %.3f s to %s, %u bytes:%s", c->name,
		     (int)(m - c->mails), (double)m->at_ms / 1000,
		     world.splitmails[m->splitmail].name, m->bytes, text);
}

static void tell_client(const struct client *c)
{
	int n = 0;

	for (int i = 0; i < c->n; i++)
		n += c->mails[i].n > 0;
	if (!n)
		return;
	tell("%s is a client%s%s%s%s%s, %s%s%s%s", c->name,
	     c->user < 0 ? "" : ", ",
	     c->user < 0 ? "" : person_name(c->user).text,
	     c->is_local ? " on each host" : "", c->system < 0 ? "" : " at ",
	     c->system < 0 ? "" : world.takers[c->system].name,
	     hastes[c->haste], c->pipelines ? ", pipelines" : "",
	     !c->chunks       ? ""
	     : c->empty_chunk ? ", in chunks, one of them empty"
			      : ", in chunks",
	     c->hands_in_again ? ", hands in again what arrived" : "");
	for (int i = 0; i < c->n; i++)
		tell_mail(c, &c->mails[i]);
}

/* Whom it befalls. */
static const char *name_of(const struct event *e)
{
	switch (e->kind) {
	case EVENT_MOVE:
	case EVENT_DISABLE:
	case EVENT_MEMBER:
	case EVENT_SETTLE:
	case EVENT_BOTH:
		return world.persons[e->of].local;
	case EVENT_PEER_DIES:
	case EVENT_STORE_DIES:
		return world.takers[e->of].name;
	case EVENT_POWER_CUT:
	case EVENT_CUT_AT_CHANGE:
	case EVENT_KILL:
	case EVENT_RESTART:
	case EVENT_LINK_DOWN:
	case EVENT_RESET:
	case EVENT_CLOCK:
	case EVENT_CLOCK_STANDS:
	case EVENT_DISK_FULL:
	case EVENT_DISK_ERRORS:
	case EVENT_HOLD:
	case EVENT_GIVE_UP:
	case EVENT_ALIAS:
	case EVENT_KINDS:
		break;
	}
	return world.splitmails[e->of % SPLITMAILS].name;
}

/* "" or " p0" */
static const char *other_end(const struct event *e)
{
	switch (e->kind) {
	case EVENT_MOVE:
	case EVENT_SETTLE:
	case EVENT_BOTH:
	case EVENT_LINK_DOWN:
	case EVENT_RESET:
		return world.takers[e->to].name;
	case EVENT_MEMBER:
		return world.persons[e->to].local;
	case EVENT_GIVE_UP:
		return world.persons[e->to].local;
	case EVENT_HOLD:
		return e->to < 0 ? "all" : world.persons[e->to].local;
	case EVENT_POWER_CUT:
	case EVENT_CUT_AT_CHANGE:
	case EVENT_KILL:
	case EVENT_RESTART:
	case EVENT_STORE_DIES:
	case EVENT_PEER_DIES:
	case EVENT_CLOCK:
	case EVENT_CLOCK_STANDS:
	case EVENT_DISK_FULL:
	case EVENT_DISK_ERRORS:
	case EVENT_DISABLE:
	case EVENT_ALIAS:
	case EVENT_KINDS:
		break;
	}
	return "";
}

static void tell_event(int number)
{
	static const char *const what[EVENT_KINDS] = {
		[EVENT_POWER_CUT] = "loses power",
		[EVENT_CUT_AT_CHANGE] = "loses power while it writes",
		[EVENT_KILL] = "is killed",
		[EVENT_RESTART] = "is restarted",
		[EVENT_STORE_DIES] = "loses its mailboxes",
		[EVENT_PEER_DIES] = "dies",
		[EVENT_LINK_DOWN] = "has no link to ",
		[EVENT_RESET] = "is cut off from ",
		[EVENT_CLOCK] = "has its clock set",
		[EVENT_CLOCK_STANDS] = "has a clock that stands",
		[EVENT_DISK_FULL] = "has a full disk",
		[EVENT_DISK_ERRORS] = "has a disk that fails",
		[EVENT_MOVE] = "moves to ",
		[EVENT_DISABLE] = "is disabled",
		[EVENT_MEMBER] = "gets the member ",
		[EVENT_SETTLE] = "has one home only, ",
		[EVENT_BOTH] = "has a second home, ",
		[EVENT_HOLD] = "holds what waits for ",
		[EVENT_GIVE_UP] = "gives up what waits for ",
		[EVENT_ALIAS] = "has no " ALIAS " for a while",
	};
	const struct event *e = &world.events[number];

	if (e->kind != EVENT_KINDS)
		tell("e%d at %.3f s: %s %s%s (%.3f s, %lld)", number,
		     (double)e->at_ms / 1000, name_of(e), what[e->kind],
		     other_end(e), (double)e->lasts_ms / 1000,
		     (long long)e->number);
}

/* ---- all of it ---- */

void plan_tell(void)
{
	tell("world %llu: %s, about %s; retries %lld to %lld s, links lose one piece in "
	     "%llu, calm at %lld s",
	     (unsigned long long)world.seed,
	     world.is_peaceful ? "peaceful" : "lively", subject_name(),
	     (long long)world.retry_min_s, (long long)world.retry_max_s,
	     (unsigned long long)world.reset_in,
	     (long long)(world.calm_ms - world.began_ms) / 1000);
	for (int i = 0; i < world.n_splitmails; i++)
		if (!world.splitmails[i].is_left_out)
			tell_splitmail(&world.splitmails[i]);
	for (int i = 0; i < world.n_takers; i++)
		if (!world.takers[i].is_left_out)
			tell_taker(&world.takers[i]);
	for (int i = 0; i < world.n_filters; i++)
		tell_filter(&world.filters[i]);
	for (int i = 0; i < world.n_persons; i++)
		if (!world.persons[i].is_left_out)
			tell_person(&world.persons[i]);
	for (int i = 0; i < world.n_clients; i++)
		tell_client(&world.clients[i]);
	for (int i = 0; i < world.n_events; i++)
		tell_event(i);
}
