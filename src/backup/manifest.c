/* `files` and manifest.json (manifest.h). */
#include "backup/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "wire/json.h"

enum { FORMAT = 1 };

static const char *in(struct arena *arena, const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

/* ---- files ---- */

bool manifest_begin(struct manifest_writer *w, const char *folder)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = in(arena, folder, "files");

	*w = (struct manifest_writer){ .folder = folder };
	w->list = fopen(path, "we");
	return w->list || fail_errno("create %s: %m", path);
}

static void put_path(FILE *to, const char *path)
{
	for (; *path; path++)
		if (*path == '\n')
			fputs("\\n", to);
		else if (*path == '\\')
			fputs("\\\\", to);
		else
			putc(*path, to);
}

bool manifest_add(struct manifest_writer *w, const char *path,
		  const struct file_made *made)
{
	fprintf(w->list, "%c %s %" PRIu64 " ", made->kind,
		made->hash[0] ? made->hash : "-", made->bytes);
	put_path(w->list, path);
	if (putc('\n', w->list) == EOF)
		return fail_errno("write %s/files: %m", w->folder);
	w->files++;
	w->bytes += made->bytes;
	return true;
}

static bool close_list(struct manifest_writer *w)
{
	bool ok = fflush(w->list) == 0;

	if (!ok)
		fail_errno("write %s/files: %m", w->folder);
	fclose(w->list);
	w->list = NULL;
	return ok;
}

/* In place, the escapes of put_path(); false: another one. */
static bool unescape(char *path)
{
	char *to = path;

	for (; *path; path++) {
		if (*path != '\\') {
			*to++ = *path;
			continue;
		}
		path++;
		if (*path != 'n' && *path != '\\')
			return false;
		*to++ = *path == 'n' ? '\n' : '\\';
	}
	*to = 0;
	return true;
}

/* A path leads nowhere but into the folder. */
static bool stays_inside(const char *path)
{
	struct str rest = str_of(path), part;

	if (path[0] == '/' || path[0] == 0)
		return false;
	while (str_split(&rest, '/', &part))
		if (str_same(part, S("..")))
			return false;
	return true;
}

static bool read_line(char *line, char **path, struct file_made *made)
{
	char kind, hash[SHA256_HEX + 1];
	int at = 0;

	if (sscanf(line, "%c %64s %" SCNu64 " %n", &kind, hash, &made->bytes,
		   &at) != 3 ||
	    !at ||
	    (kind != FILE_COPIED && kind != FILE_LINKED &&
	     kind != FILE_SYMLINK))
		return false;
	made->kind = (enum file_kind)kind;
	memcpy(made->hash, hash, sizeof(hash));
	if (strcmp(hash, "-") == 0)
		made->hash[0] = 0;
	else if (strlen(hash) != SHA256_HEX)
		return false;
	*path = line + at;
	return unescape(*path) && stays_inside(*path);
}

bool manifest_each(const char *folder,
		   bool (*each)(void *arg, const char *path,
				const struct file_made *made),
		   void *arg)
{
	struct arena *arena scoped(arena) = arena_open();
	FILE *list = fopen(in(arena, folder, "files"), "re");
	char *line = NULL, *path;
	size_t room = 0, number = 0;
	ssize_t n;
	bool ok = list || fail_errno("open %s/files: %m", folder);

	while (ok && (n = getline(&line, &room, list)) > 0) {
		struct file_made made;

		number++;
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (!read_line(line, &path, &made))
			ok = fail("%s/files: line %zu is not understood",
				  folder, number);
		else
			ok = each(arg, path, &made);
	}
	free(line);
	if (list)
		fclose(list);
	return ok;
}

/* ---- manifest.json ---- */

bool manifest_end(struct manifest_writer *w, struct manifest *m)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = in(arena, w->folder, "manifest.json");
	const char *part = in(arena, w->folder, "manifest.json.part");
	struct file_made list;
	json_t *o;
	bool ok;

	m->files = w->files;
	m->bytes = w->bytes;
	if (!close_list(w) ||
	    file_read_hash(in(arena, w->folder, "files"), &list) != FILE_MADE)
		return false;
	memcpy(m->list_hash, list.hash, sizeof(m->list_hash));
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:I, s:I, "
		      "s:I, s:I, s:I, s:s}",
		      "format", (int)FORMAT, "id", m->id, "version", m->version,
		      "hostname", m->hostname, "node", m->node, "made_ms",
		      (json_int_t)m->made_ms, "has_mail", m->has_mail,
		      "has_queue", m->has_queue, "files", (json_int_t)m->files,
		      "bytes", (json_int_t)m->bytes, "mailboxes",
		      (json_int_t)m->mailboxes, "messages_in_queue",
		      (json_int_t)m->messages, "mailboxes_never_at_rest",
		      (json_int_t)m->unsteady, "sha256_of_files", m->list_hash);
	ok = o && json_dump_file(o, part, JSON_INDENT(2)) == 0;
	json_decref(o);
	if (!ok || !disk_sync(w->folder) || rename(part, path) != 0)
		return fail_errno("write %s: %m", path);
	return disk_sync(w->folder);
}

static bool unpack(json_t *o, struct manifest *m, struct arena *arena)
{
	const char *id, *version, *hostname, *node, *hash;
	json_int_t made, files, bytes, mailboxes, messages, unsteady;
	int format, mail, queue;

	if (json_unpack(o, "{s:i}", "format", &format) != 0)
		return fail("it does not say its format");
	if (format != FORMAT)
		return fail(
			"it is of format %d, and this version of Splitmail "
			"knows %d: restore it with the version that made it",
			format, (int)FORMAT);
	if (json_unpack(o,
			"{s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:I, s:I, s:I, "
			"s:I, s:I, s:s}",
			"id", &id, "version", &version, "hostname", &hostname,
			"node", &node, "made_ms", &made, "has_mail", &mail,
			"has_queue", &queue, "files", &files, "bytes", &bytes,
			"mailboxes", &mailboxes, "messages_in_queue", &messages,
			"mailboxes_never_at_rest", &unsteady, "sha256_of_files",
			&hash) != 0 ||
	    strlen(id) != sizeof(m->id) - 1 || strlen(hash) != SHA256_HEX)
		return fail("something is missing in it");
	*m = (struct manifest){
		.version = arena_printf(arena, "%s", version),
		.hostname = arena_printf(arena, "%s", hostname),
		.node = arena_printf(arena, "%s", node),
		.made_ms = made,
		.has_mail = mail,
		.has_queue = queue,
		.files = (uint64_t)files,
		.bytes = (uint64_t)bytes,
		.mailboxes = (uint64_t)mailboxes,
		.messages = (uint64_t)messages,
		.unsteady = (uint64_t)unsteady,
	};
	memcpy(m->id, id, sizeof(m->id));
	memcpy(m->list_hash, hash, sizeof(m->list_hash));
	return true;
}

bool manifest_read(const char *folder, struct arena *arena,
		   struct manifest *out)
{
	const char *path = in(arena, folder, "manifest.json");
	struct file_made list;
	json_error_t error;
	json_t *o;
	bool ok;

	if (access(path, F_OK) != 0)
		return errno == ENOENT
			       ? fail("%s is no backup, or one that did not "
				      "end: it has no manifest.json",
				      folder)
			       : fail_errno("read %s: %m", path);
	o = json_load_file(path, 0, &error);
	ok = o ? unpack(o, out, arena) : fail("%s", error.text);
	json_decref(o);
	if (!ok)
		return add_cause("%s", path);
	if (file_read_hash(in(arena, folder, "files"), &list) != FILE_MADE)
		return fail("%s/files is missing or cannot be read", folder);
	return strcmp(list.hash, out->list_hash) == 0 ||
	       fail("%s/files is not what manifest.json says it is", folder);
}
