/* Now and then (housekeeping.h). */
#include "main/housekeeping.h"

#include <time.h>

#include "directory/deleted.h"
#include "main/dovecot.h"
#include "main/mailbox_format.h"
#include "rt/log.h"
#include "rt/process.h"

#define DOVEADM "/usr/bin/doveadm"

enum {
	LOOK_MS = 1000,
	LOOK_AGAIN_MS = 60000, /* when it could not be done */
	TRUSTED_MS = 3600000,  /* until the clock is believed */
	NIGHT_HOUR = 3,
};

/* False: it failed, and that was said; a stop ends it. */
static bool waits run(const struct housekeeping *k, const char *const *argv)
{
	struct process_plan plan = { .argv = argv,
				     .logged_as = "splitmail/serve" };
	struct process *p = process_start(&plan);
	int status = 0;

	if (!p) {
		log_error("serve", "start %s: %s", argv[3], cause());
		return false;
	}
	while (process_wait(p, after_ms(LOOK_MS), &status) == WAIT_DEADLINE)
		if (*k->stopping)
			process_signal(p, SIGTERM);
	process_free(p);
	if (status != 0 && !*k->stopping)
		log_error("serve", "%s ended with status %d", argv[3], status);
	return status == 0;
}

static bool waits sweep(const struct housekeeping *k, bool only_erased)
{
	const char *const argv[] = {
		k->self, "as-user", k->user,
		k->self, "--data",  k->config->data,
		"user",  "sweep",   only_erased ? "--only-erased" : NULL,
		NULL,
	};

	return run(k, argv);
}

static bool waits purge(const struct housekeeping *k)
{
	const char *const argv[] = {
		k->self, "as-user", k->user,
		DOVEADM, "-c",      dovecot_config_path(k->config),
		"purge", "-A",      NULL,
	};

	return run(k, argv);
}

static bool is_mdbox(const struct housekeeping *k)
{
	enum mailbox_format format;

	return k->config->dovecot_enabled &&
	       mailbox_format_find(config_path(k->config, "mail"), &format) ==
		       FORMAT_NOTED &&
	       format == MAILBOX_MDBOX;
}

/* Once, in the hour of the night that has begun; *DAY is the last one's. */
static bool is_night(int *day)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) || tm.tm_hour != NIGHT_HOUR ||
	    tm.tm_yday == *day)
		return false;
	*day = tm.tm_yday;
	return true;
}

static bool waits look(const struct housekeeping *k, struct directory *d,
		       int64_t begun_ms)
{
	bool only_erased = now_ms() - begun_ms < TRUSTED_MS;

	switch (deleted_is_due(d, only_erased)) {
	case ANSWER_YES:
		return sweep(k, only_erased);
	case ANSWER_NO:
		return true;
	case ANSWER_UNSURE:
		break;
	}
	log_error("serve", "look for mail to be removed: %s", cause());
	return false;
}

static void waits rest(const struct housekeeping *k, int64_t deadline_ms)
{
	while (!*k->stopping && now_ms() < deadline_ms)
		fiber_sleep(after_ms(LOOK_MS));
}

void housekeeping_run(void *housekeeping)
{
	const struct housekeeping *k = housekeeping;
	struct directory *d =
		directory_open(config_path(k->config, "directory.db"));
	int64_t begun = now_ms();
	bool mdbox = is_mdbox(k);
	int day = -1;

	if (!d)
		log_error("serve", "housekeeping: %s", cause());
	while (d && !*k->stopping) {
		bool good = look(k, d, begun);

		if (mdbox && is_night(&day))
			good &= purge(k);
		rest(k, after_ms(good ? LOOK_MS : LOOK_AGAIN_MS));
	}
	directory_close(d);
}
