/* Whatever a next hop says, somebody is to blame for it. */
#include "wire/blame.h"

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena scoped(arena) = arena_open();
	struct reply r;
	size_t used;

	if (size < 1 ||
	    reply_parse((struct str){ (const char *)data + 1, size - 1 }, arena,
			&r, &used) != REPLY_WHOLE)
		return 0;
	for (int verb = VERB_CONNECT; verb <= VERB_RSET; verb++) {
		struct judgement j = blame_judge(verb, data[0] & 1, &r);

		check((j.whose == BLAME_NOBODY) == (r.code < 400));
		check((j.remedy == REMEDY_NONE) == (r.code < 400));
		check(r.code >= 500 || j.remedy != REMEDY_REFUSED);
	}
	return 0;
}
