/* Who runs a mail host (operator.h). */
#include "wire/operator.h"

#include <libpsl.h>

#include "base/inet.h"

struct str operator_of(struct str host, struct arena *arena)
{
	char *name = arena_cstr(arena, host);
	struct inet address;
	const char *found;

	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
	if (inet_parse_ip(str_of(name), 0, &address))
		return str_of(name);
	found = psl_registrable_domain(psl_builtin(), name);
	return str_of(found ? found : name);
}
