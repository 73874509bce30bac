/* How the commands tell of faults. */
#ifndef STORE_CHECK_TOOL_H
#define STORE_CHECK_TOOL_H

#include "check.h"

/* As a line on stdout. */
void check_tell(struct check *check, const struct fault *fault);

#endif
