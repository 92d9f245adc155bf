/*
 * HTTPS on libcurl (https.h).
 *
 * One thread asks for all loops, as many questions at once as there are.  It
 * begins with the first one, when the loop that asks has given up its rights, and
 * ends with the process.  A question lies on the stack of the fiber that waits for
 * it, deaf: libcurl keeps the time.
 */
#include "rt/https.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/limits.h"
#include "rt/fiber_inside.h"
#include "rt/linux/loop_inside.h"
#include "rt/loop.h"
#include "rt/mutex.h"
#include "rt/tls_inside.h"

enum { REST_MS = 60000 };

struct asked {
	struct asked *next; /* while it is in the inbox */
	const struct https_question *q;
	struct buf body;
	CURL *curl;
	struct curl_slist *addresses;
	struct fiber *fiber;
	int loop;
	char why[CURL_ERROR_SIZE];
	bool is_good;
};

static struct {
	struct once begun;
	CURLM *multi;
	struct mutex lock;
	struct asked *inbox; /* under the lock */
} asker = { .begun = ONCE };

/* ---- one question ---- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct asked *a = arg;

	if (a->body.n + size * n > a->q->most)
		return CURL_WRITEFUNC_ERROR;
	buf_add(&a->body, (struct str){ p, size * n });
	return size * n;
}

static CURLcode on_tls(CURL *curl, void *ssl_ctx, void *arg)
{
	(void)curl;
	(void)arg;
	return tls_load_roots(ssl_ctx, NULL) ? CURLE_OK
					     : CURLE_SSL_CACERT_BADFILE;
}

/* "mta-sts.b.example:443:192.0.2.1,2001:db8::1": where the name leads. */
static struct curl_slist *addresses_of(const struct https_question *q)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_printf(&b, "%s:443:", q->host);
	for (size_t i = 0; i < q->n_at; i++)
		buf_printf(&b, "%s%s", i ? "," : "", inet_ip_text(&q->at[i]).c);
	buf_add_char(&b, '\0');
	return curl_slist_append(NULL, b.p);
}

static bool set_options(struct asked *a, const char *url)
{
	CURL *c = a->curl;
	CURLcode bad = 0;

	bad |= curl_easy_setopt(c, CURLOPT_URL, url);
	bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	bad |= curl_easy_setopt(c, CURLOPT_RESOLVE, a->addresses);
	bad |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)a->q->time_ms);
	bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION,
				(long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	bad |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	bad |= curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	bad |= curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	bad |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, a->why);
	bad |= curl_easy_setopt(c, CURLOPT_PRIVATE, a);
	bad |= curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	return !bad || fail("https: libcurl lacks an option");
}

/* ---- the thread ---- */

static void answered(void *asked)
{
	fiber_wake(((struct asked *)asked)->fiber);
}

static bool is_of_type(struct asked *a)
{
	char *type = NULL;

	curl_easy_getinfo(a->curl, CURLINFO_CONTENT_TYPE, &type);
	return str_starts_nocase(str_of(type), str_of(a->q->type));
}

static void judge(struct asked *a, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_WRITE_ERROR)
		snprintf(a->why, sizeof(a->why), "it is too long");
	else if (code != CURLE_OK && !a->why[0])
		snprintf(a->why, sizeof(a->why), "%s",
			 curl_easy_strerror(code));
	else if (code == CURLE_OK && status != 200)
		snprintf(a->why, sizeof(a->why), "it answers %ld", status);
	else if (code == CURLE_OK && !is_of_type(a))
		snprintf(a->why, sizeof(a->why), "it is no %s", a->q->type);
	else
		a->is_good = code == CURLE_OK;
}

static void take_new(void)
{
	struct asked *all, *next;

	mutex_take(&asker.lock);
	all = asker.inbox;
	asker.inbox = NULL;
	mutex_give(&asker.lock);
	for (; all; all = next) {
		next = all->next;
		check(curl_multi_add_handle(asker.multi, all->curl) ==
		      CURLM_OK);
	}
}

static void settle_old(void)
{
	struct asked *a;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(asker.multi, &left))) {
		CURLcode code = m->data.result;

		check(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE,
					(char **)&a) == CURLE_OK);
		judge(a, code);
		curl_multi_remove_handle(asker.multi, a->curl);
		loop_post(a->loop, answered, a);
	}
}

static void *asker_main(void *unused)
{
	int running;

	(void)unused;
	pthread_setname_np(pthread_self(), "https");
	for (;;) {
		take_new();
		curl_multi_perform(asker.multi, &running);
		settle_old();
		curl_multi_poll(asker.multi, NULL, 0, REST_MS, NULL);
	}
	return NULL;
}

static void begin(void)
{
	pthread_t thread;

	check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	asker.multi = curl_multi_init();
	check(asker.multi);
	mutex_open(&asker.lock);
	check(pthread_create(&thread, NULL, asker_main, NULL) == 0);
	check(pthread_detach(thread) == 0);
}

/* ---- who asks ---- */

static void ask(struct asked *a)
{
	a->fiber = fiber_self();
	a->loop = loop_index();
	mutex_take(&asker.lock);
	a->next = asker.inbox;
	asker.inbox = a;
	mutex_give(&asker.lock);
	curl_multi_wakeup(asker.multi);
	fiber_park_deaf("https");
}

bool https_get(const struct https_question *q, struct arena *arena,
	       struct str *out)
{
	struct asked a = { .q = q, .body = BUF_EMPTY };
	char *url = arena_printf(arena, "https://%s%s", q->host, q->path);
	bool is_good;

	if (q->time_ms <= 0)
		return fail("%s: no time is left", url);
	once_do(&asker.begun, begin);
	a.curl = curl_easy_init();
	a.addresses = addresses_of(q);
	check(a.curl && a.addresses);
	is_good = set_options(&a, url);
	if (is_good) {
		ask(&a);
		is_good = a.is_good || fail("%s: %s", url, a.why);
	}
	if (is_good)
		*out = arena_str(arena, buf_str(&a.body));
	curl_easy_cleanup(a.curl);
	curl_slist_free_all(a.addresses);
	buf_free(&a.body);
	return is_good;
}
