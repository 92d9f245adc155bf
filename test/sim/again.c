/* Who hands in a mail again (again.h). */
#include "again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books_inside.h"
#include "draw.h"
#include "judge_inside.h"
#include "login.h"

enum {
	COPIES = 200,       /* that are kept */
	COPY_BYTES = 20000, /* larger ones are not */
};

static struct copy {
	int unit, person, taker;
	struct buf text; /* as it lies in a mailbox */
} copies[COPIES];
static int n_copies;

/* ---- who ---- */

static int somebody_who_logs_in(void)
{
	int first = below(world.n_persons);

	for (int i = 0; i < world.n_persons; i++) {
		int person = (first + i) % world.n_persons;

		if (login_stays(person))
			return person;
	}
	return -1;
}

static void draw_again_mail(struct mail *m, int splitmail, int64_t window_ms)
{
	*m = (struct mail){ .at_ms = between(window_ms / 4, window_ms),
			    .splitmail = splitmail < 0
						 ? below(world.n_splitmails)
						 : splitmail,
			    .bytes = 200,
			    .n = 1 };
	m->to[0] = below(world.n_persons);
}

static int by_time(const void *a, const void *b)
{
	const struct mail *x = a, *y = b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* Not drawn: a world without him is the one it was. */
void again_draw(int64_t window_ms)
{
	uint64_t dice = world.seed * 83 % 10091;
	int i = world.n_clients, person = -1;
	struct client *c = &world.clients[i];

	if (dice % 3 || i == CLIENTS)
		return;
	if (dice / 3 % 4)
		person = somebody_who_logs_in();
	world.n_clients++;
	*c = (struct client){ .hands_in_again = true,
			      .haste = PATIENT,
			      .system = -1,
			      .user = person,
			      .pipelines = one_in(2),
			      .patience_ms = 600000,
			      .n = between(2, 8) };
	snprintf(c->name, sizeof(c->name), "c%d", i);
	snprintf(c->address, sizeof(c->address), "192.0.2.%d", 100 + i);
	c->host = sim_host(c->name, c->address);
	for (int k = 0; k < c->n; k++)
		draw_again_mail(&c->mails[k],
				person < 0 ? -1 : world.persons[person].home,
				window_ms);
	qsort(c->mails, (size_t)c->n, sizeof(c->mails[0]), by_time);
}

/* ---- what there is ---- */

void again_open(void)
{
	n_copies = 0;
}

void again_close(void)
{
	for (int i = 0; i < n_copies; i++)
		buf_free(&copies[i].text);
	n_copies = 0;
}

/* Whoever takes trails away takes old ones, too: it is another mail then. */
static bool is_wanted(void)
{
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].strips_trail)
			return false;
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].hands_in_again && world.clients[i].n)
			return true;
	return false;
}

void again_keep(const struct unit *u, int person, int taker, struct str sender,
		struct str recipient, struct str bytes)
{
	struct copy *c = &copies[n_copies];

	if (n_copies == COPIES || bytes.n > COPY_BYTES || !is_wanted())
		return;
	*c = (struct copy){ u->number, person, taker, BUF_EMPTY };
	buf_printf(&c->text, "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n",
		   STR(sender), STR(recipient));
	buf_add(&c->text, bytes);
	n_copies++;
}

/* ---- again ---- */

/* Half of them are what came to himself. */
static int choose_copy(const struct client *c)
{
	int some[COPIES], n = 0;
	bool own = c->user >= 0 && sim_draw(2);

	for (int i = 0; i < n_copies; i++)
		if (!own || copies[i].person == c->user)
			some[n++] = i;
	return n ? some[sim_draw((uint64_t)n)] : -1;
}

/* To whom it was sent at first, to himself, to a member beside the group, or to
 * somebody else. */
int again_choose(const struct client *c, struct mail *m)
{
	const struct unit *u;
	int copy;

	if (!c->hands_in_again || m->n == 0 || (copy = choose_copy(c)) < 0)
		return -1;
	u = books.units[copies[copy].unit];
	switch (sim_draw(4)) {
	case 0:
	case 1:
		memcpy(m->to, u->to, sizeof(m->to));
		m->n = u->n;
		break;
	case 2:
		m->to[0] = copies[copy].person;
		m->n = 1;
		break;
	default:
		break;
	}
	return copy;
}

struct known {
	uint32_t persons;
};

static void add_known(void *arg, const struct unit *u, const struct way *w)
{
	struct known *k = arg;

	(void)u;
	for (int i = 0; i < w->n; i++)
		k->persons |= 1u << w->steps[i];
}

/* Whose entry may be in the trail of OLD. */
static uint32_t known_by(const struct unit *old)
{
	struct known k = { old->known };

	for (int i = 0; i < old->n; i++)
		ways_of(old, i, (struct asked){ add_known, &k });
	return k.persons;
}

static bool has_field(struct str text, const char *name)
{
	return str_search(text, str_of(name)) >= 0;
}

/* The mark is a field of the way (wire/fingerprint.h): it is the same mail. */
void again_write(struct unit *u, int copy)
{
	struct str old;

	if (copy < 0)
		return;
	old = buf_str(&copies[copy].text);
	buf_printf(&u->again, MARK "%d\r\n", u->number);
	/* or they are put in front */
	if (!has_field(old, "\r\nMessage-ID: "))
		buf_add(&u->again, S("Message-ID: <m@" INTERNET ">\r\n"));
	if (!has_field(old, "\r\nDate: "))
		buf_add(&u->again,
			S("Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n"));
	buf_add(&u->again, old);
	u->bytes = (uint32_t)u->again.n;
	if (!unit_is_of_user(u))
		u->known = known_by(books.units[copies[copy].unit]);
	tell("unit %d is unit %d once more, as it came to %s", u->number,
	     copies[copy].unit, world.persons[copies[copy].person].local);
}
