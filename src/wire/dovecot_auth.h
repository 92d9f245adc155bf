/*
 * Dovecot's authentication protocol, version 1.2, client side
 * (doc: "Dovecot Authentication Protocol").
 *
 *	server: VERSION\t1\t2, MECH\tPLAIN\tplaintext, SPID, CUID, COOKIE, DONE
 *	client: VERSION\t1\t2, CPID\t<pid>
 *	client: AUTH\t<id>\t<mech>\tservice=smtp\tsecured\tresp=<base64>
 *	server: OK\t<id>\tuser=... | FAIL\t<id>\t... | CONT\t<id>\t<base64>
 *
 * An OK with "proxy" or "nologin" is read as a FAIL: whoever it is about, his
 * password was not checked here.
 */
#ifndef WIRE_DOVECOT_AUTH_H
#define WIRE_DOVECOT_AUTH_H

#include "base/arena.h"
#include "base/buf.h"

enum auth_line_kind {
	AUTH_LINE_OTHER,
	AUTH_LINE_VERSION,
	AUTH_LINE_MECH,
	AUTH_LINE_DONE,
	AUTH_LINE_OK,
	AUTH_LINE_FAIL,
	AUTH_LINE_CONT,
};

struct auth_line {
	enum auth_line_kind kind;
	uint32_t id;
	unsigned major;       /* VERSION */
	struct str mechanism; /* MECH */
	bool plaintext;       /* MECH: needs TLS */
	struct str user;      /* OK: user= */
	struct str right;     /* OK: login_right=, a field of our own that
				   its SQL answers (main/dovecot_conf.h) */
	bool temporary;       /* FAIL: temp, or the code says so: 454 */
	struct str data;      /* CONT: base64 */
};

/* One line without its LF. False: not the protocol; cause(). */
bool auth_line_parse(struct str line, struct arena *arena,
		     struct auth_line *out) must_check;
void auth_write_hello(struct buf *to, unsigned pid);
/* RESPONSE is base64 as the client sent it; STR_NONE: no initial response. */
void auth_write_request(struct buf *to, uint32_t id, struct str mechanism,
			bool secured, struct str remote_ip, struct str local_ip,
			struct str response);
void auth_write_continue(struct buf *to, uint32_t id, struct str base64);

#endif
