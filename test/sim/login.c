/* Users who log in (login.h). */
#include "login.h"

#include <string.h>

#include "db/sql.h"
#include "directory/sql.h"
#include "rt/stream.h"
#include "wire/command.h"

enum { PATIENCE_MS = 60000, ONE_IN = 12 };

/* ---- who ---- */

static bool befalls(const struct event *e, int person)
{
	return (e->kind == EVENT_MOVE || e->kind == EVENT_DISABLE ||
		e->kind == EVENT_SETTLE || e->kind == EVENT_BOTH ||
		e->kind == EVENT_GIVE_UP) &&
	       (e->of == person || e->to == person);
}

bool login_stays(int person)
{
	const struct person *p = &world.persons[person];

	for (int i = 0; i < world.n_events; i++)
		if (befalls(&world.events[i], person))
			return false;
	return p->kind == PERSON_USER && is_at_splitmail(p->home) &&
	       p->also < 0 && !p->is_full && !p->is_over_quota &&
	       !p->is_disabled;
}

/* All of his go to his own server. */
static void become(struct client *c, int person)
{
	c->user = person;
	c->is_local = false;
	for (int i = 0; i < c->n; i++)
		c->mails[i].splitmail = world.persons[person].home;
}

/* Not drawn: a world without them is the one it was. */
void logins_draw(void)
{
	for (int i = 0; i < world.n_clients; i++) {
		struct client *c = &world.clients[i];
		uint64_t dice = (world.seed * 67 + (uint64_t)i) % 10061;
		int person = (int)(dice / ONE_IN) % world.n_persons;

		if (c->hands_in_again)
			continue;
		c->user = -1;
		if (dice % ONE_IN == 0 && c->system < 0 && login_stays(person))
			become(c, person);
	}
}

bool logins_are_at(const struct splitmail *s)
{
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].user >= 0 &&
		    world.persons[world.clients[i].user].home ==
			    (int)(s - world.splitmails))
			return true;
	return false;
}

/* ---- who knows them ---- */

/* LOGIN, whose right is what Dovecot's SQL would have said. */
static void say_ok(struct stream *s, struct str id, struct str login)
{
	struct directory *d = directory_open("/data/directory.db");
	struct arena *a scoped(arena) = arena_open();

	if (d) {
		struct query q scoped(query) = sql_query(
			directory_sql(d),
			"SELECT mailbox || '.' || password_changes FROM holder "
			"WHERE login = ?",
			"s", login);

		if (query_next(&q) == ANSWER_YES)
			stream_sayf(
				s, "OK\t%.*s\tuser=%.*s\tlogin_right=%.*s\n",
				STR(id), STR(login), STR(query_text(&q, 0, a)));
		else
			stream_sayf(s, "FAIL\t%.*s\ttemp\n", STR(id));
	}
	directory_close(d);
}

/* "AUTH\t1\tPLAIN\t...\tresp=BASE64": NUL, the login, NUL, the password. */
static void hear_line(struct stream *s, struct str line)
{
	struct arena *a scoped(arena) = arena_open();
	ptrdiff_t at = str_search(line, S("\tresp="));
	struct str id = STR_NONE, word = STR_NONE, rest = line, plain;

	str_split(&rest, '\t', &word);
	str_split(&rest, '\t', &id);
	if (!str_same(word, S("AUTH")) || at < 0 ||
	    !base64_decode(str_from(line, (size_t)at + 6), a, &plain))
		return;
	rest = str_from(plain, 1);
	str_split(&rest, '\0', &plain);
	if (str_same(rest, S(LOGIN_PASSWORD)))
		say_ok(s, id, plain);
	else
		stream_sayf(s, "FAIL\t%.*s\n", STR(id));
}

static void converse(void *stream)
{
	struct stream *s = stream;

	stream_say(s, S("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\n"
			"CUID\t1\nCOOKIE\t00\nDONE\n"));
	while (stream_flush(s, after_ms(PATIENCE_MS)) &&
	       stream_fill(s, after_ms(PATIENCE_MS)) == STREAM_MORE) {
		ptrdiff_t end;

		while ((end = str_find(stream_bytes(s), '\n')) >= 0) {
			hear_line(s, str_part(stream_bytes(s), 0, (size_t)end));
			stream_skip(s, (size_t)end + 1);
		}
	}
	stream_close(s);
}

static void run(void *arg)
{
	struct listener *l = listener_open_path("/run/auth", 0600);
	struct stream *s;

	(void)arg;
	check(l);
	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("conversation", converse, s));
}

void logins_serve(struct splitmail *s)
{
	if (!logins_are_at(s))
		return;
	if (!s->logins || sim_has_ended(s->logins))
		s->logins = sim_start(s->host, "auth", run, NULL);
}
