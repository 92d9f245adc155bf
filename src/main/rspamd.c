/*
 * The private Rspamd: its files, and when it runs (rspamd.h).
 */
#include "main/rspamd.h"

#include <errno.h>
#include <unistd.h>

#include "directory/dkim.h"
#include "directory/lists.h"
#include "filter/rspamd.h"
#include "main/owned.h"
#include "main/rspamd_dkim.h"
#include "rt/log.h"
#include "rt/stream.h"

#define RULES "/etc/rspamd/rspamd.conf"

enum {
	LOOK_MS = 1000,
	GREETING_MS = 1000,
	STOP_MS = 10000,
};

/* ---- its files ---- */

struct word {
	const char *path, *text;
};

/* The controller is for `rspamc -h DATA/rspamd/run/controller.sock`. */
static const struct word overrides[] = {
	{ "override.d/worker-normal.inc", "enabled = false;\n" },
	{ "override.d/worker-controller.inc",
	  "bind_socket = \"$RUNDIR/controller.sock mode=0600\";\n" },
	{ "override.d/worker-proxy.inc",
	  "bind_socket = \"$RUNDIR/milter.sock mode=0600\";\n"
	  "milter = yes;\n"
	  "upstream \"local\" {\n\tdefault = yes;\n\tself_scan = yes;\n}\n" },
	{ "override.d/logging.inc",
	  "type = \"console\";\nsystemd = true;\nlevel = \"notice\";\n" },
	{ RSPAMD_DKIM_CONF, rspamd_dkim_conf },
};

static const struct word firsts[] = {
	{ "local.d/milter_headers.conf",
	  "# Yours from here on: Rspamd's own manual says what may stand in "
	  "local.d/.\n"
	  "use = [\"authentication-results\"];\n" },
};

static const char *path_of(const struct rspamd *r, const char *name)
{
	return arena_printf(r->config->arena, "%s/" RSPAMD_FOLDER "/%s",
			    r->config->data, name);
}

static bool write_word(const struct rspamd *r, const struct word *w)
{
	return owned_text(path_of(r, w->path), str_of(w->text), r->person);
}

/* "192.0.2.1@5353", as splitmail.conf has it. */
static void add_server(struct buf *b, const char *server)
{
	struct str rest = str_of(server), host;

	str_split(&rest, '@', &host);
	buf_printf(b, "\"%s%.*s%s%s%.*s\", ",
		   str_find(host, ':') < 0 ? "" : "[", STR(host),
		   str_find(host, ':') < 0 ? "" : "]",
		   str_empty(rest) ? "" : ":", STR(rest));
}

/* It asks whom the engine asks. */
static bool write_options(const struct rspamd *r)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	const char **servers = r->config->dns_servers;

	buf_add(&text, S("tempdir = \"$RUNDIR\";\n"));
	if (servers) {
		buf_add(&text, S("dns {\n\tnameserver = ["));
		for (; *servers; servers++)
			add_server(&text, *servers);
		buf_add(&text, S("];\n}\n"));
	}
	return owned_text(path_of(r, "override.d/options.inc"), buf_str(&text),
			  r->person);
}

/* They are read all together, by their hundreds, when one of them is another. */
static bool write_keys(struct rspamd *r, struct directory *d)
{
	uint64_t version = directory_version(d), mark;

	if (version && version == r->keys_version)
		return true;
	if (!dkim_mark(d, &mark))
		return false;
	if ((mark != r->keys_mark || !r->has_keys) &&
	    !rspamd_dkim_write(path_of(r, RSPAMD_DKIM_FOLDER), d, r->person))
		return false;
	r->keys_version = version;
	r->keys_mark = mark;
	r->has_keys = true;
	return true;
}

/* Said once, and tried again. */
static void renew_keys(struct rspamd *r, struct directory *d)
{
	bool can = write_keys(r, d);

	if (!can && !r->has_no_keys)
		log_error("serve", "keys of Rspamd: %s", cause());
	r->has_no_keys = !can;
}

static bool write_files(const struct rspamd *r)
{
	static const char *const folders[] = { "", "local.d", "override.d",
					       "db", "run" };

	for (size_t i = 0; i < array_size(folders); i++)
		if (!owned_folder(path_of(r, folders[i]), r->person))
			return false;
	for (size_t i = 0; i < array_size(overrides); i++)
		if (!write_word(r, &overrides[i]))
			return false;
	for (size_t i = 0; i < array_size(firsts); i++)
		if (access(path_of(r, firsts[i].path), F_OK) != 0 &&
		    !write_word(r, &firsts[i]))
			return false;
	return write_options(r);
}

/* ---- when it runs ---- */

static bool waits answers(void *rspamd)
{
	const struct rspamd *r = rspamd;
	struct stream *s = stream_dial_path(path_of(r, "run/milter.sock"),
					    after_ms(GREETING_MS));

	stream_close(s);
	return s;
}

struct wish {
	struct str socket;
	bool is_there;
};

static void look_at(void *wish, const struct filter *f)
{
	struct wish *w = wish;

	w->is_there |= f->enabled && str_same(f->socket, w->socket);
}

/* What cannot be read now stays as it is. */
static void ask(struct rspamd *r, struct directory *d)
{
	struct arena *arena scoped(arena) = arena_open();
	struct wish wish = { rspamd_socket(r->config->data, arena), false };

	if (list_filters(d, STR_NONE, look_at, &wish))
		r->is_wanted = wish.is_there;
}

static void plan(struct rspamd *r)
{
	struct arena *a = r->config->arena;
	const char *const argv[] = {
		r->self,
		"as-user",
		r->person->name,
		RSPAMD_PROGRAM,
		"-f",
		"-c",
		RULES,
		arena_printf(a, "--var=LOCAL_CONFDIR=%s", path_of(r, ".")),
		arena_printf(a, "--var=DBDIR=%s", path_of(r, "db")),
		arena_printf(a, "--var=RUNDIR=%s", path_of(r, "run")),
		arena_printf(a, "--var=LOGDIR=%s", path_of(r, "run")),
		NULL,
	};

	r->child = (struct child){ .name = "Rspamd",
				   .news = &r->news,
				   .stopping = &r->ends,
				   .is_answering = answers,
				   .arg = r,
				   .may_fail = true,
				   .logged_as = "rspamd" };
	memcpy(r->child.argv, argv, sizeof(argv));
}

static bool is_installed(void)
{
	return access(RSPAMD_PROGRAM, X_OK) == 0 ||
	       fail(RSPAMD_PROGRAM ": %m; install the package rspamd, or "
				   "`splitmail filter delete` the filter that "
				   "wants it");
}

/* Said once, and tried again. */
static bool begin(struct rspamd *r, struct directory *d)
{
	bool can;

	r->keys_version = 0;
	r->has_keys = false;
	can = is_installed() && write_files(r) && write_keys(r, d);

	if (!can && !r->has_none)
		log_error("serve", "start Rspamd: %s", cause());
	r->has_none = !can;
	if (!can)
		return false;
	plan(r);
	r->ends = false;
	return fiber_start("rspamd", child_keep, &r->child);
}

static void waits end(struct rspamd *r)
{
	r->ends = true;
	gate_open(&r->news);
	child_stop(&r->child, STOP_MS);
}

void rspamd_run(void *rspamd)
{
	struct rspamd *r = rspamd;
	struct directory *d =
		directory_open(config_path(r->config, "directory.db"));
	bool runs = false;

	while (d && !*r->engine_ended) {
		ask(r, d);
		if (r->is_wanted && !runs)
			runs = begin(r, d);
		if (!r->is_wanted && runs) {
			end(r);
			runs = false;
		}
		if (runs)
			renew_keys(r, d);
		fiber_sleep(after_ms(LOOK_MS));
	}
	if (runs)
		end(r);
	directory_close(d);
}
