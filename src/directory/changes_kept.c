/*
 * Who is deleted, written down with all he had (changes_deleted.c gives it
 * back).
 */
#include "directory/change.h"
#include "directory/deleted.h"

enum { DAY_S = 86400 };

static bool keep_groups(struct changes *c, int64_t deleted,
			const struct references *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->r[i].kind == REFERENCE_MEMBER &&
		    !run(c,
			 "INSERT INTO deleted_member (deleted, holder, "
			 "spelling) VALUES (?, ?, ?)",
			 "iis", deleted, all->r[i].holder, all->r[i].address))
			return false;
	return true;
}

bool deleted_keep(struct changes *c, const struct holder_row *h,
		  const struct references *all)
{
	int64_t id;

	if (h->kind == HOLDER_GROUP)
		return true;
	if (!run(c,
		 "INSERT INTO deleted (kind, domain, login, name, mailbox, "
		 "mail_system, system, enabled, password, quota_bytes, "
		 "forward_keeps_copy, deleted_by, until) SELECT kind, "
		 "domain, login, name, mailbox, mail_system, system, "
		 "enabled, password, quota_bytes, forward_keeps_copy, ?2, "
		 "unixepoch() + ?3 FROM holder WHERE id = ?1",
		 "isi", h->id, str_of(c->who), (int64_t)KEPT_DAYS * DAY_S))
		return false;
	id = sql_last_id(c->sql);
	return run(c,
		   "INSERT INTO deleted_address (deleted, local, name, "
		   "routed, home) SELECT ?1, local, name, routed, home FROM "
		   "address WHERE holder = ?2 ORDER BY is_default DESC, id",
		   "ii", id, h->id) &&
	       run(c,
		   "INSERT INTO deleted_forward (deleted, spelling) "
		   "SELECT ?1, spelling FROM forward WHERE holder = ?2 "
		   "ORDER BY id",
		   "ii", id, h->id) &&
	       keep_groups(c, id, all) &&
	       run(c,
		   "INSERT INTO deleted_sender (deleted, holder, who) "
		   "SELECT ?1, nullif(holder, ?2), nullif(who, ?2) FROM "
		   "sender WHERE holder = ?2 OR who = ?2",
		   "ii", id, h->id);
}
