#ifndef MIME_REPORT_H
#define MIME_REPORT_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
int build_report(const struct ph_mime_report *report, struct ph_buf *buf);

#endif
