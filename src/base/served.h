/*
 * Which of several certificates a client is shown, by the name it asks for
 * (SNI, RFC 6066 section 3; how names match: RFC 6125 section 6.4).
 *
 *	int found[KEY_KINDS];
 *	if (served_choose(all, n, S("Mail.Example.org."), wall_ms(), found))
 *		...all[found[KEY_ECDSA]] unless that is -1; the same for RSA
 *
 * Pure: nothing is opened or kept.  The engine, the console and what Dovecot is
 * told go by it, so that all ports answer alike.
 */
#ifndef BASE_SERVED_H
#define BASE_SERVED_H

#include "base/str.h"

enum key_kind { KEY_ECDSA, KEY_RSA, KEY_OTHER, KEY_KINDS };

struct served {
	const struct str *names; /* as served_name() makes them */
	size_t n_names;
	enum key_kind key;
	int64_t ends_ms; /* wall clock */
};

enum { SERVED_NAME_BYTES = 254 }; /* with its NUL (RFC 1035 2.3.4) */

/* GIVEN in small letters, without the dot that may end it, in TO.  False: it
 * cannot be a host's name, nor "*.example.org"; no cause(). */
bool served_name(struct str given, char to[SERVED_NAME_BYTES]) must_check;

/*
 * Those for the name ASKED, as any client may say it: at most one for each kind
 * of key, its index in ALL, else -1.  One that has not ended goes before one
 * that has, then its own name before a wildcard ("*" is one label), then the one
 * that ends last.  What has another kind of key is found only when it is as good
 * in the first two.  False: none is for it.
 */
bool served_choose(const struct served *all, size_t n, struct str asked,
		   int64_t now_ms, int found[KEY_KINDS]);

const char *key_kind_name(enum key_kind kind); /* "ECDSA" */

#endif
