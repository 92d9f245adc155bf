/* Peers of the gallery in a world; which of them is a taker's `kind`. */
#ifndef TEST_SIM_NEIGHBOUR_H
#define TEST_SIM_NEIGHBOUR_H

#include "world.h"

/* Once in a process, before any world. */
void neighbours_prepare(void);
int neighbours_kinds(void);
const char *neighbour_kind(int kind);

struct sim_process *neighbour_start(struct taker *t);
/* From now on he is at home there, too. */
void neighbour_user(struct taker *t, const struct person *p);
/* After the world. */
void neighbours_forget(void);

#endif
