/* A file from inside, for rt/sim only: a node of the disk. */
#ifndef RT_SIM_FILE_INSIDE_H
#define RT_SIM_FILE_INSIDE_H

#include "rt/file.h"
#include "rt/sim/disk_inside.h"

struct file {
	struct held held;
	struct sim_process *process;
	struct node *node, *folder; /* folder: of a spool file, else NULL */
	bool can_write;
	bool spoilt;
	enum fail_kind spoilt_by;
	char path[];
};

#endif
