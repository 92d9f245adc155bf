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

struct certificate {
	const struct config *config;
	const struct person *owner;
	const char *served, *trouble; /* paths; threads use no arena */
	struct stamp seen[2];         /* certificate, key: when last read */
	int64_t ends_ms;              /* of what is served; 0: not known */
	struct wrong wrong;
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
	if (!c->wrong.is && !l->is_changed)
		return true;
	c->seen[0] = now[0];
	c->seen[1] = now[1];
	return take_pair(l);
}

/* False: what should be served is wrong. */
static bool waits look(struct certificate *c, struct look *l)
{
	c->wrong.is = !offload(look_now, l);
	if (c->wrong.is)
		failure_save(&c->wrong.why);
	return !c->wrong.is;
}

/* What an earlier run left is better than no mail. */
static bool has_one_left(struct certificate *c)
{
	struct tls_context *left = tls_server(c->served, c->served);

	if (!left)
		return false;
	c->ends_ms = tls_server_ends_ms(left);
	tls_close(left);
	return true;
}

/* ---- what is said ---- */

static bool note_now(void *arg)
{
	const struct certificate *c = arg;

	if (c->wrong.is)
		return certificate_write(
			c->trouble, str_of(c->wrong.why.sentence), c->owner);
	return unlink(c->trouble) == 0 || errno == ENOENT ||
	       fail("remove %s: %m", c->trouble);
}

static void waits note_trouble(struct certificate *c)
{
	if (!offload(note_now, c))
		log_warn("serve", "%s", cause());
}

static void waits say_wrong(struct certificate *c, bool is_changed,
			    bool at_once)
{
	const char *which =
		c->wrong.is ? "the old certificate stays" : "the certificate";

	if (certificate_say_wrong(&c->wrong, is_changed, which, at_once))
		note_trouble(c);
}

static void say_end(struct certificate *c)
{
	certificate_say_end("the certificate", c->ends_ms, &c->warned);
}

bool certificate_look(struct certificate *c, const struct instead *instead,
		      bool at_once)
{
	struct look l = { .c = c, .instead = instead };

	look(c, &l);
	say_wrong(c, l.is_changed, at_once);
	if (l.is_renewed)
		log_fact("serve", "a new certificate, until %s",
			 date_iso(c->ends_ms).c);
	say_end(c);
	return l.is_renewed;
}

bool certificate_begin(struct certificate *c, const struct instead *instead)
{
	struct look l = { .c = c, .instead = instead };

	if (look(c, &l))
		note_trouble(c); /* an earlier run may have had some */
	else if (!has_one_left(c))
		return fail_again(&c->wrong.why);
	say_wrong(c, l.is_changed, true);
	say_end(c);
	return true;
}
