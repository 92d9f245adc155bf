/*
 * A filter that does as it is told, for tests: it listens on loopback, notes
 * what it hears and has a rule for what is out of the ordinary.
 *
 *	struct script s = { .steps = 0, .rules = { { 'R', SCRIPT_SAYS, "t" } } };
 *	script_open(&s);
 *	...one mail...
 *	s.heard		"OCHMRTLLNBE"
 */
#ifndef FILTER_FILTER_TEST_SCRIPT_H
#define FILTER_FILTER_TEST_SCRIPT_H

#include "base/buf.h"
#include "rt/stream.h"

enum script_conduct {
	SCRIPT_NONE,
	SCRIPT_SAYS,   /* packets, instead of "go on" */
	SCRIPT_FLOODS, /* the first packet again and again */
	SCRIPT_CLOSES,
	SCRIPT_LIES,   /* bytes that are no packet */
	SCRIPT_SLEEPS, /* until it is left */
	SCRIPT_LABOURS, /* a sign of life every 400 ms, thrice; then it goes on */
};

struct script_packet {
	const char *p;
	size_t n;
};
#define PACKET(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

struct script_rule {
	char at; /* a command */
	enum script_conduct conduct;
	struct script_packet says[8];
};

struct script {
	uint32_t version, actions, steps; /* version 0: 6 */
	struct script_rule rules[4];
	bool leaves; /* once a mail is over, though another comes */

	/* its own */
	struct listener *listener;
	char socket[80];   /* "inet:127.0.0.1:4711" */
	struct buf heard;  /* commands without macros */
	struct buf fields; /* "name:value|" as it was shown */
	struct buf body;
	struct buf macros; /* "name=value|" */
	unsigned connections;
};

/* On a loop. */
void script_open(struct script *s);
void script_close(struct script *s);
/* After the loop: visits may have outlived it. */
void script_free(struct script *s);
/* Forget what was heard. */
void script_forget(struct script *s);

#endif
