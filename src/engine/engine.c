/*
 * What the lanes of an engine share (engine.h).
 */
#include "engine/engine.h"

#include <stdlib.h>

#include "deliver/destinations.h"
#include "deliver/first_mails.h"
#include "deliver/hosts.h"
#include "deliver/sts.h"
#include "deliver/turns.h"
#include "engine/health.h"
#include "engine/host_aliases.h"
#include "engine/inside.h"
#include "queue/underway.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "rt/board.h"
#include "rt/clock.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"

enum {
	SYSTEMS_DOWN = 1000,
	MAILBOXES_GIVEN = 20000,
	MAILBOXES_BEGUN = 20000,
	FIGURES_OF = 10000,
	FILTERS_NOTED = 5 * FILTERS_MOST, /* some are deleted */
};

/* What the lanes share goes into what they are told. */
static void share(struct engine *e)
{
	struct smtp_settings *smtp = &e->settings.smtp;
	struct deliver_settings *deliver = &e->settings.deliver;

	smtp->tls = e->tls;
	smtp->traffic = e->traffic;
	smtp->filters = e->filters;
	smtp->dns = e->dns;
	deliver->tls_any = e->tls_any;
	deliver->tls_verified = e->tls_verified;
	deliver->tls_dane = e->tls_dane;
	deliver->tls_noted = e->tls_noted;
	deliver->sts = e->sts;
	deliver->dns = e->dns;
	deliver->hosts = e->hosts;
	deliver->turns = e->turns;
	deliver->destinations = e->destinations;
	deliver->down = e->down;
	deliver->given = e->given;
	deliver->first_mails = e->first_mails;
	deliver->systems = e->systems;
	deliver->traffic = e->traffic;
	deliver->filters = e->filters;
}

static bool open_guard(struct engine *e)
{
	struct directory *d =
		directory_open_wary(e->settings.directory, &e->damage);
	struct node node;
	bool known = d && directory_node(d, &node);

	if (known)
		e->guard = guard_open(&node);
	directory_close(d);
	return known;
}

/* Nothing of it is lost, but somebody has to look. */
static void say_swept(struct engine *e)
{
	size_t aside, back, there = queue_orphans(e->queue);

	queue_swept(e->queue, &aside, &back);
	if (back)
		log_fact("qmgr",
			 "%zu files of mail are back in spool/: "
			 "queue.db knows them again",
			 back);
	if (aside)
		log_warn("qmgr",
			 "queue.db does not know %zu files of mail in "
			 "spool/: moved to spool.orphans/",
			 aside);
	if (there)
		log_warn("qmgr",
			 "%zu files of mail lie in spool.orphans/; with "
			 "the queue.db that knows them in its place, "
			 "they come back at the next start",
			 there);
}

static void say_held(void *arg, const char *id)
{
	(void)arg;
	log_error("qmgr",
		  "%s: held: the engine died three times while this "
		  "message was under way; \"splitmail queue show %s\"",
		  id, id);
}

/* Without it nobody counts deaths, but mail flows. */
static bool open_queue(struct engine *e)
{
	struct underway *u = NULL;

	if (e->settings.underway_fd &&
	    !(u = underway_open(e->settings.underway_fd)))
		log_warn("engine", "%s", cause());
	e->queue = queue_open_after(e->settings.data, u, say_held, NULL);
	return e->queue != NULL;
}

static void open_health(struct engine *e)
{
	e->health = health_open(&(struct health_of){
		.data = e->settings.data,
		.directory = e->settings.directory,
		.damage = &e->damage,
		.mail = e->settings.mail,
		.certificate_trouble = e->settings.certificate_trouble,
		.certificates_told = e->settings.certificates_told,
		.queue = e->queue,
		.dns = e->dns,
		.validates = e->settings.dns.dnssec,
		.filters = e->filters,
		.tls = e->tls,
	});
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Where mail is tried again soon, so are they. */
static struct destinations *open_destinations(const struct deliver_settings *s)
{
	struct destination_limits limits = {
		.at_once = s->destination_mails,
		.per_minute = s->destination_mails_per_minute,
		.rest_ms = 1000 *
			   smaller(LIMIT_DESTINATION_REST_S, s->retry_min_s),
		.rest_most_ms = 1000 * smaller(LIMIT_DESTINATION_REST_MOST_S,
					       s->retry_max_s),
	};

	return destinations_open(&limits);
}

static bool open_shared(struct engine *e)
{
	const char *certificate = e->settings.certificate;

	e->tls = tls_server_named(certificate, certificate,
				  e->settings.certificates);
	if (!e->tls)
		return false;
	e->tls_any = tls_client(TLS_ANY, NULL);
	e->tls_verified = tls_client(TLS_VERIFIED, NULL);
	e->tls_dane = tls_client(TLS_DANE, NULL);
	e->tls_noted = tls_client(TLS_NOTED, NULL);
	if (!e->tls_any || !e->tls_verified || !e->tls_dane || !e->tls_noted ||
	    !open_guard(e))
		return false;
	if (!open_queue(e))
		return false;
	say_swept(e);
	e->per_ip = tally_open();
	e->open_questions = tally_open();
	e->down = board_open(SYSTEMS_DOWN);
	e->hosts = hosts_open();
	e->turns = turns_open();
	e->destinations = open_destinations(&e->settings.deliver);
	e->given = board_open(MAILBOXES_GIVEN);
	e->first_mails = first_mails_open(MAILBOXES_BEGUN);
	e->systems = ledger_open(FIGURES_OF);
	e->traffic = ledger_open(FIGURES_OF);
	e->filters = ledger_open(FILTERS_NOTED);
	e->verification = verification_open(e->open_questions);
	e->allowance = allowance_open();
	e->dns = dns_open(&e->settings.dns);
	e->sts = sts_open(e->dns, e->settings.data);
	open_health(e);
	share(e);
	return true;
}

static void open_control(struct engine *e)
{
	const struct engine_settings *set = &e->settings;

	e->questions = (struct questions){
		.hosts = e->hosts,
		.health = e->health,
		.status = { .hostname = set->hostname,
			    .started_wall_ms = e->started_wall_ms,
			    .directory = set->directory,
			    .data = set->data,
			    .systems = e->systems,
			    .traffic = e->traffic,
			    .filters = e->filters,
			    .destinations = e->destinations,
			    .queue = e->queue },
		.n_lanes = set->lanes,
		.look_at_lane = lane_look,
		.look_now = lane_look_now,
		.wake = lane_wake,
		.arg = e,
	};
	e->control = (struct control){ .answer = questions_answer,
				       .arg = &e->questions };
}

static void open_lanes(struct engine *e)
{
	e->lanes =
		arena_array(e->arena, struct lane, (size_t)e->settings.lanes);
	for (int i = 0; i < e->settings.lanes; i++) {
		e->lanes[i].engine = e;
		e->lanes[i].listeners = arena_array(e->arena, struct listener *,
						    e->settings.n_listeners);
	}
}

struct engine *engine_open(const struct engine_settings *settings,
			   const struct engine_owner *owner)
{
	struct arena *a = arena_open();
	struct engine *e = arena_new(a, struct engine);

	*e = (struct engine){ .settings = *settings,
			      .owner = *owner,
			      .arena = a,
			      .started_wall_ms = wall_ms() };
	if (!open_shared(e)) {
		engine_close(e);
		return NULL;
	}
	open_lanes(e);
	open_control(e);
	return e;
}

int engine_lanes(const struct engine *e)
{
	return e->settings.lanes;
}

void engine_is_confined(struct engine *e, const char *text)
{
	e->questions.status.confined = text;
}

bool engine_reload(struct engine *e)
{
	return tls_server_reload(e->tls);
}

/* Of a lane that has ended nobody is connected, asks, or has a place at
 * another host: whoever still counts would count for ever. */
static bool is_counted(const struct engine *e)
{
	uint64_t connections = e->per_ip ? tally_total(e->per_ip) : 0;
	uint64_t questions =
		e->open_questions ? tally_total(e->open_questions) : 0;
	size_t places = hosts_places(e->hosts);

	if (!connections && !questions && !places)
		return false;
	log_error("engine",
		  "%llu connections, %llu questions and %zu places at other "
		  "hosts are still counted at the end",
		  (unsigned long long)connections,
		  (unsigned long long)questions, places);
	return true;
}

bool engine_close(struct engine *e)
{
	bool was_well = !e->failed && !is_counted(e);

	for (int i = 0; e->lanes && i < e->settings.lanes; i++)
		host_aliases_close(e->lanes[i].aliases);
	queue_close(e->queue);
	sts_close(e->sts);
	dns_close(e->dns);
	guard_close(e->guard);
	tally_close(e->per_ip);
	verification_close(e->verification);
	allowance_close(e->allowance);
	board_close(e->down);
	hosts_close(e->hosts);
	turns_close(e->turns);
	destinations_close(e->destinations);
	board_close(e->given);
	first_mails_close(e->first_mails);
	ledger_close(e->systems);
	ledger_close(e->traffic);
	ledger_close(e->filters);
	tally_close(e->open_questions);
	tls_close(e->tls);
	tls_close(e->tls_any);
	tls_close(e->tls_verified);
	tls_close(e->tls_dane);
	tls_close(e->tls_noted);
	health_close(e->health);
	arena_close(e->arena);
	return was_well;
}
