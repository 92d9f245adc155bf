/* What happened, as lines and as a number. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rt/sim/world_inside.h"

enum { LINE_BYTES = 512 };

static struct {
	uint64_t sum;
	void (*hear)(void *arg, const char *line);
	void *arg;
} trace;

static uint64_t mix_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
	return sum ^ sum >> 29;
}

/* Eight bytes at a time; what comes first counts, and so does how many. */
static uint64_t mix(uint64_t sum, const char *p, size_t n)
{
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		sum = mix_word(sum, word);
	}
	word = 0;
	if (i < n)
		memcpy(&word, p + i, n - i);
	return mix_word(mix_word(sum, word), n);
}

void trace_open(uint64_t seed)
{
	trace.sum = mix(0xcbf29ce484222325u, (char *)&seed, sizeof(seed));
	trace.hear = NULL;
}

uint64_t sim_trace(void)
{
	return trace.sum;
}

void sim_hear(void (*hear)(void *arg, const char *line), void *arg)
{
	trace.hear = hear;
	trace.arg = arg;
}

void sim_tell(const char *format, ...)
{
	char line[LINE_BYTES];
	int64_t us = story_us();
	va_list args;
	int n = snprintf(line, sizeof(line),
			 "%" PRId64 ".%06d %s: ", us / SECOND,
			 (int)(us % SECOND), host_here()->name);

	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
	va_end(args);
	trace.sum = mix(trace.sum, line, strlen(line));
	if (trace.hear)
		trace.hear(trace.arg, line);
}

/* The story has their number, the sum has them. */
void trace_bytes(const char *what, uint64_t number, const char *p, size_t n)
{
	int64_t us = world_here()->now_us;

	trace.sum = mix(trace.sum, (char *)&us, sizeof(us));
	trace.sum = mix(trace.sum, what, strlen(what));
	trace.sum = mix(trace.sum, (char *)&number, sizeof(number));
	trace.sum = mix(trace.sum, p, n);
	if (trace.hear) {
		uint64_t sum = trace.sum;

		sim_tell("%s %" PRIu64 ": %zu bytes", what, number, n);
		trace.sum = sum; /* heard or not: the same */
	}
}
