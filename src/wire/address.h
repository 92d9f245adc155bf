/*
 * Mail addresses, as RFC 5321 4.1.2 and RFC 6531 3.3 write them.
 *
 *	Mailbox    = Local-part "@" ( Domain / address-literal )
 *	Local-part = Dot-string / Quoted-string
 *	Path       = "<" [ A-d-l ":" ] Mailbox ">"
 *
 *	struct address a;
 *	if (!address_parse(S("\"bob\"@Example.ORG"), arena, &a)) ...cause()
 *	a.spelling	"bob"@Example.ORG, byte for byte: what is relayed
 *	a.local		bob		   unquoted, folded to lower case: what is
 *					   compared
 *	a.domain	example.org	   A-labels, lower case, no trailing dot
 *
 * Real mail has local parts that this grammar does not know: longer than 64
 * octets (SRS, VERP, Exchange's IMCEAEX), with dots in any place (foo..bar@,
 * .foo@, foo.@).  They are read, and relayed as they are written; what is
 * *created* here keeps to the grammar (address_parse_strict()).
 *
 * Everything is checked before and after normalising: lengths, characters,
 * UTF-8, labels.  Source routes are accepted and ignored (RFC 5321 F.2), their
 * syntax is not.  An address literal's domain is "[192.0.2.1]".
 */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include "base/arena.h"
#include "base/fail.h"

struct address {
	struct str spelling; /* as given, without <> and source route;
				   empty: the null sender <> */
	struct str local;    /* canonical; never NUL, CR, LF or control */
	struct str domain;   /* canonical; empty only for <> and <postmaster> */
	struct str detail;   /* what follows the first '+' in local, or empty */
	struct str base;     /* local without "+detail" */
	bool has_detail;
	bool is_utf8; /* needs SMTPUTF8 (non-ASCII in the local part,
				   or the domain was given as U-labels) */
};

/* MAILBOX alone, no <>, as others may have it.  False: cause() is a sentence
 * that quotes the bad part.  All slices of OUT are in ARENA. */
bool address_parse(struct str mailbox, struct arena *arena,
		   struct address *out) must_check;
/* The same for one that is to be created. */
bool address_parse_strict(struct str mailbox, struct arena *arena,
			  struct address *out) must_check;

enum path_kind {
	PATH_REVERSE, /* MAIL: <> is the null sender */
	PATH_FORWARD, /* RCPT: <postmaster> needs no domain */
};

/*
 * "<...>" at the start of *REST; what follows it stays in *REST (parameters,
 * with the space).  Devices and scripts forget the <>: then the path ends at
 * the first space.
 */
bool path_parse(struct str *rest, enum path_kind kind, struct arena *arena,
		struct address *out) must_check;

/* A domain name alone: A-labels, lower case.  "Müller.example" is fine. */
bool domain_parse(struct str name, struct arena *arena,
		  struct str *out) must_check;
/* NAME (A-labels, canonical) as people read it, in U-labels: composed, small
 * letters.  NAME itself when it has none, or none that would be read as NAME
 * again. */
struct str domain_shown(struct str name, struct arena *arena);
/* What EHLO should say: a domain or an address literal, RFC 5321 4.1.1.1. */
bool helo_parse(struct str s, struct str *out) must_check;

/* The local part of A as it is written, without quotes: letters keep their
 * case. */
struct str address_local(const struct address *a, struct arena *arena);
/* LOCAL, without quotes, as it stands before an '@': in quotes where it needs
 * them. */
struct str local_written(struct str local, struct arena *arena);
/* Same mailbox? (canonical local and domain) */
bool address_same(const struct address *a, const struct address *b);
/* "local@domain", canonical, in ARENA: the key for caches and trails. */
struct str address_key(const struct address *a, struct arena *arena);

#endif
