/* Random numbers from the kernel, good enough for keys. */
#ifndef RT_RANDOM_H
#define RT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *to, size_t n);
uint64_t random_below(uint64_t n);
/* N characters of a-z2-7 and a NUL: for names and ids. */
void random_name(char *to, size_t n);

#endif
