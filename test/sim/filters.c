/* Filters of a world: who they are, and what they think (filters.h). */
#include "filters.h"

#include <stdio.h>

#include "login.h"
#include "subject.h"

enum { RELEASE_MS = 20000 };

/* ---- what they think ---- */

static uint64_t mixed(uint64_t d)
{
	d = (d ^ d >> 30) * 0xbf58476d1ce4e5b9u;
	d = (d ^ d >> 27) * 0x94d049bb133111ebu;
	return d ^ d >> 31;
}

static uint64_t dice(int filter, const struct unit *u, uint64_t salt)
{
	return mixed(world.seed * 131 + (uint64_t)u->number * 17 +
		     (uint64_t)filter * 7919 + salt * 104729) %
	       10007;
}

enum opinion filter_opinion(int filter, const struct unit *u)
{
	switch (dice(filter, u, 1) % 12) {
	case 0:
		return OPINION_REFUSE;
	case 1:
		return OPINION_DISCARD;
	default:
		return OPINION_PASS;
	}
}

unsigned filter_edits(int filter, const struct unit *u)
{
	unsigned all = (unsigned)dice(filter, u, 2) % 128;

	if (filter > 0 || u->again.n)
		all &= ~(unsigned)EDIT_SUBJECT;
	if (dice(filter, u, 3) % 4)
		all &= ~(unsigned)(EDIT_BODY | EDIT_HOLD);
	if (dice(filter, u, 4) % 3)
		all &= ~(unsigned)(EDIT_RECIPIENT | EDIT_STRIKE);
	return dice(filter, u, 5) % 3 ? all : 0;
}

char filter_step(int filter, const struct unit *u)
{
	return "MREEEE"[dice(filter, u, 6) % 6];
}

bool filter_bars(int filter, int person)
{
	return mixed(world.seed * 137 + (uint64_t)(filter * 31 + person)) %
		       23 ==
	       0;
}

int filter_whom(void)
{
	for (int i = 0; i < world.n_persons; i++)
		if (login_stays(i) && !world.persons[i].is_left_out &&
		    str_same(str_of(world.persons[i].domain), S(DOMAIN)))
			return i;
	return -1;
}

/* ---- what they make of it ---- */

static void put_in_place(struct buf *text, struct str *parts, size_t n)
{
	struct buf made = BUF_EMPTY;

	for (size_t i = 0; i < n; i++)
		buf_add(&made, parts[i]);
	buf_free(text);
	*text = made;
}

static void change_subject(struct buf *text, int number)
{
	struct str all = buf_str(text);
	ptrdiff_t at = str_search(all, S("\r\nSubject: ")), end;
	char line[48];

	check(at >= 0);
	end = str_search(str_from(all, (size_t)at + 2), S("\r\n"));
	check(end >= 0);
	snprintf(line, sizeof(line), "Subject: changed %d", number);
	put_in_place(
		text,
		(struct str[]){ str_part(all, 0, (size_t)at + 2), str_of(line),
				str_from(all, (size_t)(at + 2 + end)) },
		3);
}

void filter_edit(int filter, const struct unit *u, struct buf *text)
{
	unsigned edits = filter_edits(filter, u);
	char line[48];
	struct str all;
	ptrdiff_t end;

	if (edits & EDIT_SUBJECT)
		change_subject(text, u->number);
	if (edits & EDIT_INSERT) {
		snprintf(line, sizeof(line), "X-T%d: %d\r\n", filter,
			 u->number);
		put_in_place(text,
			     (struct str[]){ str_of(line), buf_str(text) }, 2);
	}
	all = buf_str(text);
	end = str_search(all, S("\r\n\r\n"));
	check(end >= 0);
	if (edits & EDIT_BODY) {
		put_in_place(
			text,
			(struct str[]){ str_part(all, 0, (size_t)end + 4),
					S("another\r\n.\r\n..\r\nbody\r\n") },
			2);
		all = buf_str(text);
	}
	if (edits & EDIT_ADD) {
		snprintf(line, sizeof(line), "X-F%d: %d\r\n", filter,
			 u->number);
		put_in_place(text,
			     (struct str[]){ str_part(all, 0, (size_t)end + 2),
					     str_of(line),
					     str_from(all, (size_t)end + 2) },
			     3);
	}
}

/* ---- who they are ---- */

static void draw_conduct(struct world_filter *f, uint64_t d)
{
	if (d % 3 == 0)
		f->pause_ms = 200 + (int64_t)(d / 3 % 2000);
	if (d / 7 % 3 == 0)
		f->end_ms = 1000 + (int64_t)(d / 21 % 8) * f->timeout_s * 1000;
	if (world.is_peaceful)
		return;
	if (d / 11 % 3 == 0)
		f->silent_in = 12 + d / 33 % 30;
	if (d / 13 % 3 == 0)
		f->close_in = 12 + d / 39 % 30;
	if (d / 17 % 3 == 0)
		f->lie_in = 12 + d / 51 % 30;
	if (d / 19 % 3 == 0)
		f->later_in = 4 + d / 57 % 12;
}

static void draw_filter(int i, int64_t window_ms)
{
	static const uint32_t steps[] = { 0,     0xff080, 0x100000, 0x100702,
					  0x300, 0xc1080, 0x43 };
	struct world_filter *f = &world.filters[i];
	uint64_t d = mixed(world.seed * 149 + (uint64_t)i) % 1000000007;

	*f = (struct world_filter){
		.when_down = (int)(d % 3),
		.direction = d / 3 % 4 ? 0 : 1 + (int)(d / 12 % 2),
		.timeout_s = d / 24 % 2 ? 5 : 30
	};
	f->steps = steps[d / 48 % array_size(steps)];
	/* the old ones know none of the newer steps */
	f->version = f->steps <= 0x7f && d / 336 % 3 == 0 ? 2 : 6;
	snprintf(f->name, sizeof(f->name), "f%d", i);
	snprintf(f->address, sizeof(f->address), "192.0.2.%d", 150 + i);
	draw_conduct(f, d / 5);
	if (!world.is_peaceful && d / 29 % 3 == 0) {
		f->away_ms = window_ms / 8 * (int64_t)(1 + d / 87 % 5);
		f->back_ms = f->away_ms + 1000 + (int64_t)(d / 31 % 20000);
		if (f->back_ms > world.calm_ms)
			world.calm_ms = f->back_ms;
	}
}

static bool is_simple_world(void)
{
	if (world.n_splitmails != 1 || world.subject != ABOUT_NOTHING)
		return false;
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].kind >= 0 ||
		    world.takers[i].manners.mails_per_minute)
			return false;
	return true;
}

/* Not drawn: a world without them is the one it was. */
void filters_draw(int64_t window_ms)
{
	uint64_t d = world.seed * 103 % 10133;

	if (!is_simple_world() || d % 2)
		return;
	world.n_filters = 1 + (int)(d / 2 % 3);
	for (int i = 0; i < world.n_filters; i++)
		draw_filter(i, window_ms);
}

/* ---- those who look after them ---- */

static void go_away(void *filter)
{
	struct world_filter *f = filter;

	fiber_sleep(world.began_ms + f->away_ms);
	tell("filter %s dies", f->name);
	sim_kill(f->process);
	world.has_dead_filters = true;
	fiber_sleep(world.began_ms + f->back_ms);
	tell("filter %s is back", f->name);
	filter_start(f);
}

static void look_after(void *arg)
{
	(void)arg;
	for (int i = 0; i < world.n_filters; i++)
		if (world.filters[i].away_ms)
			check(fiber_start("away", go_away, &world.filters[i]));
	for (;;) {
		fiber_sleep(after_ms(RELEASE_MS));
		release_queue(&world.splitmails[0]);
	}
}

void filters_start(void)
{
	for (int i = 0; i < world.n_filters; i++) {
		struct world_filter *f = &world.filters[i];
		struct sim_host *first = world.splitmails[0].host;

		f->host = sim_host(f->name, f->address);
		sim_link(f->host, first)->reset_in = 0;
		sim_link(first, f->host)->reset_in = 0;
		filter_start(f);
	}
	if (world.n_filters)
		sim_start(sim_host("care", "192.0.2.201"), "care", look_after,
			  NULL);
}
