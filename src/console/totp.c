/*
 * The own second factor: a secret is begun, and is on once a code of it was
 * given together with the password; it goes with both again.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/proof.h"
#include "rt/clock.h"

/* For an authenticator app: otpauth://totp/ISSUER:ACCOUNT?...  Names of
 * administrators and hosts hold nothing that would have to be encoded. */
static const char *uri(struct request *r, const char *secret)
{
	const char *hostname = r->console->settings->hostname;

	return arena_printf(r->arena,
			    "otpauth://totp/Splitmail%%20%s:%.*s?secret=%s"
			    "&issuer=Splitmail%%20%s",
			    hostname, STR(r->who.admin.name), secret, hostname);
}

static struct response begin(struct request *r)
{
	char secret[TOTP_SECRET_CHARS + 1];
	struct change change = totp_begin(r->c, r->who.admin.name, secret);

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return answer_json(201, json_pack("{s:s,s:s}", "secret", secret, "uri",
					  uri(r, secret)));
}

struct response on_begin_totp(struct request *r)
{
	return change_open(r) ? change_close(r, begin(r)) : trouble(r);
}

/* By password and code, that it is he who changes what is on. */
static bool prove(struct request *r, struct response *out)
{
	if (r->who.admin.totp)
		return own_password(r, "password", out) && own_code(r, out);
	*out = problem(NULL, no_second_factor);
	return false;
}

static json_t *codes_json(const struct recovery_codes *codes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < RECOVERY_CODES; i++)
		json_array_append_new(list, json_string(codes->c[i]));
	return json_pack("{s:o}", "recovery_codes", list);
}

static struct response confirm(struct request *r, struct str code)
{
	struct recovery_codes codes;
	struct change change = totp_confirm(r->c, r->who.admin.name, code,
					    wall_ms() / 1000, &codes);

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return answer_json(200, codes_json(&codes));
}

struct response on_confirm_totp(struct request *r)
{
	struct str code = body_text(r, "code");
	struct response a;

	if (!code.p)
		return no_text(r, "code");
	if (!own_password(r, "password", &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	return own_proof_close(r, confirm(r, code));
}

static struct response renew(struct request *r)
{
	struct recovery_codes codes;
	struct change change = totp_renew(r->c, r->who.admin.name, &codes);

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return answer_json(200, codes_json(&codes));
}

struct response on_renew_recovery_codes(struct request *r)
{
	struct response a;

	if (!prove(r, &a))
		return a;
	return change_open(r) ? change_close(r, renew(r)) : trouble(r);
}

static struct response end(struct request *r)
{
	struct setting off = { S("totp"), S("off") };
	struct change change = admin_set(r->c, r->who.admin.name, &off, 1);

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return answer_empty();
}

struct response on_end_totp(struct request *r)
{
	struct response a;

	if (!prove(r, &a))
		return a;
	return change_open(r) ? own_proof_close(r, end(r)) : trouble(r);
}
