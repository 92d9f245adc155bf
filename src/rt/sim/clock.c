/* A world's clock, and the wall clock of each of its hosts. */
#include "rt/clock.h"

#include <stdio.h>
#include <sys/time.h>
#include <time.h>

#include "rt/sim/world_inside.h"

int64_t now_us(void)
{
	return world_here()->now_us;
}

int64_t now_ms(void)
{
	return now_us() / MS;
}

int64_t sim_story_ms(void)
{
	return story_us() / MS;
}

static int64_t wall_of(const struct sim_host *h)
{
	return h->wall_stands_ms ? h->wall_stands_ms
				 : h->wall_less_now_ms + now_ms();
}

int64_t wall_ms(void)
{
	return wall_of(host_here());
}

int64_t boot_ms(void)
{
	return (now_us() - host_here()->booted_us) / MS;
}

void boot_id(char to[BOOT_ID_BYTES])
{
	snprintf(to, BOOT_ID_BYTES, "boot-%u-of-%.20s", host_here()->boots,
		 host_here()->name);
}

void sim_set_wall(struct sim_host *h, int64_t ms)
{
	h->wall_less_now_ms = ms - now_ms();
	if (h->wall_stands_ms)
		h->wall_stands_ms = ms;
	sim_tell("the wall clock of %s is set to %lld", h->name, (long long)ms);
}

void sim_hold_wall(struct sim_host *h, bool stands)
{
	int64_t ms = wall_of(h);

	h->wall_less_now_ms = ms - now_ms();
	h->wall_stands_ms = stands ? ms : 0;
	sim_tell("the wall clock of %s %s", h->name,
		 stands ? "stands" : "goes");
}

static void wake(void *f)
{
	fiber_wake(f);
}

/* Before the call goes on others have run, or the time has passed for all. */
void sim_block_us(int64_t us)
{
	struct fiber *f = fiber_self();

	if (us <= 0)
		return;
	if (!f || place_here()->index >= 0) {
		world_here()->now_us += us;
		return;
	}
	event_own_at(now_us() + us, wake, f);
	fiber_block("a call that blocks");
}

/* ---- libc's, which OpenSSL asks ---- */

/* Before there is a world it is the machine's. */
static int64_t libc_us(void)
{
	struct timespec t;

	if (world_is_there())
		return wall_ms() * MS + now_us() % MS;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

time_t time(time_t *to)
{
	time_t t = libc_us() / SECOND;

	if (to)
		*to = t;
	return t;
}

int gettimeofday(struct timeval *to, void *zone)
{
	int64_t us = libc_us();

	(void)zone;
	*to = (struct timeval){ us / SECOND, us % SECOND };
	return 0;
}
