/*
 * Who may change what: rank, and hosts that are this machine.
 *
 * A user who is an administrator is changed only by one who has all his rights:
 * with his password one signs in as him, with his addresses, forwards and
 * groups one reads his mail.  Whatever his mail is forwarded to is protected
 * like himself, and so are groups inside of it, but not the members of groups:
 * their mail is the group's.
 */
#include "directory/change.h"

#include "base/inet.h"

/* An administrator (a) whose rights ?1 (role) in ?2 (domain, 0: all) lacks. */
#define OUTRANKS "NOT (a.role >= ?1 AND coalesce(a.domain, 0) = ?2) "

static bool is_outranked_by(struct changes *c, struct str login, bool *out)
{
	int64_t found = 0;

	*out = false;
	if (c->role == ADMIN_SUPER)
		return true;
	if (!ask(c, &found,
		 "SELECT 1 FROM admin a WHERE " OUTRANKS "AND a.name = ?3",
		 "iis", (int64_t)c->role, c->role_domain, login))
		return false;
	*out = found != 0;
	return true;
}

/* Whoever leads to L by TABLE, at one of its addresses or a +detail of it. */
#define LEADING_BY(table, only) \
	"SELECT h.id, h.kind FROM leads l JOIN address x ON x.holder = l.id " \
	"JOIN domain_name n ON n.domain = x.domain AND " \
	"x.name IN (n.name, '*') JOIN " table " f ON f.local = x.local AND " \
	"f.domain = n.name JOIN holder h ON h.id = f.holder " only "UNION " \
	"SELECT h.id, h.kind FROM leads l JOIN address x ON x.holder = l.id " \
	"JOIN domain_name n ON n.domain = x.domain AND " \
	"x.name IN (n.name, '*') JOIN " table " f ON " \
	"f.local >= x.local || '+' AND f.local < x.local || ',' AND " \
	"f.domain = n.name JOIN holder h ON h.id = f.holder " only

/* Back from HOLDER to users who outrank, by forwards and by groups in groups:
 * few lead to one. */
static bool gets_superior_mail(struct changes *c, int64_t holder, bool *out)
{
	int64_t found = 0;

	*out = false;
	if (c->role == ADMIN_SUPER)
		return true;
	if (!ask(c, &found,
		 "WITH RECURSIVE leads (id, kind) AS ("
		 "SELECT id, kind FROM holder WHERE id = ?3 UNION " LEADING_BY(
			 "forward",
			 "") "UNION " LEADING_BY("member",
						 "WHERE l.kind = 1 ") ") "
								      "SELECT 1 FROM leads l JOIN holder s ON s.id = l.id "
								      "JOIN admin a ON a.name = s.login "
								      "WHERE s.kind = 0 AND l.id <> ?3 AND " OUTRANKS,
		 "iii", (int64_t)c->role, c->role_domain, holder))
		return false;
	*out = found != 0;
	return true;
}

bool is_outranked(struct changes *c, const struct holder_row *h, bool *out)
{
	return is_outranked_by(c, h->login, out) &&
	       (*out || gets_superior_mail(c, h->id, out));
}

bool check_rank_as(struct changes *c, const struct holder_row *h,
		   const char *field, struct str shown)
{
	bool is_above;

	if (!is_outranked_by(c, h->login, &is_above))
		return false;
	if (is_above)
		return refuse(c, field, user_outranks, V("user", shown));
	if (!gets_superior_mail(c, h->id, &is_above))
		return false;
	return !is_above ||
	       refuse(c, field, mail_of_superior, V("address", shown));
}

bool check_rank(struct changes *c, const struct holder_row *h)
{
	return check_rank_as(c, h, NULL, h->login);
}

bool check_rank_of_target(struct changes *c, const char *field,
			  struct str spelling)
{
	struct holder_row h;
	struct address a;
	int64_t id;

	if (c->role == ADMIN_SUPER || str_empty(spelling) ||
	    !address_parse(spelling, c->arena, &a))
		return true;
	if (!address_holder(c, &a, &id))
		return false;
	return !id || (holder_read(c, id, &h) &&
		       check_rank_as(c, &h, field, spelling));
}

bool check_rank_of_relayed(struct changes *c, int64_t domain)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT h.login FROM admin a JOIN holder h ON "
		"h.login = a.name WHERE " OUTRANKS "AND h.domain = ?3 AND "
		"h.kind = 0 AND h.system IS NULL AND (h.mail_system = 1 OR "
		"EXISTS (SELECT 1 FROM address x WHERE x.holder = h.id AND "
		"x.home IN (1, 2)))",
		"iii", (int64_t)c->role, c->role_domain, domain);
	enum answer a = c->role == ADMIN_SUPER ? ANSWER_NO : query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	return a == ANSWER_NO || refuse(c, "relay", user_outranks,
					V("user", query_text(&q, 0, c->arena)));
}

/* ---- hosts that are this machine ---- */

static bool is_this_machine(struct changes *c, const struct host *h)
{
	static const char *const names[] = {
		"localhost",    "localhost.localdomain",   "localhost4",
		"localhost6",   "localhost6.localdomain6", "ip6-localhost",
		"ip6-loopback",
	};

	if (h->is_ip)
		return inet_is_loopback(&h->ip) ||
		       inet_is_unspecified(&h->ip) ||
		       inet_is_link_local(&h->ip);
	for (size_t i = 0; i < array_size(names); i++)
		if (str_same(h->name, str_of(names[i])))
			return true;
	return str_ends(h->name, S(".localhost")) ||
	       (c->hostname && str_same_nocase(h->name, str_of(c->hostname)));
}

bool check_hosts_are_others(struct changes *c, const char *field,
			    const struct host *hosts, size_t n)
{
	for (size_t i = 0; c->role != ADMIN_SUPER && i < n; i++)
		if (is_this_machine(c, &hosts[i]))
			return refuse(c, field, host_is_this_machine,
				      V("host", hosts[i].name));
	return true;
}
