/*
 * What a process may still do once it has what it needs.
 *
 *	struct confinement c = { 0 };
 *	confine_files(&c, places, n);	before the first thread
 *	...it listens...
 *	confine_calls(&c);
 *	log(confine_text(&c, arena));	"Landlock 7, seccomp"
 *
 * Both are the kernel's, hold for every thread, and nobody takes them back.  A
 * kernel that lacks one is no trouble: what it lacks is in the text.  Whoever
 * takes over a process by what it parses can then start no program, look into
 * no other process, open no new port, and write nowhere but in PLACES.
 *
 * Reading is left to the rights of the user: certificates, resolver, names of
 * users and languages lie wherever a system has them.
 */
#ifndef RT_CONFINE_H
#define RT_CONFINE_H

#include "base/arena.h"

enum confined_to {
	CONFINED_TO_FILES,   /* make, write, rename, remove what is beneath */
	CONFINED_TO_SOCKETS, /* make sockets there, and remove them */
};

/* A folder, or a symbolic link to one.  One that is not there is left out. */
struct confined_place {
	const char *path;
	enum confined_to to;
};

struct confinement {
	int landlock; /* version of its ABI; 0: without */
	bool seccomp;
	char no_landlock[120], no_seccomp[120]; /* why; "" */
};

/* Landlock: for this thread and those it starts from now on; before the first
 * loop, which does without io_uring then.  No new privileges ever after, with it
 * or without. */
void confine_files(struct confinement *c, const struct confined_place *places,
		   size_t n);
/* seccomp, of which calls.def is the list: for all threads there are. */
void confine_calls(struct confinement *c);
/* For a program that is not the engine, before it begins: what it, and whatever it
 * starts, has written into memory is never run (seccomp).  A kernel that lacks it
 * is no trouble. */
void confine_memory(void);
/* "Landlock 7, seccomp"; what there is not, and why: "seccomp; no Landlock: this
 * kernel has none".  In ARENA. */
const char *confine_text(const struct confinement *c, struct arena *arena);

#endif
