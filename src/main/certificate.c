/* Which certificate is served (certificate.h). */
#include "main/certificate.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "main/certificate_files.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/tls.h"
#include "rt/worker.h"

enum { PATIENCE = 2 }; /* looks at something wrong, before it is said */

struct certificate {
	const struct config *config;
	const struct person *owner;
	const char *served, *trouble; /* paths; threads use no arena */
	struct stamp seen[2];         /* certificate, key: when last read */
	int64_t ends_ms;              /* of what is served; 0: not known */
	bool is_wrong, was_said;
	unsigned looks; /* at what is wrong */
	struct failure wrong;
	unsigned warned; /* of its end: how many times */
};

const char *certificate_path(const struct config *config)
{
	return config_path(config, "run/tls.pem");
}

const char *certificate_trouble_path(const struct config *config)
{
	return config_path(config, CERTIFICATE_TROUBLE);
}

struct certificate *certificate_open(const struct config *config,
				     const struct person *owner)
{
	struct certificate *c = must_alloc(sizeof(*c));

	*c = (struct certificate){
		.config = config,
		.owner = owner,
		.served = certificate_path(config),
		.trouble = certificate_trouble_path(config),
	};
	return c;
}

void certificate_close(struct certificate *c)
{
	free(c);
}

/* ---- one look; this blocks ---- */

static bool is_served(const struct certificate *c, struct str text)
{
	struct buf now scoped(buf) = BUF_EMPTY;

	return certificate_read(c->served, SIZE_MAX, &now) &&
	       str_same(buf_str(&now), text);
}

struct look {
	struct certificate *c;
	const struct instead *instead;
	bool is_changed; /* a file; good or not */
	bool is_renewed; /* what is served */
};

static bool take_text(struct look *l, struct str pair, int64_t ends_ms)
{
	l->c->ends_ms = ends_ms;
	if (is_served(l->c, pair))
		return true;
	l->is_renewed = certificate_write(l->c->served, pair, l->c->owner);
	return l->is_renewed;
}

static bool take_pair(struct look *l)
{
	const struct config *config = l->c->config;
	struct buf chain scoped(buf) = BUF_EMPTY, key scoped(buf) = BUF_EMPTY;
	int64_t ends_ms;

	if (!certificate_read(config->certificate, LIMIT_CERTIFICATE_BYTES,
			      &chain) ||
	    !certificate_read(config->key, LIMIT_CERTIFICATE_BYTES, &key) ||
	    !tls_pair_check(
		    &(struct tls_texts){ buf_str(&chain), buf_str(&key),
					 config->certificate, config->key },
		    &ends_ms))
		return false;
	buf_add(&chain, S("\n"));
	buf_add(&chain, buf_str(&key));
	return take_text(l, buf_str(&chain), ends_ms);
}

/* Again and again while it is wrong: what a file has may change and its stamp
 * not, on some file systems. */
static bool look_now(void *arg)
{
	struct look *l = arg;
	struct certificate *c = l->c;
	struct stamp now[] = { stamp_of(c->config->certificate),
			       stamp_of(c->config->key) };

	if (!str_empty(l->instead->pair)) {
		c->seen[0] = c->seen[1] = (struct stamp){ .is_there = false };
		return take_text(l, l->instead->pair, l->instead->ends_ms);
	}
	l->is_changed = !stamp_same(&now[0], &c->seen[0]) ||
			!stamp_same(&now[1], &c->seen[1]);
	if (!c->is_wrong && !l->is_changed)
		return true;
	c->seen[0] = now[0];
	c->seen[1] = now[1];
	return take_pair(l);
}

static bool note_trouble(void *arg)
{
	const struct certificate *c = arg;

	if (c->is_wrong)
		return certificate_write(c->trouble, str_of(c->wrong.sentence),
					 c->owner);
	return unlink(c->trouble) == 0 || errno == ENOENT ||
	       fail("remove %s: %m", c->trouble);
}

/* ---- what is said ---- */

static void say_wrong(struct certificate *c, bool at_once)
{
	if ((c->was_said || c->looks < PATIENCE) && !at_once)
		return;
	log_error("serve", "the old certificate stays: %s", c->wrong.sentence);
	c->was_said = true;
	if (!offload(note_trouble, c))
		log_warn("serve", "%s", cause());
}

static void say_right(struct certificate *c)
{
	if (c->was_said)
		log_fact("serve", "the certificate is good again");
	c->was_said = false;
	if (!offload(note_trouble, c))
		log_warn("serve", "%s", cause());
}

static void say_end(struct certificate *c)
{
	certificate_say_end("the certificate", c->ends_ms, &c->warned);
}

bool certificate_look(struct certificate *c, const struct instead *instead,
		      bool at_once)
{
	struct look l = { .c = c, .instead = instead };
	bool was_wrong = c->is_wrong;

	c->is_wrong = !offload(look_now, &l);
	if (c->is_wrong) {
		if (!was_wrong || l.is_changed) {
			c->looks = 0;
			c->was_said = false;
		}
		failure_save(&c->wrong);
		c->looks++;
		say_wrong(c, at_once);
	} else if (was_wrong) {
		say_right(c);
	}
	if (l.is_renewed)
		log_fact("serve", "a new certificate, until %s",
			 date_iso(c->ends_ms).c);
	say_end(c);
	return l.is_renewed;
}

/* What an earlier run left is better than no mail. */
bool certificate_begin(struct certificate *c, const struct instead *instead)
{
	struct tls_context *left;
	struct look l = { .c = c, .instead = instead };

	c->is_wrong = !offload(look_now, &l);
	if (!c->is_wrong) {
		say_right(c);
		say_end(c);
		return true;
	}
	failure_save(&c->wrong);
	left = tls_server(c->served, c->served);
	if (!left)
		return fail_again(&c->wrong);
	c->ends_ms = tls_server_ends_ms(left);
	tls_close(left);
	say_wrong(c, true);
	say_end(c);
	return true;
}
