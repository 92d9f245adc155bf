/*
 * Stacks for fibers, cut from slabs.
 *
 * Huge pages are refused: with them 5,000 stacks took 169 MB instead of 21.
 * The guard below a stack is wider than any frame we know of: a library that
 * was not built with -fstack-clash-protection may step over a page without
 * touching it (libunbound has a frame of 64 KiB).  It is address space only,
 * and costs nothing where the kernel has MADV_GUARD_INSTALL (6.13);
 * elsewhere mprotect() makes two maps of every stack, and vm.max_map_count
 * (65,530) ends at 32,000 stacks, which is why LIMIT_FIBERS is below that.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "rt/fiber_inside.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
enum { STACK_BYTES = 4 * LIMIT_STACK_BYTES }; /* redzones need room */
#else
enum { STACK_BYTES = LIMIT_STACK_BYTES };
#endif

enum { GUARD_BYTES = 128 * 1024, STACKS_A_SLAB = 16 };
enum { SLOT_BYTES = GUARD_BYTES + STACK_BYTES };
enum { SLAB_BYTES = STACKS_A_SLAB * SLOT_BYTES };

struct slab {
	struct slab *next;
	char *low;
	int used;
};

static _Thread_local struct slab *slabs; /* the newest first */

static void slab_open(void)
{
	struct slab *s = must_alloc(sizeof(*s));
	void *p = mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE,
		       -1, 0);

	check(p != MAP_FAILED);
	madvise(p, SLAB_BYTES, MADV_NOHUGEPAGE);
	*s = (struct slab){ .next = slabs, .low = p };
	slabs = s;
}

struct stack stack_take(void)
{
	char *low;

	if (!slabs || slabs->used == STACKS_A_SLAB)
		slab_open();
	low = slabs->low + (size_t)slabs->used++ * SLOT_BYTES;
	if (madvise(low, GUARD_BYTES, MADV_GUARD_INSTALL) != 0)
		check(mprotect(low, GUARD_BYTES, PROT_NONE) == 0);
	return (struct stack){ low + GUARD_BYTES, STACK_BYTES };
}

void stack_trim(struct stack s, size_t keep)
{
	madvise(s.low, s.bytes - keep, MADV_DONTNEED);
}

void stacks_close(void)
{
	while (slabs) {
		struct slab *s = slabs;

		slabs = s->next;
#ifdef WITH_ASAN
		__asan_unpoison_memory_region(s->low, SLAB_BYTES);
#endif
		check(munmap(s->low, SLAB_BYTES) == 0);
		free(s);
	}
}
