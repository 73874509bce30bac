#ifndef MIME_DATE_H
#define MIME_DATE_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
struct ph_mime_date date_parse(struct ph_str value);

#endif
