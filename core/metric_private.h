/* The memory of all metrics, shared by the master and its workers. */
#ifndef POSTHORN_METRIC_PRIVATE_H
#define POSTHORN_METRIC_PRIVATE_H

#include <stddef.h>

#include <posthorn/buf.h>
#include <posthorn/metric.h>

/* Columns: one for each worker slot; column 0 is that of a process that is no worker. */
#define METRIC_COLUMNS 257

/* Makes the shared memory, once and before fork. Done by the first registration when nobody did it before. */
void metric_open(void);
/* This process counts in that column from now on. */
void metric_set_column(unsigned column);
/* The worker of that column is gone: what it had now is no more. What it counted stays. */
void metric_clear_gauges(unsigned column);
/* All metrics in the Prometheus text format. */
void metric_print(struct ph_buf *out);

#endif
