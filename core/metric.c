/* Metrics in one piece of shared memory: a table of what there is, and a column of numbers for each worker,
 * so that counting is one relaxed addition to memory that no other process writes. Workers register in their
 * init, each for itself; the table is kept whole by a lock on the memory's file, which the kernel gives back
 * when a holder dies. */
#include <config.h>

#include "metric_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

enum { METRICS_MAX = 512, CELLS_MAX = 4096, BOUNDS_MAX = 24 };

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct ph_metric {
	enum metric_type type;
	char name[80];
	char labels[128];
	char help[200];
	unsigned cell; /* the first; a histogram has one for each bound, then the rest, then the sum */
	unsigned bound_count;
	int64_t bounds[BOUNDS_MAX];
};

struct metric_memory {
	_Atomic unsigned count;
	unsigned cells_used;
	struct ph_metric metrics[METRICS_MAX];
	_Atomic int64_t columns[METRIC_COLUMNS][CELLS_MAX];
};

static struct metric_memory *memory;
static int memory_fd = -1;
static unsigned own_column;

void metric_open(void)
{
	if (memory)
		return;
	memory_fd = memfd_create("posthorn metrics", MFD_CLOEXEC);
	PH_ASSERT(memory_fd >= 0 && ftruncate(memory_fd, (off_t)sizeof(*memory)) == 0);
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	PH_ASSERT(memory != MAP_FAILED);
}

void metric_set_column(unsigned column)
{
	PH_ASSERT(column < METRIC_COLUMNS);
	own_column = column;
}

static void lock_table(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	while (fcntl(memory_fd, F_SETLKW, &lock) != 0) {
	}
}

static unsigned metric_count(void)
{
	return memory ? atomic_load_explicit(&memory->count, memory_order_acquire) : 0;
}

static struct ph_metric *find(const char *name, const char *labels)
{
	for (unsigned i = 0; i < metric_count(); i++) {
		struct ph_metric *metric = &memory->metrics[i];

		if (strcmp(metric->name, name) == 0 && strcmp(metric->labels, labels) == 0)
			return metric;
	}
	return NULL;
}

static struct ph_metric *add(
	enum metric_type type, const char *name, const char *labels, const char *help, const int64_t *bounds)
{
	unsigned count = metric_count(), cells = type == HISTOGRAM ? 2 : 1;
	struct ph_metric *metric = &memory->metrics[count];

	PH_ASSERT(count < METRICS_MAX);
	PH_ASSERT(strlen(name) < sizeof(metric->name) && strlen(labels) < sizeof(metric->labels));
	metric->type = type;
	snprintf(metric->name, sizeof(metric->name), "%s", name);
	snprintf(metric->labels, sizeof(metric->labels), "%s", labels);
	snprintf(metric->help, sizeof(metric->help), "%s", help);
	metric->bound_count = 0;
	for (; bounds && *bounds; bounds++, cells++) {
		PH_ASSERT(metric->bound_count < BOUNDS_MAX);
		metric->bounds[metric->bound_count++] = *bounds;
	}
	PH_ASSERT(memory->cells_used + cells <= CELLS_MAX);
	metric->cell = memory->cells_used;
	memory->cells_used += cells;
	atomic_store_explicit(&memory->count, count + 1, memory_order_release);
	return metric;
}

static struct ph_metric *find_or_add(
	enum metric_type type, const char *name, const char *labels, const char *help, const int64_t *bounds)
{
	struct ph_metric *metric;

	metric_open();
	lock_table(F_WRLCK);
	metric = find(name, labels ? labels : "");
	if (!metric)
		metric = add(type, name, labels ? labels : "", help, bounds);
	lock_table(F_UNLCK);
	PH_ASSERT(metric->type == type);
	return metric;
}

struct ph_metric *ph_metric_counter(const char *name, const char *labels, const char *help)
{
	return find_or_add(COUNTER, name, labels, help, NULL);
}

struct ph_metric *ph_metric_gauge(const char *name, const char *labels, const char *help)
{
	return find_or_add(GAUGE, name, labels, help, NULL);
}

struct ph_metric *ph_metric_histogram(
	const char *name, const char *labels, const char *help, const int64_t *bounds)
{
	return find_or_add(HISTOGRAM, name, labels, help, bounds);
}

/* --- Counting --- */

static void add_to_cell(unsigned cell, int64_t step)
{
	atomic_fetch_add_explicit(&memory->columns[own_column][cell], step, memory_order_relaxed);
}

void ph_metric_add(struct ph_metric *metric, int64_t step)
{
	add_to_cell(metric->cell, step);
}

void ph_metric_observe(struct ph_metric *histogram, int64_t value)
{
	unsigned i = 0;

	while (i < histogram->bound_count && value > histogram->bounds[i])
		i++;
	add_to_cell(histogram->cell + i, 1);
	add_to_cell(histogram->cell + histogram->bound_count + 1, value);
}

void metric_clear_gauges(unsigned column)
{
	for (unsigned i = 0; i < metric_count(); i++) {
		if (memory->metrics[i].type == GAUGE)
			atomic_store(&memory->columns[column][memory->metrics[i].cell], 0);
	}
}

/* --- Reading --- */

static int64_t read_cell(unsigned cell)
{
	int64_t sum = 0;

	for (unsigned column = 0; column < METRIC_COLUMNS; column++)
		sum += atomic_load_explicit(&memory->columns[column][cell], memory_order_relaxed);
	return sum;
}

int64_t ph_metric_read(const struct ph_metric *metric)
{
	int64_t sum = read_cell(metric->cell);

	for (unsigned i = 1; metric->type == HISTOGRAM && i <= metric->bound_count; i++)
		sum += read_cell(metric->cell + i);
	return sum;
}

static void print_plain(const struct ph_metric *metric, struct ph_buf *out)
{
	ph_buf_add_text(out, metric->name);
	if (metric->labels[0])
		ph_buf_printf(out, "{%s}", metric->labels);
	ph_buf_printf(out, " %" PRId64 "\n", ph_metric_read(metric));
}

static void print_histogram(const struct ph_metric *metric, struct ph_buf *out)
{
	const char *comma = metric->labels[0] ? "," : "";
	int64_t below = 0;

	for (unsigned i = 0; i < metric->bound_count; i++) {
		below += read_cell(metric->cell + i);
		ph_buf_printf(out, "%s_bucket{%s%sle=\"%" PRId64 "\"} %" PRId64 "\n", metric->name,
			metric->labels, comma, metric->bounds[i], below);
	}
	below += read_cell(metric->cell + metric->bound_count);
	ph_buf_printf(
		out, "%s_bucket{%s%sle=\"+Inf\"} %" PRId64 "\n", metric->name, metric->labels, comma, below);
	ph_buf_printf(out, metric->labels[0] ? "%s_sum{%s}" : "%s_sum%s", metric->name, metric->labels);
	ph_buf_printf(out, " %" PRId64 "\n", read_cell(metric->cell + metric->bound_count + 1));
	ph_buf_printf(out, metric->labels[0] ? "%s_count{%s}" : "%s_count%s", metric->name, metric->labels);
	ph_buf_printf(out, " %" PRId64 "\n", below);
}

/* All of one name together, as the format asks for. */
static void print_family(unsigned first, unsigned count, struct ph_buf *out)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const struct ph_metric *head = &memory->metrics[first];

	ph_buf_printf(
		out, "# HELP %s %s\n# TYPE %s %s\n", head->name, head->help, head->name, types[head->type]);
	for (unsigned i = first; i < count; i++) {
		const struct ph_metric *metric = &memory->metrics[i];

		if (strcmp(metric->name, head->name) != 0)
			continue;
		if (metric->type == HISTOGRAM)
			print_histogram(metric, out);
		else
			print_plain(metric, out);
	}
}

static bool is_first_of_name(unsigned index)
{
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(memory->metrics[i].name, memory->metrics[index].name) == 0)
			return false;
	}
	return true;
}

void metric_print(struct ph_buf *out)
{
	unsigned count = metric_count();

	for (unsigned i = 0; i < count; i++) {
		if (is_first_of_name(i))
			print_family(i, count, out);
	}
}
