/* Lines are found in the same place whatever else has arrived; what MAIL and
 * RCPT accept is clean; xtext and base64 are undone by their opposites. */
#include "wire/command.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

enum { LINE_MAX_BYTES = 64 };

static void check_line(struct str in)
{
	struct str line, early;
	size_t used, sooner;
	enum line_state state = command_line(in, LINE_MAX_BYTES, &line, &used);

	check(used <= in.n);
	check(line.n <= LINE_MAX_BYTES + 1);
	check(state == LINE_PART ? used == 0 : used > 0);
	if (state == LINE_PART || state == LINE_TOO_LONG)
		return;
	check(in.p[used - 1] == '\n');
	for (size_t i = 0; i < used; i++)
		check(command_line(str_part(in, 0, i), LINE_MAX_BYTES, &early,
				   &sooner) == LINE_PART);
	if (state == LINE_WHOLE)
		check(str_find(line, '\r') < 0 && str_find(line, '\n') < 0);
}

static void check_parameters(struct str in, struct arena *arena)
{
	struct mail_command mail;
	struct rcpt_command rcpt;

	if (mail_parse(in, arena, &mail) == PARSE_OK) {
		fuzz_check_text(mail.envid);
		fuzz_check_text(mail.auth);
		check(mail.envid.n <= LIMIT_ENVID_BYTES);
	}
	if (rcpt_parse(in, arena, &rcpt) == PARSE_OK) {
		fuzz_check_text(rcpt.orcpt);
		fuzz_check_text(rcpt.trail);
		check(rcpt.recipient.local.n > 0);
		check(!(rcpt.notify & NOTIFY_NEVER) ||
		      rcpt.notify == NOTIFY_NEVER);
	}
}

static void check_encodings(struct str in, struct arena *arena)
{
	struct str x = xtext_encode(in, arena), out;

	fuzz_check_text(x);
	if (xtext_decode(x, arena, &out))
		check(str_same(out, in));
	if (xtext_decode(in, arena, &out)) {
		fuzz_check_text(out);
		check(xtext_decode(xtext_encode(out, arena), arena, &x));
		check(str_same(out, x));
	}
	check(base64_decode(base64_encode(in, arena), arena, &out));
	check(str_same(out, in));
	if (base64_decode(in, arena, &out))
		check(str_same(base64_encode(out, arena), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct str verb, arguments;
	uint64_t size;
	bool last;
	char *own;
	struct str in = fuzz_input(bytes, n, &own);

	check_line(in);
	if (command_split(in, &verb, &arguments))
		check_parameters(arguments, arena);
	check_parameters(in, arena);
	if (bdat_parse(in, &size, &last))
		check(in.n > 0);
	check_encodings(in, arena);
	free(own);
	arena_close(arena);
	return 0;
}
