/* What a filter may ask by name (macros.h). */
#include "filter/macros.h"

struct str client_host(const struct filter_client *c, struct arena *arena)
{
	if (!c->peer)
		return S("localhost");
	if (c->name.n)
		return c->name;
	return arena_str(arena, str_of(inet_literal(c->peer).c));
}

struct inet client_address(const struct filter_client *c)
{
	struct inet here;

	if (c->peer)
		return *c->peer;
	check(inet_parse_ip(S("127.0.0.1"), 0, &here));
	return here;
}

/* {daemon_name} becomes the name in Authentication-Results of Rspamd. */
static void say_connect(struct buf *to, const struct filter_client *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct inet at = client_address(c);
	struct str ip = arena_str(arena, str_of(inet_ip_text(&at).c));
	struct str host = client_host(c, arena), us = str_of(c->hostname);
	const struct milter_macro macros[] = {
		{ S("j"), us },
		{ S("{daemon_name}"), us },
		{ S("v"), S("Splitmail") },
		{ S("_"),
		  c->peer ? arena_strf(arena, "%.*s [%.*s]", STR(host), STR(ip))
			  : S("localhost [127.0.0.1]") },
		{ S("{client_name}"),
		  c->peer && !c->name.n ? S("unknown") : host },
		{ S("{client_addr}"), ip },
		{ S("{client_port}"), arena_strf(arena, "%u", at.port) },
	};

	milter_say_macros(to, MILTER_CONNECT, macros, array_size(macros));
}

static void say_helo(struct buf *to, const struct filter_client *c)
{
	const struct milter_macro macros[] = {
		{ S("{tls_version}"), str_of(c->tls_version) },
		{ S("{cipher}"), str_of(c->tls_cipher) },
	};

	milter_say_macros(to, MILTER_HELO, macros, array_size(macros));
}

static void say_mail(struct buf *to, const struct filter_mail *mail)
{
	const struct milter_macro macros[] = {
		{ S("i"), mail->id },
		{ S("{mail_addr}"), mail->sender },
		{ S("{auth_authen}"), mail->client->login },
		{ S("{auth_type}"), mail->client->mechanism },
	};

	milter_say_macros(to, MILTER_MAIL, macros, array_size(macros));
}

static void say_rcpt(struct buf *to, const struct filter_mail *mail)
{
	const struct milter_macro macros[] = {
		{ S("i"), mail->id },
		{ S("{rcpt_addr}"), mail->recipient },
	};

	milter_say_macros(to, MILTER_RCPT, macros, array_size(macros));
}

/* Signers sign what has an author of ours: as if it had a login, which they know
 * how to ask for. */
static void say_data(struct buf *to, const struct filter_mail *mail)
{
	const struct milter_macro macros[] = {
		{ S("i"), mail->id },
		{ S("{auth_authen}"), mail->client->outgoing_as },
		{ S("{auth_type}"), S("EXTERNAL") },
	};
	size_t n = mail->client->outgoing_as.n ? array_size(macros) : 1;

	milter_say_macros(to, MILTER_DATA, macros, n);
}

void macros_say(struct buf *to, enum milter_command step,
		const struct filter_mail *mail)
{
	const struct milter_macro id = { S("i"), mail->id };

	switch (step) {
	case MILTER_CONNECT:
		say_connect(to, mail->client);
		break;
	case MILTER_HELO:
		say_helo(to, mail->client);
		break;
	case MILTER_MAIL:
		say_mail(to, mail);
		break;
	case MILTER_RCPT:
		say_rcpt(to, mail);
		break;
	case MILTER_DATA:
		say_data(to, mail);
		break;
	case MILTER_HEADER_END:
	case MILTER_END:
		milter_say_macros(to, step, &id, 1);
		break;
	case MILTER_ABORT:
	case MILTER_BODY:
	case MILTER_HEADER:
	case MILTER_MACROS:
	case MILTER_NEGOTIATE:
	case MILTER_QUIT:
	case MILTER_QUIT_NEXT:
		break;
	}
}
