/* How a disk behaves at a change: time, room, failures, and the power. */
#include <errno.h>

#include "rt/sim/disk_inside.h"

struct disk *disk_here(void)
{
	return host_here()->disk;
}

struct sim_disk *sim_disk(struct sim_host *h)
{
	return &h->disk->conduct;
}

uint64_t sim_disk_bytes(struct sim_host *h)
{
	return h->disk->bytes;
}

bool disk_has_room(struct disk *d, uint64_t more_bytes)
{
	return more_bytes == 0 ||
	       d->bytes + more_bytes <= d->conduct.room_bytes;
}

bool disk_change_begin(int64_t most_us, uint64_t fail_in)
{
	if (most_us > 0)
		sim_block_us((int64_t)draw((uint64_t)most_us));
	if (disk_here()->conduct.is_read_only)
		errno = EROFS;
	else if (sim_chance(fail_in))
		errno = EIO;
	else
		return true;
	return false;
}

void disk_change_made(void)
{
	struct sim_disk *d = &disk_here()->conduct;

	d->changes++;
	if (d->cut_after > 0 && --d->cut_after == 0)
		world_here()->cut_power();
}
