/* A look at all records of a domain (publish.h): asked at once, then judged. */
#include "publish/publish.h"

#include "base/buf.h"
#include "base/limits.h"
#include "publish/inside.h"

static void waits ask_all(struct look *l)
{
	static void waits (*const asks[])(struct look * l, void *unused) = {
		ask_mx,    ask_own,  ask_systems, ask_spf,
		ask_dmarc, ask_keys, ask_sts,     ask_clients,
	};
	struct together t = { 0 };

	for (size_t i = 0; i < array_size(asks); i++)
		look_also(l, &t, asks[i], NULL);
	look_wait(&t);
}

/* DMARC is judged by what SPF and DKIM prove. */
static void waits judge_all(struct look *l)
{
	judge_mx(l);
	judge_own(l);
	judge_spf(l);
	judge_keys(l);
	judge_dmarc(l);
	judge_sts(l);
	judge_clients(l);
}

enum { ROWS_OF_ONE_KIND = 10 };

/* The host name is asked for as others see it, not as /etc/hosts has it. */
void waits publish_look(const struct publish_plan *plan,
			const struct dns_settings *dns, int64_t deadline_ms,
			struct arena *arena, struct published *out)
{
	struct dns_settings settings = *dns;
	struct look l = {
		.plan = plan,
		.arena = arena,
		.deadline_ms = deadline_ms,
		.room = ROWS_OF_ONE_KIND + LIMIT_HOSTS + plan->n_keys,
	};

	settings.hosts_file = "/dev/null";
	l.dns = dns_open(&settings);
	l.rows = arena_array(arena, struct publish_row, l.room);
	ask_all(&l);
	judge_all(&l);
	dns_close(l.dns);
	*out = (struct published){ l.rows, l.n };
}

/* ---- as a zone file ---- */

enum { PIECE_BYTES = 255 }; /* RFC 1035 3.3 */

/* RFC 1035 5.1 */
static void add_text(struct buf *b, struct str text)
{
	do {
		struct str piece = str_part(text, 0, PIECE_BYTES);

		text = str_from(text, piece.n);
		buf_add(b, S("\""));
		for (size_t i = 0; i < piece.n; i++) {
			char c = piece.p[i];

			if (c == '"' || c == '\\')
				buf_add_char(b, '\\');
			if (c >= ' ' && c < 0x7f)
				buf_add_char(b, c);
			else
				buf_printf(b, "\\%03u", (unsigned char)c);
		}
		buf_add(b, text.n ? S("\" ") : S("\""));
	} while (text.n);
}

static void add_comment(struct buf *b, struct str text)
{
	struct str line;

	while (str_split(&text, '\n', &line))
		buf_printf(b, ";\t%.*s\n", STR(line));
}

static void add_record(struct buf *b, const struct publish_row *r,
		       struct str value)
{
	buf_printf(b, "%.*s.\tIN\t%s\t", STR(r->name), r->type);
	if (!strcmp(r->type, "TXT"))
		add_text(b, value);
	else
		buf_add(b, value);
	buf_add_char(b, '\n');
}

static void add_row(struct buf *b, const struct publish_row *r)
{
	if (!strcmp(r->type, "HTTPS")) {
		buf_printf(b, "; %.*s:\n", STR(r->name));
		add_comment(b, r->value);
		return;
	}
	if (str_empty(r->value)) {
		buf_printf(b, "; %.*s.\tIN\t%s\t?\n", STR(r->name), r->type);
		return;
	}
	/* There may be several hosts, and only one text. */
	if (r->state != PUBLISH_RIGHT || !strcmp(r->type, "TXT")) {
		add_record(b, r, r->value);
		return;
	}
	for (size_t i = 0; i < r->n_found; i++)
		add_record(b, r, r->found[i]);
}

struct str publish_zone(const struct published *p, struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < p->n; i++)
		add_row(&b, &p->rows[i]);
	return arena_str(arena, buf_str(&b));
}
