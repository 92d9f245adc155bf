/* What arrives: where, and with which bytes (judge_inside.h). */
#include <stdio.h>
#include <string.h>

#include "filters.h"
#include "judge_inside.h"

static bool is_home(int person, int taker)
{
	const struct person *p = &world.persons[person];

	/* some take mail for everybody */
	if (p->kind == PERSON_NOBODY && world.takers[taker].kind >= 0)
		return true;
	for (int i = 0; i < p->n_homes; i++)
		if (p->homes[i] == taker)
			return true;
	return p->also == taker;
}

/* ---- its way ---- */

/* Whose trace is LINE?  -1: nobody's. */
static int taker_of(struct str line)
{
	char by[64];

	for (int i = 0; i < world.n_splitmails; i++) {
		snprintf(by, sizeof(by), "\tby %s (Splitmail)",
			 world.splitmails[i].hostname);
		if (str_starts(line, str_of(by)))
			return store_of(i);
	}
	if (!str_starts(line, S("Received: from [")))
		return -1;
	for (int i = 0; i < world.n_peers; i++) {
		snprintf(by, sizeof(by), "] by %s;",
			 world.takers[peer_taker(i)].name);
		if (str_search(line, str_of(by)) >= 0)
			return peer_taker(i);
	}
	return -1;
}

int splitmails_passed(struct str head, int passed[], int most)
{
	struct str line;
	int n = 0;

	while (str_split(&head, '\n', &line)) {
		int by = taker_of(line);

		if (n == most || !is_at_splitmail(by))
			continue;
		memmove(passed + 1, passed, (size_t)n * sizeof(passed[0]));
		passed[0] = by;
		n++;
	}
	return n;
}

/* The last trace is the first in HEAD. */
int taker_behind_the_first(struct str head)
{
	struct str line;
	int first = -1, second = -1;

	while (str_split(&head, '\n', &line)) {
		int by = taker_of(line);

		if (by < 0)
			continue;
		second = first;
		first = by;
	}
	return second;
}

static int times_at(int splitmail, const int passed[], int n)
{
	int times = 0;

	for (int i = 0; i < n; i++)
		times += passed[i] == splitmail;
	return times;
}

/* Whoever has it has it from one of them, and a store from its own; at none it
 * was more often than addresses lead from one to the next. */
static void judge_visits(const struct taken *t, const int passed[], int n,
			 int most)
{
	const char *name = world.persons[t->person].local;

	if (n == 0 || passed[0] != books.units[t->unit]->splitmail ||
	    (is_at_splitmail(t->taker) && passed[n - 1] != t->taker))
		books_wrong("unit %d for %s has no trace of its way", t->unit,
			    name);
	for (int i = 0; i < world.n_splitmails; i++)
		if (times_at(i, passed, n) > most)
			books_wrong("unit %d for %s was %d times at %s",
				    t->unit, name, times_at(i, passed, n),
				    world.splitmails[i].name);
}

/* ---- its bytes ---- */

/* Trace fields, and lines that go on with one. */
static bool is_trace(struct str head)
{
	struct str line;

	while (str_split(&head, '\n', &line))
		if (!str_starts(line, S("Received: ")) &&
		    !str_starts(line, S("Splitmail-Trail: ")) &&
		    !str_starts(line, S("\t")))
			return false;
	return true;
}

bool unit_head(const struct unit *u, struct str bytes, struct str *head)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	unit_arrives(u, &text);
	if (!str_ends(bytes, buf_str(&text)))
		return false;
	*head = str_part(bytes, 0, bytes.n - text.n);
	return true;
}

static void judge_head(const struct taken *t, struct str head)
{
	const char *name = world.persons[t->person].local;

	if (!unit_has_header(books.units[t->unit])) {
		if (!str_ends(head, S("\r\n\r\n")))
			books_wrong("unit %d for %s: its body is in the header",
				    t->unit, name);
		head.n -= 2;
	}
	if (!is_trace(head))
		books_wrong("unit %d for %s: more than trace fields is in "
			    "front of it",
			    t->unit, name);
}

/* ---- all of it ---- */

void judge_taken(const struct taken *t, struct str bytes)
{
	const struct unit *u = books.units[t->unit];
	const struct person *p = &world.persons[t->person];
	struct counting c = ways_to(u, t->person);
	int passed[PASSED], n;
	struct str head;

	if (c.ways == 0)
		books_wrong("unit %d was not for %s", u->number, p->local);
	if (!is_home(t->person, t->taker))
		books_wrong("unit %d for %s is at %s", u->number, p->local,
			    world.takers[t->taker].name);
	if (p->is_disabled && !p->is_unlisted && p->changed_ms < u->begun_ms)
		books_wrong("unit %d is for %s, who is disabled, at %s",
			    u->number, p->local, world.takers[t->taker].name);
	if (t->taker == world.clients[u->client].system && c.addresses == 1 &&
	    u->splitmail == 0 && !p->changed_ms)
		books_wrong("unit %d for %s is given back to %s", u->number,
			    p->local, world.takers[t->taker].name);
	if (!unit_head(u, bytes, &head)) {
		books_wrong("unit %d for %s: its bytes became others",
			    u->number, p->local);
		return;
	}
	judge_head(t, head);
	judge_filtered_taken(u, t->person);
	n = splitmails_passed(head, passed, PASSED);
	/* who moves may be met again where his mail has come through */
	if (!goes_round(t->person))
		judge_visits(t, passed, n,
			     (int)c.addresses + (p->changed_ms >= u->begun_ms));
	if (!filters_hold(u))
		judge_wait(t, passed, n);
}
