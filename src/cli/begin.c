/* The commands that come first (begin.h). */
#include "cli/begin.h"

#include <string.h>
#include <unistd.h>

static bool is_usual(const char *data)
{
	return strcmp(data, USUAL_DATA) == 0;
}

/* The path /etc/systemd/system is for those who install from source. */
static bool has_service(void)
{
	static const char *const units[] = {
		"/etc/systemd/system/splitmail.service",
		"/usr/lib/systemd/system/splitmail.service",
		"/lib/systemd/system/splitmail.service",
	};

	if (access("/run/systemd/system", F_OK) != 0)
		return false;
	for (size_t i = 0; i < array_size(units); i++)
		if (access(units[i], F_OK) == 0)
			return true;
	return false;
}

static const char *command(const char *data, const char *words, struct arena *a)
{
	return is_usual(data)
		       ? arena_printf(a, "splitmail %s", words)
		       : arena_printf(a, "splitmail --data %s %s", data, words);
}

const char *begin_init(const char *data, struct arena *a)
{
	return command(data, "init --hostname NAME", a);
}

const char *begin_serve(const char *data, struct arena *a)
{
	return is_usual(data) && has_service() ? "systemctl start splitmail"
					       : command(data, "serve", a);
}
