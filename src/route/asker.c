/*
 * Who asks, and as whom they may write.
 *
 * The text form is what the queue stores and the command line takes:
 * "internet", "user:a@b", "system:NAME", "local", "local:a@b".  A system that has
 * no name, or was only recognised, is written by its hosts, and has no rights.
 * Whose Sieve it is has to be known as long as the mail waits: what it sends on
 * leaves in his domain's name (sent_on.c).
 */
#include "route/route.h"
#include "route/walk.h"
#include "wire/hosts.h"

static bool parse_user(struct str text, struct arena *arena, struct asker *out)
{
	struct address a;

	if (!address_parse(text, arena, &a))
		return add_cause("user");
	out->kind = ASKER_USER;
	out->user = arena_str(arena, text);
	return true;
}

static bool parse_system(struct directory *d, struct str name,
			 struct arena *arena, struct asker *out)
{
	struct host *hosts;
	size_t n;

	out->kind = ASKER_SYSTEM;
	switch (directory_system_named(d, name, arena, &out->system)) {
	case ANSWER_YES:
		out->trusted = true;
		return true;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return false;
	}
	/* a system has no dot or colon in its name, a relay has */
	if ((str_find(name, '.') < 0 && str_find(name, ':') < 0) ||
	    !hosts_parse(name, arena, &hosts, &n))
		return fail("there is no system \"%.*s\"", STR(name));
	out->system = (struct system){ .name = arena_str(arena, name) };
	out->system.hosts = out->system.name;
	return true;
}

bool asker_parse(struct directory *d, struct str text, struct arena *arena,
		 struct asker *out)
{
	*out = (struct asker){ .kind = ASKER_INTERNET };
	if (str_same(text, S("internet")))
		return true;
	if (str_same(text, S("local"))) {
		out->kind = ASKER_LOCAL;
		return true;
	}
	if (str_starts(text, S("local:")) && text.n > 6) {
		out->kind = ASKER_LOCAL;
		out->user = arena_str(arena, str_from(text, 6));
		return true;
	}
	if (str_starts(text, S("user:")))
		return parse_user(str_from(text, 5), arena, out);
	if (str_starts(text, S("system:")))
		return parse_system(d, str_from(text, 7), arena, out);
	return fail("\"%.*s\" is not internet, local, local:ADDRESS, "
		    "user:ADDRESS or system:NAME",
		    STR(str_part(text, 0, 100)));
}

struct str asker_text(const struct asker *a, struct arena *arena)
{
	switch (a->kind) {
	case ASKER_INTERNET:
		break;
	case ASKER_USER:
		return arena_strf(arena, "user:%.*s", STR(a->user));
	case ASKER_SYSTEM:
		return arena_strf(
			arena, "system:%.*s",
			STR(a->trusted ? a->system.name : a->system.hosts));
	case ASKER_LOCAL:
		return str_empty(a->user)
			       ? S("local")
			       : arena_strf(arena, "local:%.*s", STR(a->user));
	}
	return S("internet");
}

enum answer asker_at(struct directory *d, const struct inet *peer,
		     struct arena *arena, struct asker *out)
{
	enum answer known;

	*out = (struct asker){ .kind = ASKER_INTERNET };
	known = directory_trusted(d, peer, arena, &out->system);
	out->trusted = known == ANSWER_YES;
	if (out->trusted)
		out->kind = ASKER_SYSTEM;
	return known;
}

bool asker_has_rights(const struct asker *a)
{
	switch (a->kind) {
	case ASKER_INTERNET:
		return false;
	case ASKER_USER:
	case ASKER_LOCAL:
		return true;
	case ASKER_SYSTEM:
		return a->trusted;
	}
	return false;
}

/* ---- MAIL FROM ---- */

static struct reply sender_ok(void)
{
	return (struct reply){ 250, "2.1.0", S("sender ok") };
}

static struct reply sender_unsure(void)
{
	return (struct reply){ 451, "4.3.0",
			       S("trouble with the directory here") };
}

/* <> is his too, as long as he may log in. */
static struct reply user_sender(const struct router *r, const struct asker *a,
				const struct address *sender,
				struct arena *arena)
{
	struct address own;

	if (str_empty(sender->spelling)) {
		if (!address_parse(a->user, arena, &own))
			return sender_unsure();
		sender = &own;
	}
	switch (directory_may_send_as(r->directory, a->user, sender->local,
				      sender->domain)) {
	case ANSWER_YES:
		return sender_ok();
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return sender_unsure();
	}
	return (struct reply){ 553, "5.7.1",
			       arena_strf(arena,
					  "%.*s may not send as this address",
					  STR(a->user)) };
}

static struct reply stranger_sender(const struct router *r,
				    const struct address *sender,
				    struct arena *arena)
{
	struct domain domain;

	if (str_empty(sender->domain))
		return sender_ok();
	switch (directory_domain(r->directory, sender->domain, arena,
				 &domain)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return sender_ok();
	case ANSWER_UNSURE:
		return sender_unsure();
	}
	switch (domain.own_senders) {
	case OWN_SENDERS_ACCEPT:
	case OWN_SENDERS_VERIFY: /* when all of it is there */
		return sender_ok();
	case OWN_SENDERS_REFUSE:
		break;
	}
	/* What was sent on from here may come back to somebody here. */
	switch (sent_on_from_here(r->directory, sender, arena)) {
	case ANSWER_YES:
		return sender_ok();
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return sender_unsure();
	}
	return (struct reply){ 550, "5.7.1",
			       arena_strf(arena,
					  "senders of %.*s have to log in",
					  STR(domain.name)) };
}

enum answer route_verifies(const struct router *r, const struct address *a,
			   struct arena *arena)
{
	struct domain domain;
	enum answer known;

	if (str_empty(a->domain))
		return ANSWER_NO;
	known = directory_domain(r->directory, a->domain, arena, &domain);
	if (known != ANSWER_YES)
		return known;
	if (domain.own_senders != OWN_SENDERS_VERIFY)
		return ANSWER_NO;
	switch (sent_on_from_here(r->directory, a, arena)) {
	case ANSWER_YES:
		return ANSWER_NO;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return ANSWER_UNSURE;
	}
	return ANSWER_YES;
}

struct reply route_sender(const struct router *r, const struct asker *a,
			  const struct address *sender, struct arena *arena)
{
	switch (a->kind) {
	case ASKER_USER:
		return user_sender(r, a, sender, arena);
	case ASKER_LOCAL:
		return sender_ok();
	case ASKER_SYSTEM:
		if (a->trusted)
			return sender_ok();
		break;
	case ASKER_INTERNET:
		break;
	}
	return stranger_sender(r, sender, arena);
}
