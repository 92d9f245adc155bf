/*
 * What the private Rspamd signs with, and which mail (rspamd_dkim.h).
 *
 * Invariant: what is no key of a domain of ours in use is in no file.
 */
#include "main/rspamd_dkim.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "directory/dkim.h"
#include "directory/lists.h"
#include "main/owned.h"
#include "rt/signing_key.h"

/*
 * Signed is what begins here, and is nobody else's: who sent it says Splitmail,
 * as {auth_authen} (smtp/filters.c, deliver/dsn_filter.c).
 *
 *	"bob@a.test"	a user
 *	"system:NAME"	a mail system, to somebody outside
 *	"local"		a program, Sieve, or Splitmail's own notice.  What has a
 *			Received field came from elsewhere and is only sent on
 *
 * The domain is that of From, and the sender's is the same one, by any of its
 * names.  Nobody's (<>) are notices: From counts alone, and what
 * mx.example.org says of itself is signed by example.org.
 */
const char rspamd_dkim_conf[] =
	"# Splitmail's: written at each start.\n"
	"sign_condition = <<EOD\n"
	"return function(task)\n"
	"  local function domain_of(list)\n"
	"    local one = (list or {})[1] or {}\n"
	"    return (one.domain or ''):lower()\n"
	"  end\n"
	"  local function keys_of(domain)\n"
	"    if not domain:match('^[a-z0-9-][a-z0-9.-]*$') then\n"
	"      return nil\n"
	"    end\n"
	"    local f = io.open(rspamd_paths['LOCAL_CONFDIR'] .. '/dkim/' .. "
	"domain, 'r')\n"
	"    if not f then\n"
	"      return nil\n"
	"    end\n"
	"    local first, keys = f:read('*l'), {}\n"
	"    for line in f:lines() do\n"
	"      local selector, key = line:match('^(%S+) (%S+)$')\n"
	"      if selector then\n"
	"        table.insert(keys, { domain = domain, selector = selector, "
	"rawkey = key })\n"
	"      end\n"
	"    end\n"
	"    f:close()\n"
	"    return first, keys\n"
	"  end\n"
	"  local user = task:get_user()\n"
	"  local from = task:get_from('mime')\n"
	"  if not user or not from or #from ~= 1 then\n"
	"    return false\n"
	"  end\n"
	"  if user == 'local' and task:get_header('Received') then\n"
	"    return false\n"
	"  end\n"
	"  local domain = domain_of(from)\n"
	"  local sender = domain_of(task:get_from('smtp'))\n"
	"  local first, keys = keys_of(domain)\n"
	"  if sender ~= '' then\n"
	"    if not first or keys_of(sender) ~= first then\n"
	"      return false\n"
	"    end\n"
	"  elseif user:find('@', 1, true) then\n"
	"    if not first or keys_of(user:match('([^@]*)$'):lower()) ~= first then\n"
	"      return false\n"
	"    end\n"
	"  end\n"
	"  while user == 'local' and sender == '' and not first and "
	"domain:find('.', 1, true) do\n"
	"    domain = domain:match('^[^.]*%.(.*)$')\n"
	"    first, keys = keys_of(domain)\n"
	"  end\n"
	"  if not first or #keys == 0 then\n"
	"    return false\n"
	"  end\n"
	"  return keys\n"
	"end\n"
	"EOD;\n";

/* ---- the files ---- */

/* One domain's, while its keys are gathered. */
struct signing {
	struct arena *arena;
	struct domain_keys {
		int64_t domain;
		struct buf text;
	} * list;
	size_t n, room;
	const char *folder;
	const struct person *person;
	struct str *written; /* names */
	size_t n_written, room_written;
	bool failed;
};

static struct domain_keys *keys_of(struct signing *s, int64_t domain)
{
	if (s->n && s->list[s->n - 1].domain == domain)
		return &s->list[s->n - 1];
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->list = must_realloc(s->list, s->room * sizeof(*s->list));
	}
	s->list[s->n] = (struct domain_keys){ .domain = domain };
	return &s->list[s->n++];
}

static void take_key(void *signing, const struct dkim_key *k,
		     struct str private)
{
	struct signing *s = signing;
	struct domain_keys *keys = keys_of(s, k->domain_id);
	struct str line;

	if (keys->text.n == 0)
		buf_printf(&keys->text, "%.*s\n", STR(k->domain));
	if (!signing_key_line(private, s->arena, &line)) {
		s->failed = true;
		return;
	}
	buf_printf(&keys->text, "%.*s %.*s\n", STR(k->selector), STR(line));
}

static void note_written(struct signing *s, struct str name)
{
	if (s->n_written == s->room_written) {
		s->room_written = s->room_written ? 2 * s->room_written : 16;
		s->written = must_realloc(s->written,
					  s->room_written * sizeof(struct str));
	}
	s->written[s->n_written++] = arena_str(s->arena, name);
}

/* Most changes of the directory are about something else. */
static bool is_same(struct signing *s, const char *path, struct str text)
{
	char *there = arena_alloc(s->arena, text.n + 1);
	size_t n = 0;
	FILE *f;

	privileges_files_begin(s->person);
	f = fopen(path, "re");
	privileges_files_end();
	if (f) {
		n = fread(there, 1, text.n + 1, f);
		fclose(f);
	}
	return f && str_same((struct str){ there, n }, text);
}

static void write_name(void *signing, struct str name, int64_t domain)
{
	struct signing *s = signing;
	const char *path =
		arena_printf(s->arena, "%s/%.*s", s->folder, STR(name));

	for (size_t i = 0; i < s->n && !s->failed; i++) {
		if (s->list[i].domain != domain)
			continue;
		s->failed = !is_same(s, path, buf_str(&s->list[i].text)) &&
			    !owned_replace(path, buf_str(&s->list[i].text),
					   s->person);
		note_written(s, name);
	}
}

static bool is_written(const struct signing *s, struct str name)
{
	for (size_t i = 0; i < s->n_written; i++)
		if (str_same(s->written[i], name))
			return true;
	return false;
}

/* What is of no key in use any more. */
static bool remove_others(const struct signing *s)
{
	DIR *folder;
	const struct dirent *e;
	bool ok = true;

	privileges_files_begin(s->person);
	folder = opendir(s->folder);
	while (folder && (e = readdir(folder)))
		if (e->d_name[0] != '.' && !is_written(s, str_of(e->d_name)) &&
		    unlinkat(dirfd(folder), e->d_name, 0) != 0)
			ok = fail("remove %s/%s: %m", s->folder, e->d_name);
	if (!folder)
		ok = fail("open %s: %m", s->folder);
	else
		closedir(folder);
	privileges_files_end();
	return ok;
}

bool rspamd_dkim_write(const char *folder, struct directory *d,
		       const struct person *person)
{
	struct arena *arena scoped(arena) = arena_open();
	struct signing s = { .arena = arena,
			     .folder = folder,
			     .person = person };
	bool ok = owned_folder(folder, person) &&
		  list_dkim_signing(d, take_key, &s) && !s.failed &&
		  list_domain_names(d, write_name, &s) && !s.failed &&
		  remove_others(&s);

	for (size_t i = 0; i < s.n; i++)
		buf_free(&s.list[i].text);
	free(s.list);
	free(s.written);
	return ok;
}
