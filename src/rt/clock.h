/*
 * Time: an instant of the monotonic clock in milliseconds for waiting, the
 * wall clock for what people and other machines read.
 */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include <stdint.h>

#define NEVER INT64_MAX /* a deadline that does not come */

int64_t now_ms(void);  /* monotonic; read once per loop turn */
int64_t now_us(void);  /* monotonic, exact: for measuring */
int64_t wall_ms(void); /* since 1970, UTC */
/* Since the machine started, its sleep included; never set by anybody.  Only
 * instants of the same boot can be compared. */
int64_t boot_ms(void);
enum { BOOT_ID_BYTES = 37 };
void boot_id(char to[BOOT_ID_BYTES]); /* "": the kernel does not say */

static inline int64_t after_ms(int64_t ms)
{
	return now_ms() + ms;
}

struct date_text {
	char c[40];
};

/* RFC 5322 3.3, in UTC: "Mon, 23 Nov 2026 01:34:02 +0000". */
struct date_text date_rfc5322(int64_t wall_ms);
/* "2026-11-23T01:34:02Z" */
struct date_text date_iso(int64_t wall_ms);

#endif
