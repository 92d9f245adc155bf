/*
 * The disk of deliver's tests in virtual time: one of a world's.
 */
#include "deliver/deliver_test_world.h"

#include <stdio.h>

#include "base/test.h"
#include "rt/folder.h"
#include "rt/sim/sim.h"

void world_disk_open(char folder[64])
{
	static unsigned number;

	snprintf(folder, 64, "/deliver-test-%u", number++);
	check(folder_make(folder));
}

void world_disk_close(const char *folder)
{
	check(folder_erase("/", folder + 1));
}

void world_disk_is_full(bool is_full)
{
	struct sim_host *h = sim_process_host(sim_process());

	sim_disk(h)->room_bytes = is_full ? sim_disk_bytes(h) : UINT64_MAX;
}
