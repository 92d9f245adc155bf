/*
 * The world of deliver's tests: name server, route(), a queue.
 */
#include "deliver/deliver_test_world.h"

#include <stdio.h>

#include "base/test.h"
#include "deliver/hosts.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "wire/command.h"
#include "wire/data.h"

struct world *the_world;

void world_wrong(struct world *w, const char *file, int line, const char *what)
{
	if (!w->failed[0])
		snprintf(w->failed, sizeof w->failed, "%s:%d: %s", file, line,
			 what);
}

/* ---- the name server ---- */

enum dns_answer dns_addresses(struct dns *d, struct str name, uint16_t port,
			      int64_t deadline_ms, struct arena *arena,
			      struct inet **out, size_t *n)
{
	*out = arena_new(arena, struct inet);
	*n = 1;
	check(inet_parse_ip(S("127.0.0.1"), port, *out));
	if (str_starts(name, S("mx-trouble")) ||
	    str_starts(name, S("mx0.no0.")) || str_starts(name, S("mx1.no1.")))
		return DNS_TROUBLE;
	return DNS_FOUND;
}

enum dns_answer dns_mx(struct dns *d, struct str domain, int64_t deadline_ms,
		       struct arena *arena, struct mx_list *out)
{
	*out = (struct mx_list){ .is_null = str_starts(domain, S("null.")) };
	if (out->is_null || str_starts(domain, S("gone.")))
		return DNS_NONE;
	out->is_secure = str_starts(domain, S("dane-"));
	out->n = 1 + (str_starts(domain, S("two.")) ||
		      str_starts(domain, S("no0.")) ||
		      str_starts(domain, S("no1.")));
	out->mx = arena_array(arena, struct mx, out->n);
	for (size_t i = 0; i < out->n; i++)
		out->mx[i] = (struct mx){ (uint16_t)(10 * i),
					  arena_strf(arena, "mx%zu.%.*s", i,
						     STR(domain)) };
	if (str_starts(domain, S("loop.")))
		out->mx->name = S("here.test");
	return DNS_FOUND;
}

enum dns_answer dns_txt(struct dns *d, struct str name, int64_t deadline_ms,
			struct arena *arena, struct txt_list *out)
{
	*out = (struct txt_list){ .texts = &the_world->txt,
				  .n = the_world->txt.n > 0 };
	return out->n ? DNS_FOUND : DNS_NONE;
}

enum dns_answer dns_name_of(struct dns *d, const struct inet *address,
			    int64_t deadline_ms, struct arena *arena,
			    struct str *out)
{
	return DNS_NONE;
}

enum dns_answer dns_tlsa(struct dns *d, struct str host, uint16_t port,
			 int64_t deadline_ms, struct arena *arena,
			 struct tlsa_list *out)
{
	*out = (struct tlsa_list){ .records = the_world->tlsa,
				   .n = the_world->n_tlsa,
				   .host = host };
	if (str_starts(host, S("mx0.dane-forged.")))
		return fail("forged") ? DNS_FOUND : DNS_TROUBLE;
	return out->n ? DNS_FOUND : DNS_NONE;
}

/* ---- route() ---- */

bool asker_parse(struct directory *d, struct str text, struct arena *arena,
		 struct asker *out)
{
	*out = (struct asker){ .kind = the_world->asker };
	the_world->askers_read++;
	return true;
}

static struct leg leg_of(const struct address *a, struct arena *arena)
{
	struct world *w = the_world;
	struct leg l = { .address = arena_str(arena, a->spelling),
			 .trail = w->sender_trail };

	if (str_ends(a->domain, S("a.test"))) {
		l.kind = LEG_SYSTEM;
		l.system = w->sys_a;
	} else if (str_ends(a->domain, S("b.test"))) {
		l.kind = LEG_SYSTEM;
		l.system = w->sys_b;
	} else if (str_same(a->local, S("stand-in"))) {
		l.kind = LEG_INTERNET;
		l.address = S("somebody@net.test");
		l.domain = S("net.test");
	} else if (str_ends(a->domain, S("box.test"))) {
		l.kind = LEG_MAILBOX;
		l.login = arena_strf(arena, "%.*s@box.test", STR(a->base));
		l.detail = a->detail;
	} else {
		l.kind = LEG_INTERNET;
		l.domain = a->domain;
	}
	return l;
}

static struct decision expand(struct arena *arena)
{
	struct str rest = str_of(the_world->members), one;
	struct leg *legs = arena_array(arena, struct leg, WORLD_MEMBERS);
	struct decision d = { .action = ROUTE_EXPAND,
			      .legs = legs,
			      .domain = S("box.test") };
	struct address a;

	while (str_split(&rest, ' ', &one)) {
		check(d.n < WORLD_MEMBERS && address_parse(one, arena, &a));
		legs[d.n] = leg_of(&a, arena);
		legs[d.n++].is_member = true;
	}
	return d;
}

/* A mailbox here, and another one at B. */
static struct decision split(const struct address *a, struct arena *arena)
{
	struct leg *legs = arena_array(arena, struct leg, 2);

	legs[0] = legs[1] = leg_of(a, arena);
	legs[1].kind = LEG_SYSTEM;
	legs[1].system = the_world->sys_b;
	legs[0].is_split = legs[1].is_split = legs[0].is_here = true;
	return (struct decision){ .action = ROUTE_BOTH, .legs = legs, .n = 2 };
}

/* Only for who was accepted before. */
static struct decision relay_to_the_internet(const struct question *q)
{
	if (q->is_retry)
		return (struct decision){ .action = ROUTE_RELAY };
	return (struct decision){
		.action = ROUTE_REFUSE,
		.reply = { 550, "5.7.1", S("relaying denied") },
	};
}

struct decision route_decide(const struct router *r, const struct question *q,
			     struct arena *arena)
{
	struct decision d = { .action = ROUTE_DELIVER, .n = 1 };
	struct leg *leg = arena_new(arena, struct leg);

	if (str_same(q->recipient->local, S("group")))
		return expand(arena);
	if (str_same(q->recipient->local, S("both")))
		return split(q->recipient, arena);
	if (the_world->box_questions && !--the_world->box_questions)
		return relay_to_the_internet(q);
	if (str_same(q->recipient->local, S("refused"))) {
		d.action = ROUTE_REFUSE;
		d.reply = (struct reply){ 550, "5.1.1", S("nobody here") };
		return d;
	}
	*leg = leg_of(q->recipient, arena);
	d.legs = leg;
	if (leg->kind != LEG_INTERNET)
		d.domain = arena_str(arena, q->recipient->domain);
	return d;
}

struct decision route_answer(const struct router *r, const struct question *q,
			     struct arena *arena)
{
	return route_decide(r, q, arena);
}

/* ---- a world ---- */

static void fill_message(struct world *w, struct message *m)
{
	struct str body = w->large.n ? buf_str(&w->large) : str_of(w->body);

	m->trace = str_of(w->trace ? w->trace : "Received: from x by here\r\n");
	check(body_add(&m->body, body));
}

const char *submit(struct world *w, const char *sender, const char *recipients)
{
	struct message *m = message_new(queue_spool(w->queue));
	struct str rest = str_of(recipients), one;
	struct arena *a = arena_open();
	struct asker asker = { .kind = w->asker };
	struct reply r;

	m->sender = arena_str(m->arena, str_of(sender));
	m->as = S("internet");
	m->is_utf8 = w->says_utf8;
	m->header = w->header;
	while (str_split(&rest, ' ', &one)) {
		struct recipient *to = message_add(m, one);

		to->notify = w->notify;
		to->trail = w->sender_trail;
	}
	fill_message(w, m);
	snprintf(w->last_id, sizeof w->last_id, "%s", m->id);
	r = w->hold_why
		    ? deliver_hold(w->deliver, m, &asker, str_of(w->hold_why))
		    : deliver_accept(w->deliver, m, &asker);
	snprintf(w->last_reply, sizeof w->last_reply, "%.*s",
		 STR(reply_line(&r, a)));
	arena_close(a);
	return w->last_reply;
}

enum { FAR_MS = 1000000000 }; /* later than any next attempt */

int queued(struct world *w, char *to, size_t room)
{
	struct message *m[50];
	struct claim_wish all = { .now_ms = queue_now(w->queue) + FAR_MS,
				  .max = 50,
				  .room = 50,
				  .most_ms = FAR_MS };
	size_t n, at = 0;
	int64_t next;

	if (!queue_claim(w->queue, &all, m, &n, &next))
		return -1;
	if (to && room)
		to[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; to && j < m[i]->n && at < room; j++)
			at += (size_t)snprintf(
				to + at, room - at, "%s%.*s", at ? " " : "",
				STR(m[i]->recipients[j].address));
		queue_release(w->queue, m[i]);
		message_drop(m[i]);
	}
	return (int)n;
}

static void scheduler_main(void *arg)
{
	struct world *w = arg;

	deliver_scheduler(w->deliver);
	w->scheduler = NULL;
}

void scheduler_begin(struct world *w)
{
	w->scheduler = fiber_start("scheduler", scheduler_main, w);
}

static void name_system(struct system *sys, const char *name,
			const struct fake_hop *hop, char hosts[64])
{
	snprintf(hosts, 64, "127.0.0.1:%u", hop->port);
	*sys = (struct system){ .id = hop->port, .name = str_of(name) };
	sys->hosts = str_of(hosts);
}

struct story {
	struct world *w;
	void (*test)(struct world *w);
};

static void story_main(void *arg)
{
	struct story *story = arg;
	struct world *w = story->w;

	hop_open(&w->a);
	hop_open(&w->b);
	hop_open(&w->box);
	fiber_sleep(after_ms(1)); /* they listen, and no clock says 0 */
	name_system(&w->sys_a, "A", &w->a, w->hosts_a);
	name_system(&w->sys_b, "B", &w->b, w->hosts_b);
	w->settings.internet_port = w->b.port;
	w->open_questions = tally_open();
	w->verification = verification_open(w->open_questions);
	w->router.verification = w->verification;
	w->settings.hosts = hosts_open();
	w->router.allowance = allowance_open();
	w->deliver = deliver_open(&w->settings, &w->router, w->queue);
	story->test(w);
	deliver_drain(w->deliver, after_ms(10000));
	wrong_unless(w, deliver_busy(w->deliver) == 0);
	if (w->scheduler)
		fiber_cancel(w->scheduler);
	while (w->scheduler)
		fiber_sleep(after_ms(1));
	deliver_close(w->deliver);
	hosts_close(w->settings.hosts);
	listener_close(w->a.listener);
	listener_close(w->b.listener);
	listener_close(w->box.listener);
	verification_close(w->verification);
	tally_close(w->open_questions);
	allowance_close(w->router.allowance);
}

void world_run(void (*test)(struct world *w))
{
	struct world w = {
		.a = { .name = "a.hop" },
		.b = { .name = "b.hop" },
		.box = { .name = "box.hop" },
		.asker = ASKER_INTERNET,
		.settings = {
			.hostname = "here.test",
			.retry_min_s = 1,
			.retry_max_s = 2,
			.expiry_s = 3600,
			.delay_warning_s = 3600,
			.handover_ms = 3000,
		},
		.body = "Subject: hello\r\n\r\n.dots\r\n..\r\n.\r\nend\r\n",
	};
	struct story story = { &w, test };

	world_disk_open(w.folder);
	snprintf(w.box.path, sizeof w.box.path, "%s/lmtp", w.folder);
	w.settings.lmtp_path = w.box.path;
	w.settings.traffic = ledger_open(100);
	w.queue = queue_open(w.folder);
	check(w.queue);
	the_world = &w;
	loops_run(1, story_main, &story);
	queue_close(w.queue);
	ledger_close(w.settings.traffic);
	hop_forget(&w.a);
	hop_forget(&w.b);
	hop_forget(&w.box);
	buf_free(&w.large);
	world_disk_close(w.folder);
	if (w.failed[0])
		fail_msg("%s", w.failed);
}
