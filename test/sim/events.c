/* Mishaps, and administrators at work, while mail flows. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "books.h"

static const uint64_t much_room = 1ull << 40;

enum { LOOK_MS = 200, MIDST_MS = 30000, STOP_MS = 120000 };

static void start_again(struct splitmail *s)
{
	s->is_wanted = true;
	if (sim_is_on(s->host) && sim_has_ended(s->process))
		splitmail_start(s);
}

static void start_taker_again(struct taker *t)
{
	if (sim_is_on(t->host) && (!t->process || sim_has_ended(t->process)))
		taker_start(t);
}

/* ---- one Splitmail ---- */

static void note_crash(int64_t at_ms)
{
	world.crash_ms[world.n_crashes++ % CRASHES] = at_ms;
}

bool was_crashed(int64_t from_ms, int64_t to_ms)
{
	for (int i = 0; i < world.n_crashes && i < CRASHES; i++)
		if (world.crash_ms[i] >= from_ms && world.crash_ms[i] <= to_ms)
			return true;
	return world.n_crashes > CRASHES;
}

static void give_power(struct splitmail *s, int64_t lasts_ms)
{
	fiber_sleep(after_ms(lasts_ms));
	world.takers[store_of((int)(s - world.splitmails))].unwilling_ms =
		now_ms();
	if (sim_is_on(s->host))
		return;
	sim_power_on(s->host);
	sim_disk(s->host)->cut_after = 0; /* whoever set it has seen enough */
	tell("%s has power again", s->name);
	start_taker_again(&world.takers[store_of((int)(s - world.splitmails))]);
	start_again(s);
}

static void cut_power(struct splitmail *s, int64_t lasts_ms)
{
	if (!sim_is_on(s->host))
		return;
	tell("%s loses power", s->name);
	note_crash(now_ms());
	sim_power_cut(s->host);
	give_power(s, lasts_ms);
}

/* In the midst of what it is doing just then. */
static void cut_at_change(struct splitmail *s, int64_t number, int64_t lasts_ms)
{
	int64_t end = after_ms(MIDST_MS);

	if (!sim_is_on(s->host))
		return;
	sim_disk(s->host)->cut_after = (uint64_t)number;
	while (sim_is_on(s->host) && now_ms() < end)
		fiber_sleep(after_ms(LOOK_MS));
	if (sim_is_on(s->host)) {
		sim_disk(s->host)->cut_after = 0;
		return;
	}
	tell("%s has lost power while it wrote", s->name);
	note_crash(now_ms());
	give_power(s, lasts_ms);
}

static void kill_it(struct splitmail *s, int64_t lasts_ms)
{
	if (!sim_is_on(s->host) || sim_has_ended(s->process))
		return;
	tell("the engine of %s is killed", s->name);
	note_crash(now_ms());
	s->is_wanted = false;
	sim_kill(s->process);
	fiber_sleep(after_ms(lasts_ms));
	start_again(s);
}

static void restart(struct splitmail *s, int64_t lasts_ms)
{
	struct sim_process *p = s->process;
	int64_t end = after_ms(STOP_MS);

	if (!sim_is_on(s->host) || !s->is_wanted || sim_has_ended(p))
		return;
	tell("%s is stopped", s->name);
	s->is_wanted = false;
	sim_signal(p, SIGTERM);
	while (!sim_has_ended(p) && now_ms() < end)
		fiber_sleep(after_ms(LOOK_MS));
	if (!sim_has_ended(p))
		books_wrong("%s does not stop", s->name);
	fiber_sleep(after_ms(lasts_ms));
	start_again(s);
}

/* ---- disks, clocks, links, systems ---- */

static void fill_disk(struct splitmail *s, int64_t left, int64_t lasts_ms)
{
	tell("the disk of %s is full but for %" PRId64 " bytes", s->name, left);
	sim_disk(s->host)->room_bytes =
		sim_disk_bytes(s->host) + (uint64_t)left;
	fiber_sleep(after_ms(lasts_ms));
	sim_disk(s->host)->room_bytes = much_room;
	tell("the disk of %s has room again", s->name);
}

static void spoil_disk(struct splitmail *s, int64_t in, bool only_reads,
		       int64_t lasts_ms)
{
	struct sim_disk *d = sim_disk(s->host);

	tell("the disk of %s fails once in %" PRId64 "%s", s->name, in,
	     only_reads ? ", where it is read" : "");
	d->fail_read_in = (uint64_t)in;
	if (!only_reads)
		d->fail_write_in = d->fail_sync_in = (uint64_t)in;
	fiber_sleep(after_ms(lasts_ms));
	d = sim_disk(s->host);
	d->fail_write_in = d->fail_sync_in = d->fail_read_in = 0;
	tell("the disk of %s is well again", s->name);
}

static void set_link(struct splitmail *s, struct taker *t, bool is_down)
{
	tell("the link between %s and %s is %s", s->name, t->name,
	     is_down ? "down" : "up");
	sim_link(s->host, t->host)->is_down = is_down;
	sim_link(t->host, s->host)->is_down = is_down;
}

static void cut_link(struct splitmail *s, struct taker *t, int64_t lasts_ms)
{
	set_link(s, t, true);
	fiber_sleep(after_ms(lasts_ms));
	set_link(s, t, false);
}

static void jump(struct splitmail *s, int64_t by_s)
{
	tell("the clock of %s jumps by %" PRId64 " s", s->name, by_s);
	sim_set_wall(s->host, wall_ms() + by_s * 1000);
}

static void hold_clock(struct splitmail *s, int64_t lasts_ms)
{
	tell("the clock of %s stands", s->name);
	sim_hold_wall(s->host, true);
	fiber_sleep(after_ms(lasts_ms));
	sim_hold_wall(s->host, false);
	tell("the clock of %s goes again", s->name);
}

static void kill_taker(struct taker *t, int64_t lasts_ms)
{
	if (!t->process || sim_has_ended(t->process))
		return;
	tell("%s %s dies", t->is_store ? "the mailboxes of" : "system",
	     t->name);
	taker_kill(t);
	note_crash(now_ms());
	fiber_sleep(after_ms(lasts_ms));
	tell("%s %s is back", t->is_store ? "the mailboxes of" : "system",
	     t->name);
	start_taker_again(t);
}

static void disable_for_a_while(int person, int64_t lasts_ms)
{
	change_enabled(person, false);
	fiber_sleep(after_ms(lasts_ms));
	change_enabled(person, true);
}

static void leave_out_the_alias(struct splitmail *s, int64_t lasts_ms)
{
	world.alias_gone_ms = now_ms();
	change_alias(s, false);
	fiber_sleep(after_ms(lasts_ms));
	change_alias(s, true);
	world.alias_back_ms = now_ms();
}

/* ---- each in its time ---- */

static bool is_of_clocks(enum event_kind kind)
{
	return kind == EVENT_CLOCK || kind == EVENT_CLOCK_STANDS;
}

/* Does it leave open what has been done and what has not? */
static bool shakes(enum event_kind kind)
{
	return kind != EVENT_RESTART && !is_of_clocks(kind) &&
	       kind != EVENT_MOVE && kind != EVENT_DISABLE &&
	       kind != EVENT_MEMBER && kind != EVENT_SETTLE &&
	       kind != EVENT_BOTH && kind != EVENT_HOLD &&
	       kind != EVENT_GIVE_UP && kind != EVENT_ALIAS &&
	       kind != EVENT_KINDS;
}

static bool was_going_on(const struct event *e, int64_t from_ms, int64_t to_ms)
{
	return e->begun_ms && e->begun_ms <= to_ms &&
	       (!e->ended_ms || e->ended_ms >= from_ms);
}

static bool crashes(enum event_kind kind)
{
	return kind == EVENT_POWER_CUT || kind == EVENT_CUT_AT_CHANGE ||
	       kind == EVENT_KILL || kind == EVENT_STORE_DIES ||
	       kind == EVENT_PEER_DIES;
}

static bool something_shook(int64_t from_ms, int64_t to_ms, bool by_crashes)
{
	for (int i = 0; i < world.n_events; i++) {
		const struct event *e = &world.events[i];

		if (shakes(e->kind) && crashes(e->kind) == by_crashes &&
		    was_going_on(e, from_ms, to_ms))
			return true;
	}
	return false;
}

bool was_torn(int64_t from_ms, int64_t to_ms)
{
	return (world.reset_in && from_ms < world.calm_ms) ||
	       something_shook(from_ms, to_ms, false);
}

bool was_shaken(int64_t from_ms, int64_t to_ms)
{
	return was_torn(from_ms, to_ms) ||
	       (world.cut_in && from_ms < world.calm_ms) ||
	       something_shook(from_ms, to_ms, true);
}

static bool is_of_administrators(enum event_kind kind)
{
	return kind == EVENT_MOVE || kind == EVENT_DISABLE ||
	       kind == EVENT_MEMBER || kind == EVENT_SETTLE ||
	       kind == EVENT_BOTH || kind == EVENT_ALIAS;
}

bool was_administered(int64_t from_ms, int64_t to_ms)
{
	for (int i = 0; i < world.n_events; i++)
		if (is_of_administrators(world.events[i].kind) &&
		    was_going_on(&world.events[i], from_ms, to_ms))
			return true;
	return false;
}

bool was_restarted(int64_t from_ms, int64_t to_ms)
{
	for (int i = 0; i < world.n_events; i++)
		if ((world.events[i].kind == EVENT_RESTART ||
		     world.events[i].kind == EVENT_HOLD) &&
		    was_going_on(&world.events[i], from_ms, to_ms))
			return true;
	return false;
}

bool was_disturbed(int64_t from_ms, int64_t to_ms)
{
	if (world.cut_in && from_ms < world.calm_ms)
		return true;
	return was_restarted(from_ms, to_ms) || was_shaken(from_ms, to_ms);
}

/* Of the mishaps, a clock that jumps or stands keeps nobody waiting. */
static bool concerns(const struct event *e, unsigned takers)
{
	if (is_of_clocks(e->kind))
		return false;
	if (is_of_administrators(e->kind))
		return true;
	if (e->kind == EVENT_LINK_DOWN || e->kind == EVENT_RESET)
		return ((takers >> e->of) & (takers >> e->to) & 1) != 0;
	return ((takers >> e->of) & 1) != 0;
}

int64_t mishap_ms(unsigned takers)
{
	int64_t last = 0;

	for (int i = 0; i < world.n_events; i++) {
		const struct event *e = &world.events[i];
		int64_t until = e->ended_ms ? e->ended_ms : now_ms();

		if (e->begun_ms && concerns(e, takers) && until > last)
			last = until;
	}
	if (world.reset_in)
		last = world.is_calm ? world.calm_ms : now_ms();
	return last;
}

static void happen(void *event)
{
	struct event *e = event;
	struct splitmail *s = &world.splitmails[e->of % SPLITMAILS];

	fiber_sleep(world.began_ms + e->at_ms);
	e->begun_ms = now_ms();
	switch (e->kind) {
	case EVENT_POWER_CUT:
		cut_power(s, e->lasts_ms);
		break;
	case EVENT_CUT_AT_CHANGE:
		cut_at_change(s, e->number, e->lasts_ms);
		break;
	case EVENT_KILL:
		kill_it(s, e->lasts_ms);
		break;
	case EVENT_RESTART:
		restart(s, e->lasts_ms);
		break;
	case EVENT_STORE_DIES:
	case EVENT_PEER_DIES:
		kill_taker(&world.takers[e->of], e->lasts_ms);
		break;
	case EVENT_LINK_DOWN:
		cut_link(s, &world.takers[e->to], e->lasts_ms);
		break;
	case EVENT_RESET:
		tell("connections of %s and %s are reset", s->name,
		     world.takers[e->to].name);
		sim_reset_between(s->host, world.takers[e->to].host);
		break;
	case EVENT_CLOCK:
		jump(s, e->number);
		break;
	case EVENT_CLOCK_STANDS:
		hold_clock(s, e->lasts_ms);
		break;
	case EVENT_DISK_FULL:
		fill_disk(s, e->number, e->lasts_ms);
		break;
	case EVENT_DISK_ERRORS:
		spoil_disk(s, e->number, e->to, e->lasts_ms);
		break;
	case EVENT_MOVE:
		change_home(e->of, e->to);
		break;
	case EVENT_DISABLE:
		disable_for_a_while(e->of, e->lasts_ms);
		break;
	case EVENT_MEMBER:
		change_member(e->of, e->to);
		break;
	case EVENT_SETTLE:
		change_settled(e->of, e->to);
		break;
	case EVENT_BOTH:
		change_both(e->of, e->to);
		break;
	case EVENT_HOLD:
		hold_queue(s, e->to, e->lasts_ms);
		break;
	case EVENT_GIVE_UP:
		give_up(s, e->to, e->number);
		break;
	case EVENT_ALIAS:
		leave_out_the_alias(s, e->lasts_ms);
		break;
	case EVENT_KINDS:
		break;
	}
	e->ended_ms = now_ms();
	world.events_ended++;
}

static void run(void *arg)
{
	(void)arg;
	for (int i = 0; i < world.n_events; i++)
		check(fiber_start("event", happen, &world.events[i]));
	while (!events_are_over())
		fiber_sleep(after_ms(60000));
}

void power_fails(int splitmail)
{
	cut_power(&world.splitmails[splitmail], 200 + (int64_t)sim_draw(3000));
}

bool events_are_over(void)
{
	return world.events_ended == world.n_events;
}

void events_start(void)
{
	if (world.n_events > 0)
		sim_start(sim_host("fate", "192.0.2.200"), "fate", run, NULL);
}
