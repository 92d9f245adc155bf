/*
 * What the supervisor tells the service manager while all runs (notify.h): that
 * the engine answers, and how things are, in a sentence for `systemctl status`:
 *
 *	3 SMTP sessions, 12 mails wait, relay.example.org is down
 *
 * An engine that hangs gets no WATCHDOG=1, so that the manager starts everything
 * again.  It hangs when it takes a question and leaves it without an answer, on
 * any of its lanes; the disk is not asked, for a disk that hangs is not mended
 * so.  One that is not there is the supervisor's to start again (child.h), and
 * no reason to end mailboxes and logins, unless that does not help for a minute.
 */
#ifndef MAIN_PULSE_H
#define MAIN_PULSE_H

#include "main/child.h"
#include "main/config.h"
#include "main/notify.h"

struct pulse {
	struct notify *notify;
	const struct config *config;
	const struct child *console; /* argv[0] NULL: there is none */
	struct gate *news;           /* opened when *STOPPING */
	const bool *stopping;
	const char *control; /* the engine's socket */
	int64_t heard_ms;    /* its last answer; 0 at first */
};

/* Two fibers', until *STOPPING; each ends at once when nobody wants to hear it. */
void waits pulse_watch(void *pulse); /* WATCHDOG=1 */
void waits pulse_tell(void *pulse);  /* STATUS= */

#endif
