/*
 * Peers of the gallery (conduct.h) in a world: what they take stands in the
 * books.
 */
#include "neighbour.h"

#include <stdio.h>

#include "books.h"
#include "conduct.h"
#include "peer.h"

static struct gallery *gallery;

void neighbours_prepare(void)
{
	gallery = gallery_open();
}

int neighbours_kinds(void)
{
	return (int)gallery_size(gallery);
}

const char *neighbour_kind(int kind)
{
	return gallery_at(gallery, (size_t)kind)->name;
}

/* ---- what it tells ---- */

static void takes(void *taker, struct sim_peer *p,
		  const struct sim_peer_mail *m)
{
	(void)p;
	for (size_t i = 0; i < m->n; i++)
		books_taken(taker, m->sender, m->recipients[i], m->bytes);
}

static void leaves_open(void *taker, struct sim_peer *p,
			const struct sim_peer_mail *m)
{
	(void)p;
	for (size_t i = 0; i < m->n; i++)
		books_left_open(taker, m->recipients[i], m->bytes);
}

/* Who gives up tells the sender of it. */
static void gave_back(void *taker, struct sim_peer *p,
		      const struct sim_peer_mail *m, struct str recipient,
		      int code)
{
	(void)p;
	if (code != 250)
		books_returned(taker, recipient, m->bytes);
}

/* ---- its life ---- */

static void welcome(struct taker *t, const char *local, const char *domain)
{
	char address[64];

	snprintf(address, sizeof(address), "%s@%s", local, domain);
	sim_peer_user(t->peer, address);
}

void neighbour_user(struct taker *t, const struct person *p)
{
	if (!t->peer)
		return;
	welcome(t, p->local, p->domain);
	if (world.has_alias && str_same(str_of(p->domain), S(DOMAIN)))
		welcome(t, p->local, ALIAS);
}

/* What comes for P there, by that domain, goes to his members, too. */
static void open_list(struct taker *t, const struct person *p,
		      const char *domain)
{
	char list[64], member[64];

	snprintf(list, sizeof(list), "%s@%s", p->local, domain);
	for (int i = 0; i < p->n_members; i++) {
		const struct person *m = &world.persons[p->members[i]];

		snprintf(member, sizeof(member), "%s@%s", m->local, m->domain);
		sim_peer_list(t->peer, list, member);
	}
}

static void welcome_users(struct taker *t)
{
	int self = (int)(t - world.takers);

	for (int i = 0; i < world.n_persons; i++) {
		const struct person *p = &world.persons[i];

		if (!p->is_left_out && (p->home == self || p->also == self))
			neighbour_user(t, p);
		if (p->is_left_out || p->home != self ||
		    p->kind != PERSON_GROUP)
			continue;
		open_list(t, p, DOMAIN);
		if (world.has_alias)
			open_list(t, p, ALIAS);
	}
}

/* To the first Splitmail; by the address it is sent to, or by another. */
static void give_back(struct taker *t)
{
	char from[24];

	snprintf(from, sizeof(from), "192.0.2.%d",
		 (t->by_gateway ? 80 : 30) + (int)(t - world.takers) -
			 world.n_splitmails);
	sim_peer_gives_back(t->peer, world.splitmails[0].address);
	sim_peer_leaves_by(t->peer, from);
	if (t->strips_trail)
		sim_peer_strips_trail(t->peer);
}

static void open_neighbour(struct taker *t)
{
	const struct sim_peer_book book = { .takes = takes,
					    .leaves_open = leaves_open,
					    .gave_back = gave_back,
					    .arg = t };

	t->peer = sim_peer_new(gallery_at(gallery, (size_t)t->kind),
			       "0.0.0.0:25");
	sim_peer_call(t->peer, t->name);
	sim_peer_tell(t->peer, &book);
	if (sim_peer_conduct(t->peer)->forwards_unknown)
		give_back(t);
	welcome_users(t);
}

struct sim_process *neighbour_start(struct taker *t)
{
	if (!t->peer)
		open_neighbour(t);
	return sim_start(t->host, t->name, sim_peer_run, t->peer);
}

void neighbours_forget(void)
{
	for (int i = 0; i < world.n_takers; i++) {
		struct taker *t = &world.takers[i];

		if (t->peer)
			sim_peer_close(t->peer);
		t->peer = NULL;
	}
}
