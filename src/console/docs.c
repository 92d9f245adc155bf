/*
 * The API's document as a page for people, GET /api/docs: made of openapi.json
 * itself, once, without a script.
 */
#include <pthread.h>
#include <sodium.h>

#include "console/handlers.h"

extern const char openapi_json[]; /* openapi.json, by tools/embed.py */

static const char style[] =
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;"
	"padding:1rem;color:#1c1c1c;background:#fff}"
	"h2{margin-top:2.5rem;text-transform:capitalize}"
	"h3{font-size:1rem;margin:1.5rem 0 .25rem;overflow-wrap:anywhere}"
	"h3 b{display:inline-block;min-width:4.5rem}p{margin:.25rem 0}"
	"pre{background:#f0f0f0;padding:.75rem;white-space:pre-wrap;"
	"overflow-wrap:anywhere}code{overflow-wrap:anywhere}a{color:#004a9f}"
	"@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}"
	"pre{background:#2a2a2a}a{color:#8cc4ff}}";

static struct buf page = BUF_EMPTY;
static char policy[200];

/* ---- text in HTML ---- */

static void add_escaped(struct buf *b, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			buf_add(b, S("&lt;"));
			break;
		case '>':
			buf_add(b, S("&gt;"));
			break;
		case '&':
			buf_add(b, S("&amp;"));
			break;
		case '"':
			buf_add(b, S("&quot;"));
			break;
		default:
			buf_add_char(b, *text);
		}
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void add_element(struct buf *b, const char *element, const char *text)
{
	if (!*text)
		return;
	buf_printf(b, "<%s>", element);
	add_escaped(b, text);
	buf_printf(b, "</%s>\n", element);
}

/* ---- one operation ---- */

/* "#/components/parameters/limit" -> what is there; else O itself. */
static const json_t *resolved(const json_t *document, const json_t *o)
{
	struct str rest = str_of(text_of(o, "$ref")), part;
	const json_t *at = document;

	if (str_empty(rest))
		return o;
	str_split(&rest, '/', &part);
	while (str_split(&rest, '/', &part))
		at = json_object_getn(at, part.p, part.n);
	return at;
}

static void add_parameters(struct buf *b, const json_t *document,
			   const json_t *list)
{
	const json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		const json_t *one = resolved(document, p);

		if (strcmp(text_of(one, "in"), "query"))
			continue;
		buf_add(b, S("<p><code>?"));
		add_escaped(b, text_of(one, "name"));
		buf_add(b, S("=</code> "));
		add_escaped(b, text_of(one, "description"));
		buf_add(b, S("</p>\n"));
	}
}

static void add_example(struct buf *b, const json_t *document,
			const json_t *operation)
{
	json_t *schema = json_object_get(
		json_object_get(json_object_get(json_object_get(operation,
								"requestBody"),
						"content"),
				"application/json"),
		"schema");
	json_t *example = json_array_get(
		json_object_get(resolved(document, schema), "examples"), 0);
	char *text = example ? json_dumps(example, JSON_INDENT(2)) : NULL;

	if (text)
		add_element(b, "pre", text);
	free(text);
}

static void add_operation(struct buf *b, const json_t *document,
			  const char *path, const char *method,
			  const json_t *operation)
{
	buf_add(b, S("<h3><b>"));
	for (const char *p = method; *p; p++)
		buf_add_char(b, (char)(*p & ~0x20));
	buf_add(b, S("</b> <code>/api/v1"));
	add_escaped(b, path);
	buf_add(b, S("</code></h3>\n"));
	add_element(b, "p", text_of(operation, "summary"));
	add_element(b, "p", text_of(operation, "description"));
	add_parameters(b, document, json_object_get(operation, "parameters"));
	add_example(b, document, operation);
}

static bool is_method(const char *key)
{
	static const char *const methods[] = { "get", "put", "post", "patch",
					       "delete" };

	for (size_t i = 0; i < array_size(methods); i++)
		if (!strcmp(key, methods[i]))
			return true;
	return false;
}

static bool has_tag(const json_t *operation, const char *tag)
{
	const char *first = json_string_value(
		json_array_get(json_object_get(operation, "tags"), 0));

	return first && !strcmp(first, tag);
}

static void add_operations(struct buf *b, json_t *document, const char *tag)
{
	const char *path, *method;
	json_t *item, *operation;

	json_object_foreach(json_object_get(document, "paths"), path, item)
		json_object_foreach(item, method,
				    operation) if (is_method(method) &&
						   has_tag(operation, tag))
			add_operation(b, document, path, method, operation);
}

/* ---- the page ---- */

static void add_head(struct buf *b, const json_t *document)
{
	buf_printf(b,
		   "<!doctype html>\n<html lang=\"en\"><head>"
		   "<meta charset=\"utf-8\"><meta name=\"viewport\" "
		   "content=\"width=device-width, initial-scale=1\">"
		   "<title>Splitmail: the HTTP API</title>"
		   "<style>%s</style></head>\n<body><main>\n",
		   style);
	add_element(b, "h1", "Splitmail: the HTTP API");
	add_element(b, "p",
		    text_of(json_object_get(document, "info"), "description"));
	buf_add(b,
		S("<p>The same for programs: <a href=\"/api/v1/openapi.json\">"
		  "/api/v1/openapi.json</a> (OpenAPI 3.1).</p>\n"
		  "<p>Scripts sign in with a token, made in the account of an "
		  "administrator or by <code>splitmail admin token create</code>"
		  ":</p>\n"));
	add_element(
		b, "pre",
		"curl -X PUT -H \"Authorization: Bearer $TOKEN\" \\\n"
		"     -H \"Content-Type: application/json\" \\\n"
		"     -d '{\"name\": \"Alice Doe\", \"quota\": \"2 GB\"}' \\\n"
		"     http://127.0.0.1:8025/api/v1/users/alice@example.org");
}

static void write_policy(void)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash),
					    sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(hash, (const uint8_t *)style, strlen(style));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(policy, sizeof(policy),
		 "default-src 'none'; style-src 'sha256-%s'; "
		 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		 text);
}

static void make_page(void)
{
	json_t *document = json_loads(openapi_json, 0, NULL), *tag;
	size_t i;

	check(document);
	add_head(&page, document);
	json_array_foreach(json_object_get(document, "tags"), i, tag)
	{
		add_element(&page, "h2", text_of(tag, "name"));
		add_element(&page, "p", text_of(tag, "description"));
		add_operations(&page, document, text_of(tag, "name"));
	}
	buf_add(&page, S("</main></body></html>\n"));
	json_decref(document);
	write_policy();
}

struct response on_docs(struct request *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)r;
	pthread_once(&once, make_page);
	return (struct response){ .status = 200,
				  .text = buf_str(&page),
				  .type = "text/html; charset=utf-8",
				  .policy = policy,
				  .cache = "no-cache" };
}
