/* A file from inside: a descriptor. */
#ifndef RT_LINUX_FILE_INSIDE_H
#define RT_LINUX_FILE_INSIDE_H

#include "rt/file.h"

struct file {
	int fd;
	bool spoilt;
	enum fail_kind spoilt_by;
	uint64_t bytes;
	char path[]; /* the folder of a spool file, else the file */
};

#endif
