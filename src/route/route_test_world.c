/*
 * The world of route()'s tests, and its answers as lines.
 */
#include "route/route_test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory/database.h"

/* ---- the world ---- */

static const struct line world[] = {
	{ system_create, "exchange",
	  "hosts=ex.example:2525 tls=required trust=192.0.2.0/24 "
	  "may_relay=yes" },
	{ system_create, "google", "hosts=g.example trust=198.51.100.1" },
	{ system_create, "keeper", "hosts=k.example when_down=keep-all" },
	{ system_create, "strict", "hosts=s.example when_down=defer" },

	/* a domain whose users live here and on b.example: the master */
	{ domain_create, "own.test",
	  "aliases=alias.test relay=b.example max_message_size=1000" },
	{ user_create, "alice@own.test",
	  "address=ally@own.test address=everywhere@*" },
	{ user_create, "bob@own.test", "mail_system=alternate" },
	{ user_create, "nomail@own.test", "mail_system=none" },
	{ user_create, "dis@own.test", "enabled=no" },
	{ user_create, "disbob@own.test", "mail_system=alternate enabled=no" },
	{ user_create, "erin@own.test",
	  "mail_system=alternate address=unselected@own.test" },
	{ address_set, "unselected@own.test", "routed=no" },
	{ user_create, "frank@own.test",
	  "address=there@own.test address=both@own.test "
	  "address=nowhere@own.test" },
	{ address_set, "there@own.test", "home=alternate" },
	{ address_set, "both@own.test", "home=both" },
	{ address_set, "nowhere@own.test", "home=none" },
	{ user_create, "gina@own.test",
	  "mail_system=alternate system=exchange" },
	{ user_create, "kurt@own.test", "mail_system=alternate system=keeper" },
	{ user_create, "stan@own.test", "mail_system=alternate system=strict" },
	{ user_create, "fixed@own.test", "address=plus+fixed@own.test" },
	{ shared_create, "info@own.test", "" },

	/* forwards */
	{ user_create, "fcopy@own.test", "forward=bob@own.test,ext@ext.test" },
	{ user_create, "fonly@own.test",
	  "forward=ext@ext.test forward_copy=no" },
	{ user_create, "fthere@own.test",
	  "mail_system=alternate forward=alice@own.test" },
	{ user_create, "me@own.test", "" },
	{ user_create, "you@own.test", "forward=me@own.test" },
	{ user_set, "me@own.test", "forward=you@own.test" },
	{ user_create, "fdis@own.test", "enabled=no forward=alice@own.test" },
	{ user_create, "loop1@own.test", "" },
	{ user_create, "loop2@own.test",
	  "forward=loop1@own.test forward_copy=no" },
	{ user_set, "loop1@own.test",
	  "forward=loop2@own.test forward_copy=no" },
	{ user_create, "fnobody@own.test",
	  "forward=nomail@own.test forward_copy=no" },

	/* groups */
	{ user_create, "back@own.test", "" },
	{ group_create, "inner@own.test",
	  "member=ally@own.test member=gina@own.test member=back@own.test "
	  "member=both@own.test" },
	{ group_create, "team@own.test",
	  "member=alice@own.test member=bob@own.test member=ext@ext.test "
	  "member=inner@own.test" },
	{ user_set, "back@own.test", "forward=team@own.test" },
	{ group_create, "empty@own.test", "" },
	{ group_create, "lost@own.test",
	  "member=nomail@own.test member=dis@own.test" },
	{ group_create, "some@own.test",
	  "member=nomail@own.test member=alice@own.test" },
	{ user_create, "ringer@own.test", "" },
	{ group_create, "ring@own.test", "member=ringer@own.test" },
	{ user_set, "ringer@own.test",
	  "forward=ring@own.test forward_copy=no" },
	{ group_create, "fgroup@own.test",
	  "member=fcopy@own.test member=alice+team@own.test" },
	{ user_create, "fonlycopy@own.test", "forward=alice@own.test" },
	{ user_create, "both2@own.test", "forward=alice@own.test" },
	{ address_set, "both2@own.test", "home=both" },
	{ user_create, "flips@own.test", "" },
	{ address_set, "flips@own.test", "home=both" },

	/* what a next system could take for a route */
	{ user_create, "odd%one@own.test", "mail_system=alternate" },
	{ user_create, "fgina@own.test",
	  "mail_system=alternate forward=alice@own.test" },
	{ group_create, "disgroup@own.test",
	  "enabled=no member=alice@own.test" },

	/* a slave: what is unknown goes to the master */
	{ domain_create, "slave.test",
	  "relay=master.example forward_unknown=yes own_senders=refuse" },
	{ user_create, "sam@slave.test", "" },
	{ user_create, "pam@slave.test", "mail_system=alternate" },
	{ user_create, "abuse@slave.test", "" },
	{ group_create, "unknowns@slave.test",
	  "member=x@slave.test member=sam@slave.test" },
	{ group_create, "routing@own.test",
	  "member=odd%one@own.test member=bob+v%ext.test@own.test "
	  "member=v%ext.test@slave.test member=alice@own.test" },
	{ user_create, "frouting@own.test",
	  "forward=v%ext.test@slave.test forward_copy=no" },

	/* catch-alls and postmasters */
	{ domain_create, "catch.test", "catch_all=alice@own.test" },
	{ domain_create, "catchbob.test", "catch_all=bob@own.test" },
	{ domain_create, "catchboth.test", "catch_all=both@own.test" },
	{ domain_create, "catchodd.test", "catch_all=odd%one@own.test" },
	{ domain_create, "catchroute.test",
	  "catch_all=bob+v%ext.test@own.test" },
	{ domain_create, "catchteam.test", "catch_all=some@own.test" },
	{ domain_create, "pm.test", "postmaster=alice@own.test" },
	{ domain_create, "plain.test", "" },
};

struct changes *changes;
struct router router;
struct guard *guard;
struct arena *arena;
static char path[] = "/tmp/route-XXXXXX";
static char *file;

const char *world_file(void)
{
	return file;
}

static size_t settings_of(const char *text, struct setting *s)
{
	struct str rest = str_of(text), word;
	size_t n = 0;

	while (str_split(&rest, ' ', &word)) {
		ptrdiff_t equals = str_find(word, '=');

		check(equals > 0);
		s[n].key = str_part(word, 0, (size_t)equals);
		s[n++].value = str_from(word, (size_t)equals + 1);
	}
	return n;
}

void make(const struct line *l)
{
	struct setting s[8];
	struct change r = l->make(changes, str_of(l->name), s,
				  settings_of(l->settings, s));

	if (r.outcome != CHANGE_DONE)
		fail_msg("%s: %s", l->name, r.sentence);
}

int world_open(void **unused)
{
	struct node node;

	check(mkdtemp(path));
	arena = arena_open();
	file = arena_printf(arena, "%s/directory.db", path);
	if (directory_create(file, S("secret secret")))
		changes = changes_open(file, "test");
	if (!changes)
		fail_msg("%s", cause());
	check(changes_begin(changes));
	for (size_t i = 0; i < array_size(world); i++)
		make(&world[i]);
	check(changes_end(changes));
	router.directory = directory_open(file);
	check(router.directory && directory_node(router.directory, &node));
	guard = guard_open(&node);
	router.guard = guard;
	return 0;
}

int world_close(void **unused)
{
	directory_close(router.directory);
	changes_close(changes);
	guard_close(guard);
	for (const char *const *end =
		     (const char *const[]){ "", "-wal", "-shm", NULL };
	     *end; end++)
		unlink(arena_printf(arena, "%s%s", file, *end));
	rmdir(path);
	arena_close(arena);
	return 0;
}

/* ---- an answer as one line ---- */

static const char *leg_text(const struct leg *l)
{
	const char *share = l->is_split ? "*" : "";
	struct str name;

	switch (l->kind) {
	case LEG_MAILBOX:
		name = str_part(l->login, 0, (size_t)str_find(l->login, '@'));
		return arena_printf(arena, " %s%.*s%s%.*s", share, STR(name),
				    str_empty(l->detail) ? "" : "+",
				    STR(l->detail));
	case LEG_SYSTEM:
		return arena_printf(arena, " %s%.*s(%.*s)", share,
				    STR(l->system.name), STR(l->address));
	case LEG_INTERNET:
		return arena_printf(arena, " %smx:%.*s(%.*s)", share,
				    STR(l->domain), STR(l->address));
	}
	return "";
}

static const char *decision_text(const struct decision *d)
{
	const char *text = d->ask         ? "ask"
			   : d->ask_later ? "ask later"
					  : route_action_name(d->action);

	if (d->action == ROUTE_REFUSE || d->action == ROUTE_LATER)
		return arena_printf(arena, "%s %d %s", text, d->reply.code,
				    d->reply.status);
	for (size_t i = 0; i < d->n; i++)
		text = arena_printf(arena, "%s%s", text, leg_text(&d->legs[i]));
	return text;
}

struct address address_of(const char *mailbox)
{
	struct str path_text = str_of(arena_printf(arena, "<%s>", mailbox));
	struct address a;

	if (!path_parse(&path_text, PATH_FORWARD, arena, &a))
		fail_msg("%s: %s", mailbox, cause());
	return a;
}

struct asker asker_of(const char *text)
{
	struct asker a;

	if (!asker_parse(router.directory, str_of(text), arena, &a))
		fail_msg("%s: %s", text, cause());
	return a;
}

static const char *reasons_text(const struct decision *d)
{
	const char *text = "";

	for (size_t i = 0; i < d->n_reasons; i++)
		text = arena_printf(arena, "%s\n\t%s: %.*s", text,
				    d->reasons[i].rule,
				    STR(reason_fact(&d->reasons[i], arena)));
	return text;
}

struct decision decide(const struct question *q, const char *recipient,
		       const char *expected)
{
	struct address a = address_of(recipient);
	struct question asked = *q;
	struct decision d;
	const char *answer;

	asked.recipient = &a;
	d = route_decide(&router, &asked, arena);
	answer = decision_text(&d);
	if (strcmp(answer, expected) != 0)
		fail_msg("%.*s asks for %s: expected \"%s\", got \"%s\"%s",
			 STR(asker_text(&q->asker, arena)), recipient, expected,
			 answer, reasons_text(&d));
	assert_true(d.n_reasons > 0);
	return d;
}

void expect(const char *asker, const char *recipient, const char *expected)
{
	struct question q = { .asker = asker_of(asker) };

	decide(&q, recipient, expected);
}

void expect_all(const struct answer_line *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(l[i].asker, l[i].recipient, l[i].expected);
}
