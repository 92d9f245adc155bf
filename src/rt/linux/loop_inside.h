/*
 * The libuv side of a loop, for rt/linux only: libuv's types end here.
 */
#ifndef RT_LINUX_LOOP_INSIDE_H
#define RT_LINUX_LOOP_INSIDE_H

#include <uv.h>

#include "rt/loop.h"

/* The loop of this thread. */
uv_loop_t *loop_uv(void);
/* When the thread's loop has ended: its spare buffers (block.c). */
void blocks_close(void);

#endif
