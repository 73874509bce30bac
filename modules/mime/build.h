#ifndef MIME_BUILD_H
#define MIME_BUILD_H

#include <posthorn/buf.h>
#include <posthorn/mime.h>

enum { BOUNDARY_LENGTH = 26 };

/* A boundary that is in no body: by chance in none that exists, and by its form in none that is encoded. */
struct ph_str boundary_make(char boundary_r[BOUNDARY_LENGTH + 1]);
/* Appends a leaf that will stand among the parts of a message that exists: no line of it can be a boundary.
 */
int build_leaf(const struct ph_mime_new_part *part, struct ph_buf *buf);
/* As in struct ph_mime_service. */
int build(const struct ph_mime_new_part *message, struct ph_buf *buf);
void date_print(struct ph_mime_date date, struct ph_buf *buf);

#endif
