/*
 * Who a process runs as.
 *
 * The supervisor may be root, for the low ports only.  Its children become
 * the configured user before they run a line of ours: they keep nothing but
 * the right to bind low ports, and drop that once they listen.
 */
#ifndef RT_PRIVILEGES_H
#define RT_PRIVILEGES_H

#include "base/fail.h"

struct person {
	unsigned uid, gid;
	char name[64];
};

/* By name; "" is who we are.  Who has no name on this machine is called by his
 * numbers, "UID:GID" ("UID" alone: the same for both). False: cause(). */
bool person_find(const char *name, struct person *out) must_check;
/* May that person search every folder above PATH?  False: cause() names the
 * one that is closed and what opens it. */
bool person_reaches(const struct person *p, const char *path) must_check;
/* May that person do to PATH what WANTED says (R_OK, W_OK, X_OK)?  False:
 * cause() says who it belongs to. */
bool person_may(const struct person *p, const char *path,
		int wanted) must_check;
/* Become that person for good, as exec's next program too; no new privileges
 * ever after.  KEEP_LOW_PORTS keeps CAP_NET_BIND_SERVICE, also over exec.
 * Dies with its parent. Somebody who is that person already may always. */
bool privileges_become(const struct person *p, bool keep_low_ports) must_check;
/* As many open files as the machine lets us have: the soft limit, often 1024
 * for the sake of select(), becomes the hard one. */
void privileges_raise_files(void);
/* In between root's own thread finds, makes and removes files as that person would:
 * in a folder of his it follows no link to where he may not write himself.  Nobody
 * else has to; waits for nothing meanwhile. */
void privileges_files_begin(const struct person *p);
void privileges_files_end(void);
/* Give up every capability that is left. */
bool privileges_drop(void) must_check;

#endif
