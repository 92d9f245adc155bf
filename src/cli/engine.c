/* Asking the engine that runs (cli.h). */
#include "cli/cli.h"
#include "control/control.h"
#include "rt/loop.h"

enum { PATIENCE_MS = 10000, LOOK_MS = 500 };

struct call {
	const char *path, *question;
	struct buf *answer;
	int64_t patience_ms;
	bool answered;
	struct failure why;
};

static void waits ask(void *arg)
{
	struct call *k = arg;

	k->answered = control_ask(k->path, str_of(k->question),
				  after_ms(k->patience_ms), k->answer);
	if (!k->answered)
		failure_save(&k->why);
}

bool cli_ask_engine(struct cli *c, const char *question, struct buf *answer)
{
	struct call k = { .path = cli_path(c, CONTROL_SOCKET),
			  .question = question,
			  .answer = answer,
			  .patience_ms = PATIENCE_MS };

	loops_run(1, ask, &k);
	return k.answered || fail_again(&k.why);
}

void cli_engine_looks(struct cli *c)
{
	struct buf answer scoped(buf) = BUF_EMPTY;
	struct call k = { .path = cli_path(c, CONTROL_SOCKET),
			  .question = "look",
			  .answer = &answer,
			  .patience_ms = LOOK_MS };

	loops_run(1, ask, &k);
}
