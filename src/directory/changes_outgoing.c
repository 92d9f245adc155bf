/* Addresses that mail leaves from, as a setting. */
#include "directory/change.h"
#include "rt/stream.h"
#include "wire/outgoing.h"

static bool is_ours(const struct outgoing *from)
{
	return (!from->has_v4 || stream_may_come_from(&from->v4)) &&
	       (!from->has_v6 || stream_may_come_from(&from->v6));
}

/* What is set already may stay, wherever the directory was brought. */
bool value_outgoing(struct changes *c, struct str old, struct str v,
		    struct str *out)
{
	struct outgoing from;

	if (!outgoing_parse(v, &from))
		return refuse(c, "outgoing", bad_outgoing, V("given", v),
			      V("cause", cause()));
	*out = outgoing_text(&from, c->arena);
	if (str_same(*out, old))
		return true;
	if (c->role != ADMIN_SUPER)
		return refuse(c, "outgoing", outgoing_is_superiors);
	return is_ours(&from) || refuse(c, "outgoing", bad_outgoing,
					V("given", v), V("cause", cause()));
}
