/* Whatever a next hop says, each report has its boundaries once, lines of legal
 * length, and no field that we did not write. */
#include "wire/dsn.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

#define BOUNDARY "\r\n--=_00000000000000ff"

static bool is_field(struct str line)
{
	static const char *const ours[] = {
		"Original-Envelope-Id: ",
		"Reporting-MTA: ",
		"Arrival-Date: ",
		"X-Splitmail-Queue-Id: ",
		"Original-Recipient: ",
		"Final-Recipient: ",
		"Action: ",
		"Status: ",
		"Remote-MTA: ",
		"Diagnostic-Code: ",
		"Last-Attempt-Date: ",
		"Will-Retry-Until: ",
	};

	for (size_t i = 0; i < array_size(ours); i++)
		if (str_starts(line, str_of(ours[i])))
			return true;
	return false;
}

/* The second part: fields of ours, their continuations, empty lines. */
static void check_status(struct str dsn)
{
	ptrdiff_t at = str_search(dsn, S("delivery-status\r\nContent-Tr"));
	struct str rest, line;
	size_t groups = 0;

	check(at >= 0);
	rest = str_from(dsn, (size_t)at);
	at = str_search(rest, S("\r\n\r\n"));
	rest = str_from(rest, (size_t)at + 4);
	at = str_search(rest, S(BOUNDARY));
	check(at >= 0);
	rest.n = (size_t)at;
	while (str_split(&rest, '\n', &line)) {
		check(line.n <= 999);
		groups += str_same(line, S("\r"));
		check(str_same(line, S("\r")) || is_field(line) ||
		      (line.p[0] == ' ' && str_trim(line).n > 1));
	}
	check(groups <= 2);
}

static void check_report(struct str dsn)
{
	ptrdiff_t end = str_search(dsn, S(BOUNDARY "--\r\n"));

	check(end >= 0 && (size_t)end + sizeof(BOUNDARY "--\r\n") - 1 == dsn.n);
	check_status(dsn);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), rest = in, part[3];
	struct dsn_recipient r = { .action = DSN_FAILED };
	struct dsn_plan plan = {
		.reporting_mta = S("mx.test"),
		.queue_id = S("1"),
		.to = S("a@b.test"),
		.now_wall_ms = 1795398060000,
		.recipients = &r,
		.n = 1,
		.boundary = 255,
	};

	for (size_t i = 0; i < array_size(part); i++)
		str_split(&rest, '\xff', &part[i]);
	r.action = n % 5;
	r.address = part[0];
	r.orcpt = part[1];
	r.note = part[2];
	r.reply = (struct reply){ 550, "5.1.1", rest };
	plan.envid = part[1];
	plan.retry_until_wall_ms = (int64_t)(n % 2);
	dsn_write(&b, &plan);
	check_report(buf_str(&b));
	plan.original = in;
	plan.original_is_whole = n % 3;
	dsn_write(&b, &plan);
	free(own);
	arena_close(arena);
	return 0;
}
