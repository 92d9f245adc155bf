/* Whom a mail was for (addressed.h). */
#include "deliver/addressed.h"

#include "base/limits.h"
#include "wire/header.h"
#include "wire/mailboxes.h"

static bool has_local(struct directory *d, const struct domain *domain,
		      struct str local, struct str name, struct str login,
		      struct arena *arena)
{
	struct holder h;

	return directory_address(d, domain, local, name, arena, &h) ==
		       ANSWER_YES &&
	       h.kind != HOLDER_GROUP && str_same(h.login, login);
}

/* In doubt it is not: then it is as if nobody had looked. */
static bool is_own(struct directory *d, struct str text, struct str login,
		   struct arena *arena)
{
	struct domain domain;
	struct address a;

	if (!address_parse(text, arena, &a) ||
	    directory_domain(d, a.domain, arena, &domain) != ANSWER_YES)
		return false;
	return has_local(d, &domain, a.local, a.domain, login, arena) ||
	       (a.has_detail &&
		has_local(d, &domain, a.base, a.domain, login, arena));
}

struct look {
	struct directory *d;
	struct arena *arena;
	struct str login, address;
	bool names_address;
	struct str own; /* the first of his own that is named */
	unsigned left;
};

static void look_at(struct look *l, struct str named)
{
	if (str_same_nocase(named, l->address))
		l->names_address = true;
	else if (!l->own.n && str_is_ascii(named) &&
		 is_own(l->d, named, l->login, l->arena))
		l->own = named;
}

static void look_through(struct look *l, struct str header)
{
	static const char *const fields[] = { "To", "Cc", "Resent-To",
					      "Resent-Cc" };
	struct str value, named;

	for (size_t i = 0; i < array_size(fields); i++) {
		size_t at = 0;

		while (header_next(header, str_of(fields[i]), &at, l->arena,
				   &value))
			while (l->left > 0 && !l->names_address &&
			       mailbox_next(&value, l->arena, &named)) {
				l->left--;
				look_at(l, named);
			}
	}
}

struct str addressed_original(struct directory *d, const struct leg *leg,
			      struct str address, struct str header,
			      struct arena *arena)
{
	struct arena *own scoped(arena) = arena_open();
	struct look l = { .d = d,
			  .arena = own,
			  .login = leg->login,
			  .address = address,
			  .left = LIMIT_NAMED_LOOKED_AT };

	if (!d)
		return address;
	look_through(&l, header);
	if (l.names_address && is_own(d, address, leg->login, own))
		return address;
	if (l.own.n)
		return arena_str(arena, l.own);
	return l.names_address ? STR_NONE : address;
}
