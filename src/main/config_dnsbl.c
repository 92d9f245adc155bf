/* The lists in DNS in which a listener looks strangers up: "zen.example*2". */
#include "main/config.h"

#include "base/limits.h"

bool config_dnsbl(const char *who, const char *const *list, size_t n,
		  struct arena *arena, struct smtp_door *door)
{
	struct dnsbl *lists = arena_array(arena, struct dnsbl, n + 1);

	if (n > LIMIT_DNSBLS)
		return fail("splitmail.conf: %s: dnsbl: more than %d lists",
			    who, LIMIT_DNSBLS);
	if (n > 0 && door->kind != SMTP_MX)
		return fail("splitmail.conf: %s: dnsbl: users have logged in, "
			    "and are not looked up; it is for kind mx",
			    who);
	for (size_t i = 0; i < n; i++)
		if (!dnsbl_parse(str_of(list[i]), arena, &lists[i]))
			return add_cause("splitmail.conf: %s: dnsbl: \"%s\"",
					 who, list[i]);
	door->dnsbl = lists;
	door->n_dnsbl = n;
	return true;
}
