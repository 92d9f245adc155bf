/*
 * Members of groups: users, groups, addresses of other systems.
 *
 * Invariant: no group reaches itself through the groups it has as members at
 * the time they are added.  route() guards against what comes later (an
 * address that moves from a user to a group).
 */
#include "base/limits.h"
#include "directory/change.h"

static bool check_circle(struct changes *c, const struct holder_row *group,
			 const struct address *a)
{
	int64_t member, found = 0;

	if (!address_holder(c, a, &member))
		return false;
	if (member == group->id)
		return refuse(c, "member", group_in_itself,
			      V("address", a->spelling));
	if (!ask(c, &found,
		 "WITH RECURSIVE reach (id) AS (SELECT ?1 UNION "
		 "SELECT a.holder FROM reach "
		 "JOIN member m ON m.holder = reach.id "
		 "JOIN domain_name n ON n.name = m.domain "
		 "JOIN address a ON a.domain = n.domain AND "
		 "a.local = m.local AND a.name IN (n.name, '*') AND "
		 "a.builtin = 0) SELECT 1 FROM reach WHERE id = ?2",
		 "ii", member, group->id))
		return false;
	if (!found)
		return true;
	return refuse(c, "member", group_in_circle, V("address", a->spelling),
		      V("group", group->login));
}

static bool check_room(struct changes *c, const struct holder_row *group)
{
	int64_t n = 0;

	if (!ask(c, &n, "SELECT count(*) FROM member WHERE holder = ?", "i",
		 group->id))
		return false;
	if (n < LIMIT_EXPANSION)
		return true;
	return refuse(c, "member", too_many_members,
		      V("most", LIMIT_EXPANSION));
}

bool member_add(struct changes *c, const struct holder_row *group,
		struct str text)
{
	struct address a;

	if (!value_address(c, "member", text, &a) ||
	    !address_leads(c, "member", &a) || !check_circle(c, group, &a) ||
	    !check_rank_of_target(c, "member", a.spelling) ||
	    !check_room(c, group))
		return false;
	if (!run(c,
		 "INSERT INTO member (holder, spelling, local, domain) "
		 "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		 "isss", group->id, a.spelling, a.local, a.domain))
		return false;
	if (sql_changes(c->sql) == 0)
		return refuse(c, "member", already_a_member,
			      V("address", a.spelling),
			      V("group", group->login));
	return change_log(c, "group", group->login, S("member"), S(""),
			  a.spelling);
}

static bool member_remove(struct changes *c, const struct holder_row *group,
			  struct str text)
{
	struct address a;

	if (!value_address(c, "member", text, &a) ||
	    !check_rank_of_target(c, "member", a.spelling) ||
	    !run(c,
		 "DELETE FROM member WHERE holder = ? AND local = ? AND "
		 "domain = ?",
		 "iss", group->id, a.local, a.domain))
		return false;
	if (sql_changes(c->sql) == 0)
		return missing(c, "member", no_such_member,
			       V("address", a.spelling),
			       V("group", group->login));
	return change_log(c, "group", group->login, S("member"), a.spelling,
			  S(""));
}

static bool each_member(struct changes *c, struct str address,
			const struct str *members, size_t n,
			bool (*each)(struct changes *c,
				     const struct holder_row *group,
				     struct str text))
{
	struct holder_row group;

	if (!holder_load_kind(c, HOLDER_GROUP, address, &group) ||
	    !check_rank(c, &group))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!each(c, &group, members[i]))
			return false;
	return done(c, "The group %.*s is changed.", STR(group.login));
}

struct change group_add(struct changes *c, struct str address,
			const struct str *members, size_t n)
{
	return change_end(c, change_begin(c) && each_member(c, address, members,
							    n, member_add));
}

struct change group_remove(struct changes *c, struct str address,
			   const struct str *members, size_t n)
{
	return change_end(c, change_begin(c) && each_member(c, address, members,
							    n, member_remove));
}
