/*
 * The certificates of this server: the one for everybody, which the engine has
 * itself, then those for the names in them, as the supervisor tells of them
 * (main/certificates.h).
 *
 *	[{"name": null, "names": ["mail.example.org"], "names_left_out": 0,
 *	  "key": "ECDSA", "ends": "2027-01-02T03:04:05Z",
 *	  "ends_ms": 1800000000000, "trouble": null}, ...]
 *
 * "name" is that of its folder or file, null for the first; "ends" is null and
 * "ends_ms" 0 when nothing of it is served; "trouble" is a sentence.
 */
#ifndef ENGINE_CERTIFICATES_H
#define ENGINE_CERTIFICATES_H

#include <jansson.h>

struct tls_context;

/* TOLD is the file in the folder DATA; it may be missing, or NULL.  Blocks. */
json_t *certificates_list(const char *data, const char *told,
			  struct tls_context *first);
/* Add to TROUBLES what is wrong with them, LIMIT_CONTROL_TROUBLES of each kind,
 * and with their folder.  Blocks. */
void certificates_troubles(const char *data, const char *told,
			   struct tls_context *first, json_t *troubles);

#endif
