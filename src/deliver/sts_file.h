/*
 * The policies of MTA-STS on the disk: the file "mta-sts", a line each.
 *
 *	seconds  SP  domain  SP  id  SP  mode  SP  max_age  *( SP  mx )  LF
 *
 * until which it holds (since 1970, UTC).  It is written anew, beside the old one,
 * when something has changed.
 */
#ifndef DELIVER_STS_FILE_H
#define DELIVER_STS_FILE_H

#include "deliver/sts_memory.h"
#include "rt/fiber.h"

/* A file that is not there is empty; lines that are none are left out.  False:
 * cause(). */
bool waits sts_file_read(const char *folder, struct sts_memory *m) must_check;
bool waits sts_file_write(const char *folder, struct sts_memory *m) must_check;

#endif
