/* Counters: every thread adds in a lane of its own, readers sum the lanes. */
#include "rt/counter.h"

#include <inttypes.h>
#include <stdatomic.h>

enum { LANES = 32 }; /* more threads than that share */

struct lane {
	_Alignas(64) _Atomic uint64_t n[COUNTER_COUNT];
};

static struct lane lanes[LANES];
static atomic_uint threads;

static struct lane *my_lane(void)
{
	static _Thread_local struct lane *mine;

	if (!mine)
		mine = &lanes[atomic_fetch_add(&threads, 1) % LANES];
	return mine;
}

void count_add(enum counter c, uint64_t n)
{
	atomic_fetch_add_explicit(&my_lane()->n[c], n, memory_order_relaxed);
}

void count(enum counter c)
{
	count_add(c, 1);
}

uint64_t counter_value(enum counter c)
{
	uint64_t sum = 0;

	for (int i = 0; i < LANES; i++)
		sum += atomic_load_explicit(&lanes[i].n[c],
		                            memory_order_relaxed);
	return sum;
}

static const struct {
	const char *name, *help;
} table[COUNTER_COUNT] = {
#define COUNTER(name, metric, help) [COUNT_##name] = { metric, help },
#include "rt/counters.def"
#undef COUNTER
};

const char *counter_name(enum counter c)
{
	return table[c].name;
}

const char *counter_help(enum counter c)
{
	return table[c].help;
}

static void list_one(struct buf *to, enum counter c, const char *metric)
{
	static const char before[] = "splitmail_", after[] = "_total";
	struct str name = str_of(metric);
	uint64_t n = counter_value(c);

	if (!n)
		return;
	if (str_starts(name, str_of(before)))
		name = str_from(name, sizeof(before) - 1);
	if (str_ends(name, str_of(after)))
		name.n -= sizeof(after) - 1;
	buf_printf(to, "%s%.*s=%" PRIu64, to->n ? " " : "", STR(name), n);
}

void counters_list(struct buf *to)
{
	for (int c = 0; c < COUNTER_COUNT; c++)
		list_one(to, (enum counter)c, table[c].name);
}
