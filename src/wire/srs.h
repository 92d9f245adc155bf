/*
 * The Sender Rewriting Scheme: a sender of ours for mail that is sent on
 * (openspf.org/SRS, M. Wong and S. Gautam; no RFC).
 *
 * The next server asks the sender's domain whether this server may send for it
 * (SPF, RFC 7208); for a forward it may not.  So the sender becomes an address
 * of ours that says whose it was, and what is returned to it finds him:
 *
 *	news@bank.test		SRS0=k3v5xqqa=5K=bank.test=news@own.test
 *	that, sent on by x.test	SRS1=7m2ehc4d=own.test==k3v5xqqa=5K=bank.test=
 *				news@x.test
 *
 *	SRS0 "=" hash "=" day "=" domain "=" local-part
 *	SRS1 "=" hash "=" domain "=" what follows its SRS0
 *
 * After SRS0 or SRS1 others write "+" or "-", too.  HASH is 40 bits of a keyed
 * hash in base32, blind to case, since some change that; DAY is two letters of
 * base32, the day modulo 1024.  Nobody else can make an address that is
 * returned through us, and ours are good for SRS_DAYS.
 */
#ifndef WIRE_SRS_H
#define WIRE_SRS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/fail.h"

enum {
	SRS_KEY_BYTES = 32,
	SRS_DAYS = 21, /* queues of others give up long before */
};

/* SENDER (an address as it is written, not <>) as one of DOMAIN; DAY since
 * 1970.  False: it is no address, or becomes too long for one; cause(). */
bool srs_forward(const uint8_t key[SRS_KEY_BYTES], struct str sender,
		 struct str domain, int64_t day, struct arena *arena,
		 struct str *out) must_check;

enum srs_verdict {
	SRS_NOT, /* no such address, or not made with this key */
	SRS_GOOD,
	SRS_EXPIRED, /* ours, and older than SRS_DAYS */
};

/* Whom mail for RECIPIENT (as it is written: letters of the local part keep
 * their case) has to be returned to; *OUT when GOOD. */
enum srs_verdict srs_reverse(const uint8_t key[SRS_KEY_BYTES],
			     struct str recipient, int64_t day,
			     struct arena *arena, struct str *out);

#endif
