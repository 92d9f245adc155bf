/* Where programs of users find this server (RFC 6186, RFC 8314). */
#include "publish/inside.h"

static struct str name_of(struct look *l, const char *service)
{
	return arena_strf(l->arena, "_%s._tcp.%.*s", service,
			  STR(l->plan->domain));
}

static void waits ask_submissions(struct look *l, void *unused)
{
	(void)unused;
	look_ask(l, name_of(l, "submissions"), DNS_SRV, &l->submissions);
}

void waits ask_clients(struct look *l, void *unused)
{
	struct together t = { 0 };

	look_also(l, &t, ask_submissions, unused);
	look_ask(l, name_of(l, "imaps"), DNS_SRV, &l->imaps);
	look_wait(&t);
}

static bool leads_here(const struct look *l, const struct heard *h,
		       uint16_t port)
{
	for (size_t i = 0; i < h->records.n; i++)
		if (h->records.p[i].port == port &&
		    str_same_nocase(h->records.p[i].name,
				    l->plan->server.hostname))
			return true;
	return false;
}

static void judge(struct look *l, const char *service, const struct heard *h,
		  uint16_t port)
{
	struct publish_row *r;

	if (!port)
		return;
	r = look_row(l, service, "SRV", name_of(l, service), false);
	row_heard(l, h);
	/* Where others have users, too, it may lead to them. */
	if (h->answer == DNS_FOUND && !leads_here(l, h, port) &&
	    l->plan->n_systems == 0)
		remark(l, srv_is_another,
		       V("found", ((struct texts){ r->found, r->n_found })));
	if (l->plan->n_systems > 0)
		remark(l, srv_is_for_all);
	r->value = r->state == PUBLISH_RIGHT
			   ? r->found[0]
			   : arena_strf(l->arena, "0 1 %u %.*s.", port,
					STR(l->plan->server.hostname));
}

void judge_clients(struct look *l)
{
	judge(l, "imaps", &l->imaps, l->plan->server.imaps);
	judge(l, "submissions", &l->submissions, l->plan->server.submissions);
}
