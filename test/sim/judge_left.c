/* What is left at the end, and what the log says (judge_inside.h). */
#include "judge_inside.h"

/* What nobody sent is returned to nobody: a notice for <> is written nowhere. */
void books_logged(const char *host, struct str line)
{
	if (str_search(line, S(": to=<>, ")) >= 0)
		books_wrong("%s has mail for <>", host);
}

void judge_left(const struct splitmail *s)
{
	/* what a disk did not let go is swept at the next start */
	if (s->queued || (s->spooled && !world.has_disk_trouble))
		books_wrong("%s: %lld messages wait, %llu files lie in spool/",
			    s->name, (long long)s->queued,
			    (unsigned long long)s->spooled);
	if (s->stray)
		books_wrong("%s: %lld rows of queue.db belong to no message",
			    s->name, (long long)s->stray);
	if (!s->has_closed)
		books_wrong("%s does not end", s->name);
	else if (!s->was_well && !world.has_disk_trouble)
		books_wrong("%s ended badly", s->name);
	else if (s->left > 0)
		books_wrong("%s: %zu descriptors are left", s->name, s->left);
}
