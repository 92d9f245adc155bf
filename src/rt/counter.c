/* Counters: every thread adds in a lane of its own, readers sum the lanes. */
#include "rt/counter.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "rt/own_inside.h"

#ifndef RT_SIM
struct own own_of_program = OWN_AT_FIRST;

static atomic_uint threads;
#endif

struct counter_lane *counter_lane(void)
{
#ifdef RT_SIM
	return own()->lanes;
#else
	static _Thread_local struct counter_lane *mine;

	if (!mine)
		mine = &own()->lanes[atomic_fetch_add(&threads, 1) %
				     COUNTER_LANES];
	return mine;
#endif
}

void count_add(enum counter c, uint64_t n)
{
	atomic_fetch_add_explicit(&counter_lane()->n[c], n,
				  memory_order_relaxed);
}

void count(enum counter c)
{
	count_add(c, 1);
}

uint64_t counter_value(enum counter c)
{
	uint64_t sum = 0;

	for (int i = 0; i < COUNTER_LANES; i++)
		sum += atomic_load_explicit(&own()->lanes[i].n[c],
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
