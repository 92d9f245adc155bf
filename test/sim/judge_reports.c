/*
 * What senders asked to be told, and by which names (RFC 3461): a report that all
 * went well comes where it was asked for, once, and a notice says ENVID and ORCPT
 * as they were said (judge_inside.h).
 */
#include <stdio.h>
#include <string.h>

#include "judge_inside.h"

/* Does a recipient of whom that was asked lead to PERSON? */
static bool is_asked_about(const struct unit *u, int person)
{
	for (int i = 0; i < u->n; i++)
		if (unit_says_success(u, i) && ways_step_on(u, i, person))
			return true;
	return false;
}

void judge_praise(const struct unit *u, int person)
{
	const char *who = world.persons[person].local;

	if (!unit_has_sender(u))
		books_wrong("unit %d: <> is told that %s has got it", u->number,
			    who);
	if (!is_asked_about(u, person))
		books_wrong("unit %d: its sender is told that %s has got it, "
			    "and has not asked",
			    u->number, who);
}

/* ---- names ---- */

/* The value of FIELD in TEXT; STR_NONE: it has none. */
static struct str value_of(struct str text, const char *field)
{
	ptrdiff_t at = str_search(text, str_of(field));
	struct str rest, line = STR_NONE;

	if (at < 0)
		return STR_NONE;
	rest = str_from(text, (size_t)at + strlen(field));
	str_split(&rest, '\r', &line);
	return str_trim(line);
}

void judge_envid(const struct unit *u, struct str notice)
{
	struct str said = value_of(notice, "\r\nOriginal-Envelope-Id:");
	char own[16];

	if (somebody_forgets_notify())
		return;
	snprintf(own, sizeof(own), "e%d", u->number);
	if (unit_says_envid(u) ? !str_same(said, str_of(own)) : said.n > 0)
		books_wrong("unit %d: a notice names the envelope \"%.*s\"",
			    u->number, STR(said));
}

/* Is recipient I, as he was called at first, SAID, and does he lead to PERSON? */
static bool is_called(const struct unit *u, int i, int person, struct str said)
{
	char own[48];

	snprintf(own, sizeof(own), "rfc822; o%d.%d@old.test", u->number, i);
	return unit_says_orcpt(u, i) && str_same_nocase(said, str_of(own)) &&
	       ways_step_on(u, i, person);
}

/* That of the block it ends in. */
static struct str last_value_of(struct str text, const char *field)
{
	ptrdiff_t at;

	while ((at = str_search(text, S("\r\n\r\n"))) >= 0)
		text = str_from(text, (size_t)at + 2);
	return value_of(text, field);
}

void judge_orcpt(const struct unit *u, int person, struct str front)
{
	struct str said = last_value_of(front, "\r\nOriginal-Recipient:");
	bool is_right = false, is_due = true;

	for (int i = 0; i < u->n; i++) {
		is_right |= is_called(u, i, person, said);
		if (ways_step_on(u, i, person))
			is_due &= unit_says_orcpt(u, i);
	}
	if (str_search(said, S("@old.test")) < 0 ? !is_due : is_right)
		return;
	if (!somebody_forgets_notify())
		books_wrong("unit %d: a notice about %s calls him \"%.*s\"",
			    u->number, world.persons[person].local, STR(said));
}

/* ---- at the end ---- */

/* May it be said of him, and by one server alone? */
static bool is_simple(const struct unit *u, int i)
{
	const struct person *p = &world.persons[u->to[i]];

	return u->codes[i] == 250 && !u->is_struck[i] && p->n_members == 0 &&
	       p->also < 0 && p->settled < 0 && !p->changed_ms &&
	       !was_out_of_domain(u, i) && ways_to(u, u->to[i]).ways == 1;
}

static void judge_praise_of(const struct unit *u, int i)
{
	int who = u->to[i];

	if (times_taken(u, who, -1) && !u->praised[who])
		books_wrong("unit %d: its sender is not told that %s has got "
			    "it, and has asked",
			    u->number, world.persons[who].local);
	if (u->praised[who] > may_be_told(u, who))
		books_wrong("unit %d: its sender is told %d times that %s has "
			    "got it",
			    u->number, u->praised[who],
			    world.persons[who].local);
}

void judge_praises(const struct unit *u)
{
	if (u->code != 250 || !unit_has_sender(u) ||
	    somebody_forgets_notify() || world.n_splitmails > 1 ||
	    world.has_crashes || world.has_lost_connections ||
	    world.has_disk_trouble || world.may_expire)
		return;
	for (int i = 0; i < u->n; i++)
		if (unit_says_success(u, i) && is_simple(u, i))
			judge_praise_of(u, i);
}
