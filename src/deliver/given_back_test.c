/*
 * What another system gives back for a mailbox: the same message is dropped,
 * any other is delivered, whatever else they have in common.
 */
#include <stdio.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "directory/directory.h"
#include "route/guard.h"
#include "rt/board.h"
#include "rt/log.h"

#define FIRST "Message-ID: <one@x.test>\r\nSubject: hello\r\n\r\nfirst\r\n"
#define OTHER "Message-ID: <one@x.test>\r\nSubject: hello\r\n\r\nother\r\n"

/* It was here as the message that was submitted last. */
static void comes_back_as(struct world *w, const char *text)
{
	snprintf(w->body, sizeof w->body,
		 "Received: from a by here.test (Splitmail) with ESMTP id %s "
		 "for <x>;\r\n%.1000s",
		 w->last_id, text);
}

static struct guard *guard;

static void knows_itself(struct world *w, struct arena *arena)
{
	static const struct node node = { .id = "0123456789abcdef" };

	guard = guard_open(&node);
	w->settings.given = board_open(10);
	w->router.guard = guard;
	w->sender_trail = guard_entry(guard, S("any@one"), arena);
	w->header.message_id = S("<one@x.test>");
	snprintf(w->body, sizeof w->body, "%s", FIRST);
}

static void forgets(struct world *w)
{
	w->router.guard = NULL;
	guard_close(guard);
	board_close(w->settings.given);
	w->settings.given = NULL;
}

static void gives_back(struct world *w)
{
	struct arena *arena scoped(arena) = arena_open();

	knows_itself(w, arena);
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	wrong_unless(w, w->box.n_mails == 1 && w->a.n_mails == 1);
	comes_back_as(w, FIRST);
	says(w, submit(w, "s@x.test", "al@box.test"), "250");
	wrong_unless(w, w->box.n_mails == 1);
	forgets(w);
}

/* Who has it is not told that he has not, because another is refused. */
static void gives_back_beside_one_who_is_refused(struct world *w)
{
	struct arena *arena scoped(arena) = arena_open();
	char to[200];

	knows_itself(w, arena);
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	comes_back_as(w, FIRST);
	says(w, submit(w, "s@x.test", "al@box.test nobody@a.test"), "250");
	wrong_unless(w, w->box.n_mails == 1);
	wrong_unless(w, queued(w, to, sizeof(to)) == 1);
	wrong_unless(w, str_same(str_trim(str_of(to)), S("s@x.test")));
	forgets(w);
}

static void gives_another_mailbox_its_own(struct world *w)
{
	struct arena *arena scoped(arena) = arena_open();

	knows_itself(w, arena);
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	comes_back_as(w, FIRST);
	says(w, submit(w, "s@x.test", "carl@box.test"), "250");
	wrong_unless(w, w->box.n_mails == 2);
	forgets(w);
}

static void sends_another_of_one_message_id(struct world *w)
{
	struct arena *arena scoped(arena) = arena_open();

	knows_itself(w, arena);
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	comes_back_as(w, OTHER);
	says(w, submit(w, "s@x.test", "al@box.test"), "250");
	wrong_unless(w, w->box.n_mails == 2);
	forgets(w);
}

/* A person has sent it again since, here or at another Splitmail: that is a way of
 * its own.  What comes round on that is the same mail again. */
static void takes_what_was_sent_again(struct world *w)
{
	struct arena *arena scoped(arena) = arena_open();
	char was[sizeof w->body];

	knows_itself(w, arena);
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	comes_back_as(w, FIRST);
	snprintf(was, sizeof was, "%.1000s", w->body);
	snprintf(w->body, sizeof w->body,
		 TRAIL_FIELD ": " TRAIL_RESENT "\r\n%.1000s", was);
	says(w, submit(w, "s@x.test", "al@box.test"), "250");
	wrong_unless(w, w->box.n_mails == 2);
	snprintf(w->body, sizeof w->body, "%.1000s", was);
	w->trace = "Received: from x by here\r\n" TRAIL_FIELD ": " TRAIL_RESENT
		   "\r\n";
	says(w, submit(w, "s@x.test", "al@box.test bob@a.test"), "250");
	wrong_unless(w, w->box.n_mails == 3);
	snprintf(was, sizeof was, "%.1000s", w->body);
	w->trace = NULL;
	comes_back_as(w, was);
	says(w, submit(w, "s@x.test", "al@box.test"), "250");
	wrong_unless(w, w->box.n_mails == 3);
	forgets(w);
}

/* clang-format off */
#define TESTS(T) \
	T(gives_back) T(gives_back_beside_one_who_is_refused) \
	T(gives_another_mailbox_its_own) \
	T(sends_another_of_one_message_id) T(takes_what_was_sent_again)
/* clang-format on */

WORLD_TESTS(TESTS)
