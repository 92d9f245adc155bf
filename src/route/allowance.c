/*
 * Allowances: buckets that fill by refusals and leak with time.
 *
 * They lie on boards: two loops that charge the same client at the same moment
 * may charge him once, which is no harm.  Open questions are charged as if
 * they were refused, so that asking for all at once gains nothing.
 *
 * What a client has beyond his allowance is his pause, and no more is counted
 * than the longest pause is worth: it is over some minutes after he stops.
 */
#include "route/allowance.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "rt/board.h"
#include "rt/clock.h"
#include "rt/tally.h"

enum {
	UNIT = 1000,
	MOST_BEYOND = LIMIT_PAUSE_MS / LIMIT_PAUSE_STEP_MS,
	NETWORK_BYTES = 6,
	CLIENT_BYTES = 8,
	DAY_MS = 24 * 3600 * 1000,
};

struct bucket {
	int64_t level; /* in thousandths of a refusal, as of */
	int64_t at_ms; /* the last one */
};

struct allowance {
	struct board *clients, *networks, *systems;
	struct board *days; /* of systems that ban; no others */
	struct tally *open, *guesses, *today;
};

struct allowance *allowance_open(void)
{
	struct allowance *a = must_alloc(sizeof(*a));

	*a = (struct allowance){
		.clients = board_open(LIMIT_CLIENTS_COUNTED),
		.networks = board_open(LIMIT_CLIENTS_COUNTED),
		.systems = board_open(LIMIT_CLIENTS_COUNTED),
		.open = tally_open(),
		.guesses = tally_open(),
		.days = board_open(LIMIT_CLIENTS_COUNTED),
		.today = tally_open(),
	};
	return a;
}

void allowance_close(struct allowance *a)
{
	if (!a)
		return;
	board_close(a->clients);
	board_close(a->networks);
	board_close(a->systems);
	tally_close(a->open);
	tally_close(a->guesses);
	board_close(a->days);
	tally_close(a->today);
	free(a);
}

/* ---- buckets ---- */

/* IPv6 clients own a /64 at least, so that is what is counted. */
static struct str key_of(const struct inet *client)
{
	return (struct str){ (const char *)client->ip,
			     inet_is_v4(client) ? sizeof(client->ip)
						: CLIENT_BYTES };
}

/* Where he can have as many addresses as he likes; empty: of IPv4. */
static struct str network_of(const struct inet *client)
{
	return (struct str){ (const char *)client->ip,
			     inet_is_v4(client) ? 0 : NETWORK_BYTES };
}

/* A bucket of MOST that runs empty in WINDOW_MS, as it is now. */
static struct bucket bucket_read(struct board *b, struct str key, int64_t most,
				 int64_t window_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct bucket k = { .level = 0 };
	struct str note;
	int64_t leaked;

	if (key.n == 0 || !board_read(b, key, arena, &note))
		return k;
	check(note.n == sizeof(k));
	memcpy(&k, note.p, sizeof(k));
	leaked = (now_ms() - k.at_ms) * most * UNIT / window_ms;
	k.level = k.level > leaked ? k.level - leaked : 0;
	return k;
}

static struct bucket bucket_of_client(struct allowance *a,
				      const struct inet *client)
{
	return bucket_read(a->clients, key_of(client), LIMIT_REFUSALS_OF_CLIENT,
			   LIMIT_REFUSALS_OF_CLIENT_MS);
}

static struct bucket bucket_of_network(struct allowance *a,
				       const struct inet *client)
{
	return bucket_read(a->networks, network_of(client),
			   LIMIT_STARTS_OF_NETWORK,
			   LIMIT_REFUSALS_OF_CLIENT_MS);
}

static struct bucket bucket_of_system(struct allowance *a, struct str system)
{
	return bucket_read(a->systems, system, LIMIT_REFUSALS_OF_SYSTEM,
			   LIMIT_REFUSALS_OF_SYSTEM_MS);
}

static void charge(struct board *b, struct str key, struct bucket k,
		   int64_t most)
{
	k.level += UNIT;
	if (k.level > most * UNIT)
		k.level = most * UNIT;
	k.at_ms = now_ms();
	if (key.n > 0)
		board_write(b, key,
			    (struct str){ (const char *)&k, sizeof(k) });
}

/* No room for one more. */
static bool is_full(const struct bucket *k, int64_t most)
{
	return k->level + UNIT > most * UNIT;
}

static bool was_refused(const struct bucket *k)
{
	return k->at_ms && now_ms() - k->at_ms < LIMIT_REFUSALS_OF_CLIENT_MS;
}

/* ---- where a client stands ---- */

/* How long, with OPEN questions ahead; 0: his allowance is not spent. */
static int64_t pause_of(const struct bucket *k, uint64_t open)
{
	int64_t next = k->level + ((int64_t)open + 1) * UNIT;
	int64_t beyond = next - (int64_t)LIMIT_REFUSALS_OF_CLIENT * UNIT;
	int64_t ms = beyond * LIMIT_PAUSE_STEP_MS / UNIT;

	if (beyond <= 0)
		return 0;
	return ms < LIMIT_PAUSE_MS ? ms + 1 : LIMIT_PAUSE_MS;
}

struct standing allowance_look(struct allowance *a, struct str system,
			       const struct inet *client)
{
	struct standing s = { .was_refused = false };
	struct bucket k, network;

	if (!client)
		return s;
	k = bucket_of_client(a, client);
	network = bucket_of_network(a, client);
	s.open = tally_count(a->open, key_of(client));
	s.was_refused =
		was_refused(&k) || is_full(&network, LIMIT_STARTS_OF_NETWORK);
	if (!s.was_refused)
		return s;
	s.pause_ms = pause_of(&k, s.open);
	s.client_is_spent = s.pause_ms > 0;
	k = bucket_of_system(a, system);
	s.system_is_spent = is_full(&k, LIMIT_REFUSALS_OF_SYSTEM);
	return s;
}

void allowance_begin(struct allowance *a, const struct inet *client)
{
	if (client)
		tally_add(a->open, key_of(client));
}

void allowance_end(struct allowance *a, struct str system,
		   const struct inet *client, bool refused)
{
	struct bucket k;

	if (!client)
		return;
	tally_drop(a->open, key_of(client));
	if (!refused)
		return;
	k = bucket_of_client(a, client);
	if (!was_refused(&k))
		charge(a->networks, network_of(client),
		       bucket_of_network(a, client), LIMIT_STARTS_OF_NETWORK);
	charge(a->clients, key_of(client), k,
	       LIMIT_REFUSALS_OF_CLIENT + MOST_BEYOND);
	charge(a->systems, system, bucket_of_system(a, system),
	       LIMIT_REFUSALS_OF_SYSTEM);
}

/* ---- systems that ban ---- */

static struct bucket bucket_of_day(struct allowance *a, struct str system)
{
	return bucket_read(a->days, system, LIMIT_REFUSALS_A_DAY, DAY_MS);
}

/* Only those that ban have a bucket. */
static bool has_day(const struct bucket *k)
{
	return k->at_ms != 0;
}

/* What was asked before we knew, or before we were started, is not known. */
void allowance_limit_day(struct allowance *a, struct str system, bool is_banned)
{
	struct bucket k = bucket_of_day(a, system);

	if (has_day(&k) && !is_banned)
		return;
	k.level = is_banned ? LIMIT_REFUSALS_A_DAY * UNIT
			    : LIMIT_REFUSALS_A_DAY * UNIT / 2;
	k.at_ms = now_ms();
	board_write(a->days, system,
		    (struct str){ (const char *)&k, sizeof(k) });
}

bool allowance_day_is_spent(struct allowance *a, struct str system,
			    const struct inet *client)
{
	struct bucket k = bucket_of_day(a, system);
	int64_t most = LIMIT_REFUSALS_A_DAY;

	if (!has_day(&k))
		return false;
	if (client && allowance_look(a, system, client).was_refused)
		most /= 2;
	k.level += (int64_t)tally_count(a->today, system) * UNIT;
	return is_full(&k, most);
}

bool allowance_begin_today(struct allowance *a, struct str system)
{
	struct bucket k = bucket_of_day(a, system);

	k.level += (int64_t)(tally_add(a->today, system) - 1) * UNIT;
	if (!has_day(&k) || !is_full(&k, LIMIT_REFUSALS_A_DAY))
		return true;
	tally_drop(a->today, system);
	return false;
}

void allowance_refused_today(struct allowance *a, struct str system)
{
	struct bucket k = bucket_of_day(a, system);

	if (has_day(&k))
		charge(a->days, system, k, LIMIT_REFUSALS_A_DAY);
}

void allowance_end_today(struct allowance *a, struct str system,
			 bool was_refused)
{
	if (was_refused)
		allowance_refused_today(a, system);
	tally_drop(a->today, system);
}

/* ---- turns ---- */

bool allowance_take(struct allowance *a, struct str system)
{
	struct bucket k = bucket_of_system(a, system);

	if (is_full(&k, LIMIT_REFUSALS_OF_SYSTEM))
		return false;
	if (tally_add(a->guesses, system) <= LIMIT_GUESSES_AT_ONCE)
		return true;
	tally_drop(a->guesses, system);
	return false;
}

void allowance_give_back(struct allowance *a, struct str system)
{
	tally_drop(a->guesses, system);
}
