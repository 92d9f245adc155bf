/*
 * What route() says of a unit beforehand, as an administrator asks it
 * (src/cli/route.c); what comes of it, judge_route.c judges.
 */
#ifndef TEST_SIM_BOOKS_ROUTE_H
#define TEST_SIM_BOOKS_ROUTE_H

struct inet;
struct unit;

/* Before any world. */
void books_route_open(void);
/* Of mail that comes from there (NULL: from a program of that host).  Fills u->said; at_ms stays 0 where there is
 * no answer. */
void books_ask_route(struct unit *u, const struct inet *from);

#endif
