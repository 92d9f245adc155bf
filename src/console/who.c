/*
 * Sessions and tokens, asked of the directory each time (who.h).
 */
#include "console/who.h"

#include <microhttpd.h>

#include "console/nouns.h"
#include "console/sessions.h"

static enum answer by_token(struct directory *d, struct str token,
			    struct arena *arena, struct who *out)
{
	struct token_entry t;
	enum answer a = directory_token(d, token, arena, &t);

	if (a != ANSWER_YES)
		return a;
	out->by_token = true;
	out->scope = t.scope;
	return directory_admin(d, t.admin, arena, &out->admin);
}

/* He may have changed his own password between the two looks: what the
 * directory says now was expected before it was committed. */
static bool still_holds(const struct console *c, struct session *s,
			const struct admin *now, struct arena *arena)
{
	struct proof wanted = { now->hash, now->totp };

	return session_holds(s, wanted) ||
	       (session_look(c->sessions, s->id, arena, s) &&
		session_holds(s, wanted));
}

static enum answer by_session(const struct console *c, struct directory *d,
			      const struct credentials *shown,
			      struct arena *arena, struct who *out)
{
	struct session *s = arena_new(arena, struct session);
	enum answer a;

	if (!(shown->is_unattended
		      ? session_look(c->sessions, shown->session, arena, s)
		      : session_find(c->sessions, shown->session, arena, s)))
		return ANSWER_NO;
	out->session = s->id;
	out->csrf = s->csrf;
	out->scope = TOKEN_WRITE;
	a = directory_admin(d, str_of(s->name), arena, &out->admin);
	if (a == ANSWER_YES && !still_holds(c, s, &out->admin, arena))
		a = ANSWER_NO;
	if (a == ANSWER_NO)
		session_end(c->sessions, s->id);
	return a;
}

enum answer who_shows(const struct console *c, struct directory *d,
		      const struct credentials *shown, struct arena *arena,
		      struct who *out)
{
	enum answer a = ANSWER_NO;

	*out = (struct who){ 0 };
	if (shown->token.p)
		a = by_token(d, shown->token, arena, out);
	else if (shown->session)
		a = by_session(c, d, shown, arena, out);
	if (a == ANSWER_NO)
		*out = (struct who){ 0 };
	return a;
}

/* A page that looks by itself is no sign of a person. */
static bool is_unattended(struct request *r)
{
	const char *said = header(r, "X-Unattended");

	return r->route->body == STREAM ||
	       (said && !strcmp(said, "true") && !is_write(r));
}

struct credentials credentials_of(struct request *r)
{
	const char *authorization = header(r, "Authorization");
	struct credentials c = { .is_unattended = is_unattended(r) };

	if (authorization && !strncasecmp(authorization, "Bearer ", 7))
		c.token = str_trim(str_from(str_of(authorization), 7));
	else
		c.session = MHD_lookup_connection_value(
			r->connection, MHD_COOKIE_KIND, "splitmail_session");
	return c;
}

bool has_right(const struct who *who, enum right right)
{
	enum admin_role role = who->admin.role;

	if (who->scope == TOKEN_METRICS && right != OPEN && right != METRICS)
		return false;
	switch (right) {
	case OPEN:
	case ANY:
		return true;
	case SESSION:
		return !who->by_token;
	case DOMAIN:
		return role == ADMIN_SUPER || role == ADMIN_DOMAIN;
	case SUPER:
	case METRICS:
		return role == ADMIN_SUPER;
	}
	return false;
}
