/*
 * Arenas: a list of blocks, the newest first; allocation moves a mark.
 *
 * Invariants:
 *  1. The arena itself lies at the start of its first (oldest) block.
 *  2. Blocks of BLOCK_BYTES are recycled in a list of the thread; larger ones
 *     hold a single allocation and go back to malloc.
 *  3. Bytes of a block that are not handed out are poisoned under ASan.
 */
#include "base/arena.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BLOCK_BYTES = 4096,
	SPARE_BLOCKS = 512, /* a thread keeps 2 MiB at most */
	GRAIN = alignof(max_align_t),
};

struct block {
	struct block *older;
	size_t used, room;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *newest, *first;
	size_t bytes;
};

enum { BLOCK_ROOM = BLOCK_BYTES - sizeof(struct block) };

static _Thread_local struct block *spare;
static _Thread_local unsigned spares;
static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_spares(void *unused)
{
	(void)unused;
	while (spare) {
		struct block *b = spare;

		spare = b->older;
		free(b);
	}
	spares = 0;
}

static void make_key(void)
{
	check(pthread_key_create(&at_thread_end, free_spares) == 0);
}

static struct block *block_open(size_t room)
{
	struct block *b = spare;

	if (room <= BLOCK_ROOM && b) {
		spare = b->older;
		spares--;
	} else {
		if (room < BLOCK_ROOM)
			room = BLOCK_ROOM;
		b = must_alloc(sizeof(*b) + room);
		b->room = room;
	}
	b->older = NULL;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, b->room);
	return b;
}

static void block_close(struct block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->data, b->room);
	if (b->room != BLOCK_ROOM || spares >= SPARE_BLOCKS) {
		free(b);
		return;
	}
	if (!spare) { /* the key's value only has to be non-NULL */
		pthread_once(&once, make_key);
		pthread_setspecific(at_thread_end, &spare);
	}
	b->older = spare;
	spare = b;
	spares++;
}

/* N is rounded already and fits. */
static void *block_take(struct block *b, size_t n, size_t asked)
{
	void *p = b->data + b->used;

	b->used += n;
	ASAN_UNPOISON_MEMORY_REGION(p, asked);
	return p;
}

static size_t round_up(size_t n)
{
	check(n <= SIZE_MAX / 2);
	return n ? (n + GRAIN - 1) / GRAIN * GRAIN : GRAIN;
}

struct arena *arena_open(void)
{
	struct block *b = block_open(BLOCK_ROOM);
	struct arena *a = block_take(b, round_up(sizeof(*a)), sizeof(*a));

	*a = (struct arena){ b, b, 0 };
	return a;
}

static void close_all_but_first(struct arena *a)
{
	struct block *b = a->newest, *older;

	for (; b; b = older) {
		older = b->older;
		if (b != a->first)
			block_close(b);
	}
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	close_all_but_first(a);
	block_close(a->first);
}

void arena_reset(struct arena *a)
{
	struct block *b = a->first;

	close_all_but_first(a);
	b->older = NULL;
	b->used = round_up(sizeof(*a));
	ASAN_POISON_MEMORY_REGION(b->data + b->used, b->room - b->used);
	*a = (struct arena){ b, b, 0 };
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}

/* Without zeroing.  A large piece goes behind the newest block, which keeps
 * serving the small ones. */
static void *take(struct arena *a, size_t asked)
{
	size_t n = round_up(asked);
	struct block *b = a->newest;

	a->bytes += n;
	if (n <= b->room - b->used)
		return block_take(b, n, asked);
	b = block_open(n);
	if (n > BLOCK_ROOM / 2) {
		b->older = a->newest->older;
		a->newest->older = b;
	} else {
		b->older = a->newest;
		a->newest = b;
	}
	return block_take(b, n, asked);
}

void *arena_alloc(struct arena *a, size_t n)
{
	return memset(take(a, n), 0, n);
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = take(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_cstr(a, s), s.n };
}

static struct str printf_like(2, 0)
	print(struct arena *a, const char *format, va_list args)
{
	char start[256];
	va_list again;
	struct str s;
	char *p;
	int n;

	va_copy(again, args);
	n = vsnprintf(start, sizeof(start), format, args);
	check(n >= 0);
	if ((size_t)n < sizeof(start)) {
		s = arena_str(a, (struct str){ start, (size_t)n });
	} else {
		p = take(a, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, format, again);
		s = (struct str){ p, (size_t)n };
	}
	va_end(again);
	return s;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
	return (char *)print(a, format, args).p;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	struct str s;

	va_start(args, format);
	s = print(a, format, args);
	va_end(args);
	return (char *)s.p;
}

struct str arena_strf(struct arena *a, const char *format, ...)
{
	va_list args;
	struct str s;

	va_start(args, format);
	s = print(a, format, args);
	va_end(args);
	return s;
}
