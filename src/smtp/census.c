/* How many sessions are open, and of which kind (smtp.h). */
#include "rt/stream.h"
#include "smtp/session.h"

const char *smtp_kind_word(enum smtp_kind kind)
{
	static const char *const words[SMTP_KINDS] = {
		[SMTP_MX] = "smtp",
		[SMTP_SUBMISSION] = "submission",
		[SMTP_SUBMISSIONS] = "submissions",
		[SMTP_LOCAL] = "local",
		[SMTP_SENDMAIL] = "sendmail",
	};

	return words[kind];
}

void smtp_sessions_add(const struct smtp_server *server,
		       struct smtp_sessions *to)
{
	for (const struct session *s = server->first; s; s = s->next) {
		unsigned *kinds = stream_is_tls(s->peer) ? to->tls : to->clear;

		kinds[s->kind]++;
	}
}

unsigned smtp_sessions_total(const struct smtp_sessions *s)
{
	unsigned n = 0;

	for (int kind = 0; kind < SMTP_KINDS; kind++)
		n += s->clear[kind] + s->tls[kind];
	return n;
}
