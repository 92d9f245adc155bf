/*
 * /metrics, for Prometheus.
 *
 * The directory and the queue are asked here, the engine's figures are at most
 * a second old.  Without the engine there is what there is, and
 * splitmail_engine_up 0.
 */
#include "backup/backup.h"
#include "base/limits.h"
#include "console/figures.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/jobs.h"
#include "directory/lists.h"
#include "queue/tools.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "rt/folder.h"

static const struct metric {
	const char *name, *type, *help;
} metrics[] = {
#define METRIC(id, name, type, help) { name, type, help },
#include "console/metrics.def"
#undef METRIC
};

enum which {
#define METRIC(id, name, type, help) METRIC_##id,
#include "console/metrics.def"
#undef METRIC
};

/* ---- the text format ---- */

/* A label's value: backslash, quote and line end are escaped. */
static void add_label(struct buf *to, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\\' || c == '"')
			buf_add_char(to, '\\');
		if (c == '\n')
			buf_add(to, S("\\n"));
		else
			buf_add_char(to, c);
	}
}

static void add_head(struct buf *to, const struct metric *m)
{
	buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help,
		   m->name, m->type);
}

/* LINES belongs to one metric; without any it is left out. */
static void add_metric(struct buf *to, enum which w, const struct buf *lines)
{
	if (lines->n == 0)
		return;
	add_head(to, &metrics[w]);
	buf_add(to, buf_str(lines));
}

static void add_gauge(struct buf *to, enum which w, uint64_t n)
{
	add_head(to, &metrics[w]);
	buf_printf(to, "%s %llu\n", metrics[w].name, (unsigned long long)n);
}

/* ---- directory and queue ---- */

struct lines {
	struct buf users, waiting, held, oldest;
	uint64_t jobs[JOB_STATES];
};

static void count_job(void *arg, const struct job *j)
{
	((struct lines *)arg)->jobs[j->state]++;
}

static uint64_t seconds_since(int64_t wall)
{
	int64_t ms = wall ? wall_ms() - wall : 0;

	return ms > 0 ? (uint64_t)ms / 1000 : 0;
}

static void count_domain(void *arg, const struct domain_entry *e)
{
	struct lines *l = arg;
	const struct {
		const char *home;
		uint64_t n;
	} homes[] = {
		{ "hosted", e->hosted },
		{ "alternate", e->alternate },
		{ "none", e->no_mail },
	};

	for (size_t i = 0; i < array_size(homes); i++)
		buf_printf(&l->users,
			   "%s{domain=\"%.*s\",mail_system=\"%s\"} %llu\n",
			   metrics[METRIC_USERS].name, STR(e->domain.name),
			   homes[i].home, (unsigned long long)homes[i].n);
}

static void add_load_line(struct buf *to, enum which w,
			  const struct next_hop *h, uint64_t n)
{
	buf_printf(to, "%s{kind=\"%s\",system=\"", metrics[w].name,
		   next_hop_word(h->kind));
	add_label(to, h->name);
	buf_printf(to, "\"} %llu\n", (unsigned long long)n);
}

static void count_load(void *arg, const struct queue_load *load)
{
	struct lines *l = arg;

	add_load_line(&l->waiting, METRIC_QUEUE_RECIPIENTS, &load->next_hop,
		      load->recipients);
	add_load_line(&l->held, METRIC_QUEUE_HELD, &load->next_hop, load->held);
	add_load_line(&l->oldest, METRIC_QUEUE_SYSTEM_OLDEST, &load->next_hop,
		      seconds_since(load->arrived_ms));
}

static void write_queue(struct buf *to, const struct lines *l,
			const struct queue_total *total)
{
	add_metric(to, METRIC_USERS, &l->users);
	add_gauge(to, METRIC_QUEUE_MESSAGES, total->messages);
	add_gauge(to, METRIC_QUEUE_BYTES, total->bytes);
	add_gauge(to, METRIC_QUEUE_OLDEST, seconds_since(total->oldest_ms));
	add_metric(to, METRIC_QUEUE_RECIPIENTS, &l->waiting);
	add_metric(to, METRIC_QUEUE_HELD, &l->held);
	add_metric(to, METRIC_QUEUE_SYSTEM_OLDEST, &l->oldest);
}

static void write_jobs(struct buf *to, const struct lines *l)
{
	add_head(to, &metrics[METRIC_JOBS]);
	for (int s = 0; s < JOB_STATES; s++)
		buf_printf(to, "%s{state=\"%s\"} %llu\n",
			   metrics[METRIC_JOBS].name,
			   job_state_name((enum job_state)s),
			   (unsigned long long)l->jobs[s]);
}

/* ---- the machine ---- */

/* Nothing where none was ever made: who makes his backups otherwise is not
 * alarmed. */
static void write_backup(struct buf *to, const struct console_settings *s)
{
	char text[32];
	uint64_t made_ms;

	if (!folder_noted(s->data, BACKUP_NOTE, text, sizeof(text)))
		return;
	text[strcspn(text, "\n")] = 0;
	if (str_number(str_of(text), INT64_MAX, &made_ms))
		add_gauge(to, METRIC_BACKUP_AGE,
			  seconds_since((int64_t)made_ms));
}

static void write_machine(struct buf *to, const struct console_settings *s)
{
	add_head(to, &metrics[METRIC_BUILD_INFO]);
	buf_printf(to, "%s{version=\"", metrics[METRIC_BUILD_INFO].name);
	add_label(to, str_of(s->version));
	buf_add(to, S("\"} 1\n"));
	add_gauge(to, METRIC_DISK_FREE, folder_free_bytes(s->data));
	write_backup(to, s);
}

/* ---- the engine ---- */

static void add_hop_line(struct buf *to, enum which w,
			 const struct hop_figures *h, const char *label,
			 const char *value, uint64_t n)
{
	buf_printf(to, "%s{kind=\"%s\",system=\"", metrics[w].name,
		   next_hop_word(h->next_hop.kind));
	add_label(to, h->next_hop.name);
	if (label)
		buf_printf(to, "\",%s=\"%s", label, value);
	buf_printf(to, "\"} %llu\n", (unsigned long long)n);
}

static void write_hops(struct buf *to, const struct figures *f)
{
	const enum which took = METRIC_SYSTEM_RECIPIENTS;
	const enum which open = METRIC_SYSTEM_CONNECTIONS;
	struct buf ups scoped(buf) = BUF_EMPTY, takes scoped(buf) = BUF_EMPTY;
	struct buf opens scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < f->n_hops; i++) {
		const struct hop_figures *h = &f->hops[i];

		if (!str_same(h->state, S("unknown")))
			add_hop_line(&ups, METRIC_SYSTEM_UP, h, NULL, NULL,
				     str_same(h->state, S("up")));
		add_hop_line(&takes, took, h, "outcome", "delivered",
			     h->delivered);
		add_hop_line(&takes, took, h, "outcome", "deferred",
			     h->deferred);
		add_hop_line(&takes, took, h, "outcome", "refused", h->refused);
		add_hop_line(&opens, open, h, "state", "in_use",
			     h->connections);
		add_hop_line(&opens, open, h, "state", "idle", h->idle);
	}
	add_metric(to, METRIC_SYSTEM_UP, &ups);
	add_metric(to, took, &takes);
	add_metric(to, open, &opens);
}

static void write_sessions(struct buf *to, const struct figures *f)
{
	struct buf lines scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < f->n_services; i++) {
		const struct session_figures *s = &f->by_service[i];

		buf_printf(&lines, "%s{service=\"",
			   metrics[METRIC_SESSIONS].name);
		add_label(&lines, s->service);
		buf_printf(&lines, "\",tls=\"%s\"} %llu\n",
			   s->is_tls ? "yes" : "no", (unsigned long long)s->n);
	}
	add_metric(to, METRIC_SESSIONS, &lines);
}

static void add_filter(struct buf *verdicts, struct buf *seconds, json_t *one)
{
	struct str name =
		str_of(json_string_value(json_object_get(one, "name")));
	const char *word;
	json_t *n;

	json_object_foreach(one, word, n)
	{
		bool is_time = strcmp(word, "ms") == 0;
		struct buf *to = is_time ? seconds : verdicts;

		if (!json_is_integer(n))
			continue;
		buf_printf(to, "%s{filter=\"",
			   metrics[is_time ? METRIC_FILTER_SECONDS
					   : METRIC_FILTER_VERDICTS]
				   .name);
		add_label(to, name);
		if (is_time)
			buf_printf(to, "\"} %.3f\n",
				   (double)json_integer_value(n) / 1000);
		else
			buf_printf(to, "\",verdict=\"%s\"} %llu\n", word,
				   (unsigned long long)json_integer_value(n));
	}
}

static void write_filters(struct buf *to, const struct figures *f)
{
	struct buf verdicts scoped(buf) = BUF_EMPTY;
	struct buf seconds scoped(buf) = BUF_EMPTY;
	size_t i;
	json_t *one;

	json_array_foreach(f->filters, i, one)
		add_filter(&verdicts, &seconds, one);
	add_metric(to, METRIC_FILTER_VERDICTS, &verdicts);
	add_metric(to, METRIC_FILTER_SECONDS, &seconds);
}

/* Cumulative, as Prometheus wants them. */
static void write_histogram(struct buf *to, enum histogram h,
			    const struct histogram_value *v)
{
	const struct metric m = { histogram_name(h), "histogram",
				  histogram_help(h) };
	const char *name = m.name;
	uint64_t n = 0;

	add_head(to, &m);
	for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += v->n[i];
		buf_printf(to, "%s_bucket{le=\"%g\"} %llu\n", name,
			   (double)histogram_bounds_ms[i] / 1000,
			   (unsigned long long)n);
	}
	n += v->n[HISTOGRAM_BOUNDS];
	buf_printf(to, "%s_bucket{le=\"+Inf\"} %llu\n", name,
		   (unsigned long long)n);
	buf_printf(to, "%s_sum %.3f\n%s_count %llu\n", name,
		   (double)v->sum_ms / 1000, name, (unsigned long long)n);
}

static void add_certificate(struct buf *to, enum which w, const json_t *one,
			    uint64_t n)
{
	const char *name = json_string_value(json_object_get(one, "name"));

	buf_add(to, str_of(metrics[w].name));
	if (name) {
		buf_add(to, S("{certificate=\""));
		add_label(to, str_of(name));
		buf_add(to, S("\"}"));
	}
	buf_printf(to, " %llu\n", (unsigned long long)n);
}

/* The one for everybody has no label, those in the folder their name. */
static void write_certificates(struct buf *to, const struct figures *f)
{
	struct buf ends scoped(buf) = BUF_EMPTY, bad scoped(buf) = BUF_EMPTY;
	size_t i;
	json_t *one;

	json_array_foreach(f->certificates, i, one)
	{
		json_int_t ends_ms =
			json_integer_value(json_object_get(one, "ends_ms"));
		bool is_bad = json_is_string(json_object_get(one, "trouble"));

		if (ends_ms > 0)
			add_certificate(&ends, METRIC_CERTIFICATE_ENDS, one,
					(uint64_t)ends_ms / 1000);
		if (json_is_string(json_object_get(one, "name")))
			add_certificate(&bad, METRIC_CERTIFICATE_UNUSABLE, one,
					is_bad);
	}
	add_metric(to, METRIC_CERTIFICATE_ENDS, &ends);
	add_metric(to, METRIC_CERTIFICATE_UNUSABLE, &bad);
}

static void write_engine(struct buf *to, const struct figures *f)
{
	add_gauge(to, METRIC_ENGINE_UP, f->is_up);
	if (!f->is_up)
		return;
	add_gauge(to, METRIC_START_TIME, (uint64_t)f->started_wall_ms / 1000);
	write_certificates(to, f);
	write_sessions(to, f);
	for (int c = 0; c < COUNTER_COUNT; c++) {
		const struct metric m = { counter_name((enum counter)c),
					  "counter",
					  counter_help((enum counter)c) };

		add_head(to, &m);
		buf_printf(to, "%s %llu\n", m.name,
			   (unsigned long long)f->counters[c]);
	}
	for (int h = 0; h < HISTOGRAM_COUNT; h++)
		write_histogram(to, (enum histogram)h, &f->histograms[h]);
	write_filters(to, f);
	write_hops(to, f);
}

/* ---- the whole ---- */

static bool write_all(struct request *r, struct buf *to)
{
	struct tools *t = tools_open(r->console->settings->data);
	struct lines l = { .users = BUF_EMPTY };
	const struct figures *f = figures_borrow();
	struct queue_total total;
	bool ok = t && tools_count(t, S(""), count_load, &l, &total) &&
		  list_domains(r->d, S(""), count_domain, &l) &&
		  list_jobs(r->d, S(""), 0, LIMIT_JOBS_COUNTED, count_job, &l);

	if (ok) {
		write_machine(to, r->console->settings);
		write_queue(to, &l, &total);
		write_jobs(to, &l);
		write_engine(to, f);
	}
	figures_return(f);
	tools_close(t);
	buf_free(&l.users);
	buf_free(&l.waiting);
	buf_free(&l.held);
	buf_free(&l.oldest);
	return ok;
}

struct response on_metrics(struct request *r)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct response a = { .status = 200,
			      .type = "text/plain; version=0.0.4" };

	if (figures_wait(r))
		return (struct response){ .status = 0 };
	if (!write_all(r, &text))
		return trouble(r);
	a.text = arena_str(r->arena, buf_str(&text));
	return a;
}
