/* Metrics, counted in memory that all workers share, and shown in the Prometheus text format by
 * `posthorn status --metrics`. Registered in a module's init (before workers are forked), in any order. */
#ifndef POSTHORN_METRIC_H
#define POSTHORN_METRIC_H

#include <stdint.h>

struct ph_metric;

/* `name` follows Prometheus' rules (a counter ends in _total); `labels` is NULL or text such as
 * `protocol="x"`; the same name may come with several labels. The strings must stay valid. Asking again for
 * the same name and labels gives the same metric. */
struct ph_metric *ph_metric_counter(const char *name, const char *labels, const char *help);
struct ph_metric *ph_metric_gauge(const char *name, const char *labels, const char *help);
/* Counts values below each of `bounds` (ascending, ended by 0), their number and sum. */
struct ph_metric *ph_metric_histogram(
	const char *name, const char *labels, const char *help, const int64_t *bounds);

/* Counters only go up; a gauge may be given a negative step. */
void ph_metric_add(struct ph_metric *metric, int64_t step);
void ph_metric_observe(struct ph_metric *histogram, int64_t value);
/* The sum over all workers; of a histogram, the number of values. */
int64_t ph_metric_read(const struct ph_metric *metric);

#endif
