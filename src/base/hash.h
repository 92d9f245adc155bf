/*
 * uthash, for everybody: out of memory aborts as everywhere else, where uthash
 * by itself would call exit(), which looks like an orderly end and is none.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/check.h"

#define uthash_malloc(bytes) must_alloc(bytes)
#define uthash_fatal(what) check(!(what))

#include <uthash.h>

#endif
