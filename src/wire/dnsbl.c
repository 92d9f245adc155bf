/* Lists of addresses in DNS (dnsbl.h). */
#include "wire/dnsbl.h"

#include "base/buf.h"
#include "wire/address.h"

enum { WEIGHT_MOST = 100 };

static bool parse_weight(struct str text, int *out)
{
	bool is_good = str_starts(text, S("-"));
	uint64_t n;

	if (!str_number(str_from(text, is_good), WEIGHT_MOST, &n) || n == 0)
		return fail("a weight is a number from -%d to %d, and not 0",
			    WEIGHT_MOST, WEIGHT_MOST);
	*out = is_good ? -(int)n : (int)n;
	return true;
}

bool dnsbl_parse(struct str text, struct arena *arena, struct dnsbl *out)
{
	struct str weight = text, zone;

	str_split(&weight, '*', &zone);
	*out = (struct dnsbl){ .weight = 1 };
	return domain_parse(zone, arena, &out->zone) &&
	       (str_find(text, '*') < 0 || parse_weight(weight, &out->weight));
}

struct str dnsbl_name(const struct inet *address, struct str zone,
		      struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	const uint8_t *ip = address->ip;

	for (int i = 16; inet_is_v4(address) && i-- > 12;)
		buf_printf(&b, "%u.", ip[i]);
	for (int i = 16; !inet_is_v4(address) && i-- > 0;)
		buf_printf(&b, "%x.%x.", ip[i] & 15u, (unsigned)ip[i] >> 4);
	buf_add(&b, zone);
	return arena_str(arena, buf_str(&b));
}

bool dnsbl_is_listed(const struct inet *answer)
{
	const uint8_t *ip = answer->ip + 12;

	return inet_is_v4(answer) && ip[0] == 127 &&
	       !(ip[1] == 255 && ip[2] == 255) &&
	       !(ip[1] == 0 && ip[2] == 0 && ip[3] <= 1);
}
