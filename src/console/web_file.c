/* Files that are built into the binary (web.h). */
#include "console/handlers.h"
#include "console/web.h"

const struct web_file *web_find(const struct web_file *files, size_t n,
				struct str path)
{
	for (size_t i = 0; i < n; i++)
		if (str_same(path, str_of(files[i].path)))
			return &files[i];
	return NULL;
}

struct response web_show(struct request *r, const struct web_file *f,
			 bool for_ever)
{
	const char *takes = header(r, "Accept-Encoding");
	bool packed = f->packed && takes && strstr(takes, "gzip");

	return (struct response){
		.status = 200,
		.text = packed ? (struct str){ f->packed, f->packed_n }
			       : (struct str){ f->bytes, f->n },
		.type = f->type,
		.encoding = packed ? "gzip" : NULL,
		.cache = for_ever ? "public, max-age=31536000, immutable"
				  : "no-cache",
	};
}
