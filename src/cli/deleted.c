/*
 * Users and shared mailboxes that were deleted: listed, had back, erased.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "cli/store.h"
#include "directory/deleted.h"
#include "rt/folder.h"

static const char *noun_of(enum holder_kind kind)
{
	return kind == HOLDER_SHARED ? "shared" : "user";
}

/* Does anything of a mailbox lie on the disk? */
static bool has_mail(struct cli *c, struct str mailbox)
{
	return mailbox.n > 0 &&
	       access(cli_path(c, arena_printf(c->arena, "mail/%.*s",
					       STR(mailbox))),
		      F_OK) == 0;
}

/* ---- before ---- */

static const char *day_after(struct cli *c, int days)
{
	time_t then = time(NULL) + days * 86400;
	struct tm tm;
	char day[32];

	strftime(day, sizeof(day), "%Y-%m-%d", localtime_r(&then, &tm));
	return arena_printf(c->arena, "%s", day);
}

static int confirm_erase(struct cli *c, const char *who)
{
	return cli_confirm(c, "Erase all mail of %s that lies here, for good",
			   who);
}

static int confirm_delete(struct cli *c, enum holder_kind kind,
			  const char *address, bool erase)
{
	struct directory *d = cli_directory(c);
	struct str mailbox = S("");
	int64_t id;

	if (d && find_holder(d, str_of(address), c->arena, &id) == ANSWER_YES)
		mailbox = holder_mailbox(d, id, c->arena);
	directory_close(d);
	if (!has_mail(c, mailbox))
		return cli_confirm(c,
				   "Delete %s: no mail of his lies here, and "
				   "a mailbox on another mail system is not "
				   "touched",
				   address);
	if (erase)
		return confirm_erase(c, address);
	return cli_confirm(c,
			   "Delete %s: the mail that lies here is kept until "
			   "%s (`splitmail %s restore` brings it back) and is "
			   "gone then",
			   address, day_after(c, KEPT_DAYS), noun_of(kind));
}

/* ---- the list ---- */

struct listed {
	struct rows rows;
	bool broken;
};

static void list_one(void *arg, const struct deleted_entry *e)
{
	struct listed *l = arg;

	rows_add(&l->rows, show_deleted(e, has_mail(l->rows.cli, e->mailbox)));
}

int cli_deleted(struct cli *c, enum holder_kind kind)
{
	static const struct column columns[] = {
		{ "NUMBER", "id", 6 },          { "ADDRESS", "address", 32 },
		{ "DELETED", "deleted", 20 },   { "KEPT UNTIL", "until", 20 },
		{ "MAIL HERE", "has_mail", 9 }, { "BY", "deleted_by", 0 },
	};
	struct deleted_filter all = { .kind = (int)kind };
	struct directory *d = cli_directory(c);
	struct listed l = { .broken = false };

	if (!d)
		return cli_refuse(c, "%s", cause());
	l.rows = rows_begin(c, columns, array_size(columns));
	if (!list_deleted(d, &all, list_one, &l))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&l.rows);
}

/* ---- back, and gone ---- */

int cli_restore(struct cli *c, const struct args *a)
{
	const char *as = args_option(a, "as");

	CLI_CHANGE(c, h,
		   deleted_restore(h, str_of(args_word(a, 0)),
				   str_of(as ? as : "")));
}

/* Their folders, and then what is known of them. */
static bool remove_mail(struct cli *c, bool only_erased, unsigned *removed)
{
	struct changes *h = cli_changes(c);
	struct deleted_due *all;
	bool good = h != NULL;
	size_t n = 0;

	do {
		good = good && deleted_due(h, only_erased, c->arena, &all, &n);
		for (size_t i = 0; good && i < n; i++)
			good = folder_erase(cli_path(c, "mail"),
					    all[i].mailbox) &&
			       deleted_is_gone(h, all[i].id);
		*removed += good ? (unsigned)n : 0;
	} while (good && n > 0);
	changes_close(h);
	return good;
}

static int erased(struct cli *c, struct changes *h, struct change r)
{
	unsigned removed = 0;

	if (r.outcome == CHANGE_DONE && !remove_mail(c, true, &removed)) {
		changes_close(h);
		return cli_refuse(c,
				  "%s. It is tried again while Splitmail "
				  "runs.",
				  cause());
	}
	return cli_outcome(c, h, r);
}

int cli_erase(struct cli *c, const struct args *a)
{
	const char *who = args_word(a, 0);
	int asked = confirm_erase(c, who);
	struct changes *h;

	if (asked != CLI_DONE)
		return asked;
	h = cli_changes(c);
	return h ? erased(c, h, deleted_erase(h, str_of(who)))
		 : cli_refuse(c, "%s", cause());
}

int cli_delete(struct cli *c, enum holder_kind kind, const struct args *a)
{
	struct str who = str_of(args_word(a, 0));
	bool erase = args_option(a, "erase");
	int asked = confirm_delete(c, kind, args_word(a, 0), erase);
	struct changes *h;

	if (asked != CLI_DONE)
		return asked;
	h = cli_changes(c);
	if (!h)
		return cli_refuse(c, "%s", cause());
	cli_cleans(h, a);
	if (erase)
		return erased(c, h, holder_erase(h, kind, who));
	return cli_outcome(c, h,
			   kind == HOLDER_SHARED ? shared_delete(h, who)
						 : user_delete(h, who));
}

int cli_sweep(struct cli *c, bool only_erased)
{
	unsigned removed = 0;

	if (!remove_mail(c, only_erased, &removed))
		return cli_refuse(c, "%s", cause());
	return cli_done(c, "Removed mailboxes: %u.", removed);
}
