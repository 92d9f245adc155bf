/*
 * splitmail.conf by libconfuse.
 *
 * The parser is the library's; what is ours is the table of every key, its default
 * and range (settings.def), and the checks that name what would be right.
 */
#include "main/config.h"
#include "directory/changes.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"

/* Each block as libconfuse has it: "console_block" and so on, "top_block" of all. */
#define BLOCK(name, what) static cfg_opt_t name##_block[] = {
#define NEEDED(key, what) CFG_STR(#key, NULL, CFGF_NODEFAULT),
#define TEXT(key, usual, what) CFG_STR(#key, usual, CFGF_NONE),
#define LIST(key, what) CFG_STR_LIST(#key, NULL, CFGF_NONE),
#define FLAG(key, usual, what) CFG_BOOL(#key, usual, CFGF_NONE),
#define NUMBER(key, usual, least, most, what) CFG_INT(#key, usual, CFGF_NONE),
#define SECTION(block, flags) CFG_SEC(#block, block##_block, flags),
#define END \
	CFG_END() \
	} \
	;
#include "main/settings.def"

/* libconfuse reports by callback; the first sentence is the useful one. */
static _Thread_local char first_error[FAIL_SENTENCE_BYTES];

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[400];

	if (first_error[0])
		return;
	vsnprintf(text, sizeof(text), format, args);
	snprintf(first_error, sizeof(first_error), "%s:%d: %s",
		 cfg && cfg->filename ? cfg->filename : "splitmail.conf",
		 cfg ? cfg->line : 0, text);
}

const char *config_path(const struct config *c, const char *name)
{
	if (name[0] == '/')
		return name;
	return arena_printf(c->arena, "%s/%s", c->data, name);
}

static const char *copy(struct config *c, const char *s)
{
	return arena_cstr(c->arena, str_of(s));
}

/* A file whose last block is not closed is taken silently by the library. */
static bool braces_match(const char *path)
{
	FILE *f = fopen(path, "re");
	bool in_string = false, in_comment = false;
	int depth = 0, line = 1, opened = 0, ch;

	if (!f)
		return fail("open %s: %m", path);
	while ((ch = getc(f)) != EOF) {
		if (ch == '\n') {
			line++;
			in_comment = false;
		} else if (in_comment) {
			continue;
		} else if (ch == '"') {
			in_string = !in_string;
		} else if (!in_string && ch == '#') {
			in_comment = true;
		} else if (!in_string && ch == '{') {
			depth++;
			opened = line;
		} else if (!in_string && ch == '}') {
			depth--;
		}
	}
	fclose(f);
	if (depth > 0)
		return fail("%s:%d: the block that begins here is not closed "
			    "with '}'",
			    path, opened);
	return true;
}

/* What numbers may be; a row without a key begins a block. */
static const struct range {
	const char *block, *key;
	long least, most;
} ranges[] = {
#define BLOCK(name, what) { #name, NULL, 0, 0 },
#define NEEDED(key, what)
#define TEXT(key, usual, what)
#define LIST(key, what)
#define FLAG(key, usual, what)
#define NUMBER(key, usual, least, most, what) { NULL, #key, least, most },
#define SECTION(block, flags)
#define END
#include "main/settings.def"
};

static const struct range *range_of(const char *block, const char *key)
{
	const struct range *found = NULL;
	const char *its = "";

	for (size_t i = 0; i < array_size(ranges) && !found; i++)
		if (ranges[i].block)
			its = ranges[i].block;
		else if (!strcmp(its, block) && !strcmp(ranges[i].key, key))
			found = &ranges[i];
	check(found);
	return found;
}

static bool within(long n, long least, long most, const char *block,
		   const char *key)
{
	return (n >= least && n <= most) ||
	       fail("splitmail.conf: %s.%s = %ld: has to be between %ld and "
		    "%ld",
		    block, key, n, least, most);
}

static bool number(cfg_t *sec, const char *block, const char *key, long *out)
{
	const struct range *r = range_of(block, key);

	*out = cfg_getint(sec, key);
	return within(*out, r->least, r->most, block, key);
}

static bool take_address(const char *what, const char *text, uint16_t port,
			 struct inet *out)
{
	if (inet_parse_ip(str_of(text), port, out))
		return true;
	return fail("splitmail.conf: %s: address \"%s\" is no IP address; "
		    "write \"*\" for all, \"192.0.2.1\" or \"2001:db8::1\"",
		    what, text);
}

static const struct {
	const char *word;
	enum smtp_kind kind;
	uint16_t port;
} kinds[] = {
	{ "mx", SMTP_MX, 25 },
	{ "submission", SMTP_SUBMISSION, 587 },
	{ "submissions", SMTP_SUBMISSIONS, 465 },
};

static bool take_kind(const char *name, const char *text, enum smtp_kind *kind,
		      uint16_t *port)
{
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(text, kinds[i].word) != 0)
			continue;
		*kind = kinds[i].kind;
		*port = kinds[i].port;
		return true;
	}
	return fail("splitmail.conf: listener %s: kind = \"%s\" is not known; "
		    "mx, submission and submissions are",
		    name, text);
}

/* NULL-ended; NULL when there is none. */
static const char **take_list(struct config *c, cfg_t *sec, const char *key)
{
	unsigned n = cfg_size(sec, key);
	const char **list = arena_array(c->arena, const char *, n + 1);

	for (unsigned i = 0; i < n; i++)
		list[i] = copy(c, cfg_getnstr(sec, key, i));
	return n > 0 ? list : NULL;
}

/* "192.0.2.1" or "10.0.0.0/8"; WHO is the block they stand in. */
static bool take_proxies(struct config *c, cfg_t *sec, const char *who,
			 struct smtp_door *door)
{
	const char **list = take_list(c, sec, "proxies");
	unsigned n = cfg_size(sec, "proxies");
	struct inet_block *blocks =
		arena_array(c->arena, struct inet_block, n + 1);

	for (unsigned i = 0; i < n; i++)
		if (!inet_block_parse(str_of(list[i]), &blocks[i]))
			return fail(
				"splitmail.conf: %s: proxies: \"%s\" is no "
				"address or network; write \"192.0.2.1\" or "
				"\"192.0.2.0/24\"",
				who, list[i]);
	door->proxies = blocks;
	door->n_proxies = n;
	return true;
}

static bool take_dnsbl(struct config *c, cfg_t *sec, const char *who,
		       struct smtp_door *door)
{
	const char **list = take_list(c, sec, "dnsbl");
	long threshold;

	if (!number(sec, "listener", "dnsbl_threshold", &threshold))
		return add_cause("%s", who);
	door->dnsbl_threshold = (int)threshold;
	return config_dnsbl(who, list, cfg_size(sec, "dnsbl"), c->arena, door);
}

static bool add_listener(struct config *c, const struct smtp_door *door,
			 const char *address, uint16_t port, bool may_fail)
{
	struct engine_listener *l = &c->listeners[c->n_listeners];

	*l = (struct engine_listener){ .door = *door, .may_fail = may_fail };
	if (!take_address(door->name.p, address, port, &l->at))
		return false;
	/* The kernel would share the connections out between the two. */
	for (size_t i = 0; i < c->n_listeners; i++)
		if (inet_same_ip(&c->listeners[i].at, &l->at) &&
		    c->listeners[i].at.port == l->at.port)
			return fail("splitmail.conf: the listeners %.*s and "
				    "%.*s have the same address and port, %s",
				    STR(c->listeners[i].door.name),
				    STR(door->name), inet_text(&l->at).c);
	c->n_listeners++;
	return true;
}

/* "*" is two listeners, one for each version of IP. */
static bool add_listeners(struct config *c, const struct smtp_door *door,
			  const char *address, uint16_t port)
{
	if (strcmp(address, "*") != 0)
		return add_listener(c, door, address, port, false);
	return add_listener(c, door, "0.0.0.0", port, false) &&
	       add_listener(c, door, "::", port, true);
}

static bool take_listener(struct config *c, cfg_t *sec)
{
	const char *name = copy(c, cfg_title(sec));
	const char *block = arena_printf(c->arena, "listener %s", name);
	struct smtp_door door = { SMTP_MX, str_of(name) };
	uint16_t standard = 0;
	long port;

	return take_kind(name, cfg_getstr(sec, "kind"), &door.kind,
			 &standard) &&
	       (number(sec, "listener", "port", &port) ||
		add_cause("%s", block)) &&
	       take_proxies(c, sec, block, &door) &&
	       take_dnsbl(c, sec, block, &door) &&
	       add_listeners(c, &door, cfg_getstr(sec, "address"),
			     port ? (uint16_t)port : standard);
}

static bool take_listeners(struct config *c, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "listener");

	c->listeners = arena_array(c->arena, struct engine_listener,
				   2 * (n + array_size(kinds)));
	for (size_t i = 0; i < n; i++)
		if (!take_listener(c, cfg_getnsec(cfg, "listener", i)))
			return false;
	for (size_t i = 0; n == 0 && i < array_size(kinds); i++) {
		struct smtp_door door = { kinds[i].kind,
					  str_of(kinds[i].word) };

		if (!add_listeners(c, &door, "*", kinds[i].port))
			return false;
	}
	return true;
}

static bool limit_count(cfg_t *sec, const char *key, unsigned *out)
{
	long n;

	if (!number(sec, "limits", key, &n))
		return false;
	*out = (unsigned)n;
	return true;
}

static bool limit_seconds(cfg_t *sec, const char *key, int64_t *out)
{
	long n;

	if (!number(sec, "limits", key, &n))
		return false;
	*out = n;
	return true;
}

static bool limit_bytes(cfg_t *sec, const char *key, uint64_t *out)
{
	long n;

	if (!number(sec, "limits", key, &n))
		return false;
	*out = (uint64_t)n;
	return true;
}

static bool take_limits(struct config *c, cfg_t *sec)
{
	const char *longest = "retry_max";

	return limit_count(sec, "threads", &c->threads) &&
	       limit_bytes(sec, "message_bytes", &c->message_bytes) &&
	       limit_count(sec, "connections_per_address",
			   &c->connections_per_address) &&
	       limit_count(sec, "recipients_per_minute",
			   &c->recipients_per_minute) &&
	       limit_count(sec, "destination_mails", &c->destination_mails) &&
	       limit_count(sec, "destination_mails_per_minute",
			   &c->destination_mails_per_minute) &&
	       limit_seconds(sec, "retry_min", &c->retry_min_s) &&
	       limit_seconds(sec, longest, &c->retry_max_s) &&
	       within((long)c->retry_max_s, (long)c->retry_min_s,
		      range_of("limits", longest)->most, "limits", longest) &&
	       limit_seconds(sec, "expiry", &c->expiry_s) &&
	       limit_seconds(sec, "delay_warning", &c->delay_warning_s) &&
	       limit_seconds(sec, "handover", &c->handover_s) &&
	       limit_seconds(sec, "command", &c->command_s) &&
	       limit_seconds(sec, "data", &c->data_s);
}

static bool take_dovecot(struct config *c, cfg_t *sec)
{
	struct smtp_door checked;
	const struct {
		const char *key;
		uint16_t *port;
	} ports[] = {
		{ "imap", &c->imap },   { "imaps", &c->imaps },
		{ "pop3", &c->pop3 },   { "pop3s", &c->pop3s },
		{ "sieve", &c->sieve }, { "metrics", &c->dovecot_metrics },
	};
	struct inet unused;
	long port;

	c->dovecot_enabled = cfg_getbool(sec, "enabled") == cfg_true;
	c->dovecot_proxies = take_list(c, sec, "proxies");
	c->dovecot_address = copy(c, cfg_getstr(sec, "address"));
	if (strcmp(c->dovecot_address, "*") != 0 &&
	    !take_address("dovecot", c->dovecot_address, 0, &unused))
		return false;
	if (!take_proxies(c, sec, "dovecot", &checked))
		return false;
	for (size_t i = 0; i < array_size(ports); i++) {
		if (!number(sec, "dovecot", ports[i].key, &port))
			return false;
		*ports[i].port = (uint16_t)port;
	}
	return true;
}

static bool take_console(struct config *c, cfg_t *sec)
{
	const char *address = cfg_getstr(sec, "address");
	long port, idle = 0;
	bool ok = number(sec, "console", "port", &port) &&
		  number(sec, "console", "session_idle", &idle);

	c->console_enabled = cfg_getbool(sec, "enabled") == cfg_true;
	c->console_names = take_list(c, sec, "names");
	c->console_session_idle_s = idle;
	return ok && take_address("console",
				  strcmp(address, "*") ? address : "0.0.0.0",
				  (uint16_t)port, &c->console);
}

/* "192.0.2.1" or "192.0.2.1@5353" */
static bool check_name_server(struct str text)
{
	ptrdiff_t at = str_find(text, '@');
	struct inet unused;
	uint64_t port;

	if (at >= 0 &&
	    !str_number(str_from(text, (size_t)at + 1), 65535, &port))
		at = 0;
	if (inet_parse_ip(at < 0 ? text : str_part(text, 0, (size_t)at), 53,
			  &unused))
		return true;
	return fail("splitmail.conf: dns: \"%.*s\" is no IP address; "
		    "write \"192.0.2.1\" or \"192.0.2.1@5353\"",
		    STR(text));
}

static bool take_dns(struct config *c, cfg_t *sec)
{
	c->dnssec = cfg_getbool(sec, "dnssec") == cfg_true;
	c->dns_trust_anchor = copy(c, cfg_getstr(sec, "trust_anchor"));
	c->dns_hosts = copy(c, cfg_getstr(sec, "hosts"));
	c->dns_servers = take_list(c, sec, "servers");
	for (const char **p = c->dns_servers; p && *p; p++)
		if (!check_name_server(str_of(*p)))
			return false;
	return true;
}

static const char *usual_sendmail(const char *data, struct arena *arena)
{
	char *usual = realpath(USUAL_DATA, NULL);
	bool is_usual =
		!strcmp(data, USUAL_DATA) || (usual && !strcmp(data, usual));

	free(usual);
	return is_usual ? USUAL_SENDMAIL
			: arena_printf(arena, "%s/run/sendmail", data);
}

static bool take_sendmail(struct config *c, cfg_t *sec)
{
	const char *said = cfg_getstr(sec, "socket");
	const char *aliases = cfg_getstr(sec, "aliases");
	struct sockaddr_un un;

	c->queue_is_private = cfg_getbool(sec, "mailq_for_all") != cfg_true;
	if (*aliases)
		c->aliases = config_path(c, copy(c, aliases));
	c->sendmail = *said ? config_path(c, copy(c, said))
			    : usual_sendmail(c->data, c->arena);
	if (!*said || strlen(c->sendmail) < sizeof(un.sun_path))
		return true;
	return fail("splitmail.conf: sendmail.socket = \"%s\": the path of a "
		    "socket has at most %zu bytes",
		    said, sizeof(un.sun_path) - 1);
}

static bool is_set(cfg_t *sec, const char *key)
{
	return cfg_getopt(sec, key)->flags & CFGF_MODIFIED;
}

static void take_tls(struct config *c, cfg_t *sec)
{
	c->certificate_is_named =
		is_set(sec, "certificate") || is_set(sec, "key");
	c->certificate =
		config_path(c, copy(c, cfg_getstr(sec, "certificate")));
	c->key = config_path(c, copy(c, cfg_getstr(sec, "key")));
	c->certificates_are_named = is_set(sec, "certificates");
	c->certificates =
		config_path(c, copy(c, cfg_getstr(sec, "certificates")));
}

static bool take_outgoing(struct config *c, cfg_t *cfg)
{
	const char *family = cfg_getstr(cfg, "address_family");
	int i = FAMILY_IPV6;

	while (i >= FAMILY_ANY &&
	       strcmp(family, family_name((enum address_family)i)) != 0)
		i--;
	if (i < FAMILY_ANY)
		return fail("splitmail.conf: address_family: \"%s\" is none "
			    "of any, ipv4 and ipv6",
			    family);
	c->internet_family = (enum address_family)i;
	return outgoing_parse(str_of(cfg_getstr(cfg, "outgoing_address")),
			      &c->outgoing) ||
	       add_cause("splitmail.conf: outgoing_address");
}

static bool take_all(struct config *c, cfg_t *cfg)
{
	struct str hostname;

	if (!cfg_getstr(cfg, "hostname"))
		return fail("splitmail.conf: hostname is missing; write "
			    "hostname = \"mx.example.org\"");
	if (!domain_parse(str_of(cfg_getstr(cfg, "hostname")), c->arena,
			  &hostname))
		return add_cause("splitmail.conf: hostname");
	c->hostname = arena_cstr(c->arena, hostname);
	c->user = copy(c, cfg_getstr(cfg, "user"));
	c->auth_without_tls = cfg_getbool(cfg, "auth_without_tls") == cfg_true;
	c->is_confined = cfg_getbool(cfg, "confined") == cfg_true;
	take_tls(c, cfg_getsec(cfg, "tls"));
	return take_outgoing(c, cfg) && take_dns(c, cfg_getsec(cfg, "dns")) &&
	       take_listeners(c, cfg) &&
	       take_console(c, cfg_getsec(cfg, "console")) &&
	       take_limits(c, cfg_getsec(cfg, "limits")) &&
	       take_sendmail(c, cfg_getsec(cfg, "sendmail")) &&
	       take_dovecot(c, cfg_getsec(cfg, "dovecot"));
}

/* PATH, in the data folder DATA or that itself, cannot be read for errno. */
static bool not_readable(const char *path, const char *data)
{
	struct stat st;

	if (errno == ENOENT)
		return fail(
			"%s: %m; `splitmail --data %s init --hostname NAME` "
			"makes it, and --data or SPLITMAIL_DATA names another folder",
			path, data);
	if (errno != EACCES)
		return fail("%s: %m", path);
	if (stat(data, &st) == 0 && st.st_uid == geteuid())
		return fail("%s: permission denied, in a folder of yours: "
			    "`chown` or `chmod` it",
			    path);
	return fail("%s: permission denied; run this as root, or as the user "
		    "who does the work here",
		    path);
}

static bool read_into(struct config *c)
{
	const char *path = config_path(c, "splitmail.conf");
	cfg_t *cfg;
	bool taken;
	int result;

	if (access(path, R_OK) != 0)
		return not_readable(path, c->data);
	first_error[0] = 0;
	cfg = cfg_init(top_block, CFGF_NONE);
	cfg_set_error_function(cfg, on_error);
	result = cfg_parse(cfg, path);
	if (result != CFG_SUCCESS)
		taken = fail("%s", first_error[0]
					   ? first_error
					   : "splitmail.conf cannot be read");
	else
		taken = braces_match(path) && take_all(c, cfg);
	cfg_free(cfg);
	return taken;
}

struct config *config_read(const char *data)
{
	struct arena *arena = arena_open();
	struct config *c = arena_new(arena, struct config);
	char *absolute = realpath(data, NULL);

	c->arena = arena;
	if (!absolute) {
		not_readable(data, data);
		arena_close(arena);
		return NULL;
	}
	c->data = arena_cstr(arena, str_of(absolute));
	free(absolute);
	if (read_into(c))
		return c;
	arena_close(arena);
	return NULL;
}

const char *config_sendmail(const char *data, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/splitmail.conf", data);
	struct config *c = access(path, R_OK) == 0 ? config_read(data) : NULL;

	if (!c)
		return usual_sendmail(data, arena);
	path = arena_cstr(arena, str_of(c->sendmail));
	config_close(c);
	return path;
}

void config_close(struct config *c)
{
	if (c)
		arena_close(c->arena);
}

/* The two of "*" have one name and stand beside each other. */
struct texts config_listeners(const struct config *c)
{
	struct str *names = arena_array(c->arena, struct str, c->n_listeners);
	size_t n = 0;

	for (size_t i = 0; i < c->n_listeners; i++) {
		struct str name = c->listeners[i].door.name;

		if (n == 0 || !str_same(names[n - 1], name))
			names[n++] = name;
	}
	return (struct texts){ names, n };
}
