/* A set is kept as it was written; what it means in a mailbox is worked out in selection.c. */
#include "sequence_set.h"

#include <stdlib.h>

/* seq-number = nz-number / "*" */
static bool parse_sequence_number(struct parser *parser, uint32_t *number_r)
{
	if (parse_skip(parser, '*')) {
		*number_r = SEQUENCE_STAR;
		return true;
	}
	return parse_nz_number(parser, number_r);
}

/* seq-range = seq-number ":" seq-number */
static bool parse_range(struct parser *parser, struct sequence_range *range_r)
{
	if (!parse_sequence_number(parser, &range_r->first))
		return false;
	range_r->last = range_r->first;
	return !parse_skip(parser, ':') || parse_sequence_number(parser, &range_r->last);
}

static size_t count_ranges(const struct parser *parser)
{
	size_t count = 1;

	for (const char *at = parser->at; at < parser->end && *at != ' ' && *at != ')'; at++)
		count += *at == ',';
	return count;
}

/* sequence-set = (seq-number / seq-range) *("," sequence-set) */
bool parse_sequence_set(struct parser *parser, struct sequence_set *set_r)
{
	struct sequence_range *ranges = parse_alloc(parser, count_ranges(parser), sizeof(*ranges));

	if (!ranges)
		return false;
	*set_r = (struct sequence_set){ .ranges = ranges };
	do {
		if (!parse_range(parser, &ranges[set_r->count]))
			return parse_failed(parser, "Expected a set of message numbers");
		set_r->count++;
	} while (parse_skip(parser, ','));
	return true;
}

static struct sequence_range resolve_range(struct sequence_range range, uint32_t largest)
{
	uint32_t first = range.first == SEQUENCE_STAR ? largest : range.first;
	uint32_t last = range.last == SEQUENCE_STAR ? largest : range.last;

	return first <= last ? (struct sequence_range){ first, last }
			     : (struct sequence_range){ last, first };
}

static int compare_ranges(const void *a, const void *b)
{
	uint32_t first_a = ((const struct sequence_range *)a)->first;
	uint32_t first_b = ((const struct sequence_range *)b)->first;

	return (first_a > first_b) - (first_a < first_b);
}

void sequence_set_resolve(struct sequence_set *set, uint32_t largest)
{
	struct sequence_range *ranges = set->ranges;
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		ranges[i] = resolve_range(ranges[i], largest);
	qsort(ranges, set->count, sizeof(*ranges), compare_ranges);
	for (size_t i = 1; i < set->count; i++) {
		if (ranges[kept].last == UINT32_MAX || ranges[i].first <= ranges[kept].last + 1) {
			if (ranges[i].last > ranges[kept].last)
				ranges[kept].last = ranges[i].last;
		} else {
			ranges[++kept] = ranges[i];
		}
	}
	set->count = kept + 1;
}

bool sequence_set_has_star(const struct sequence_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->ranges[i].first == SEQUENCE_STAR || set->ranges[i].last == SEQUENCE_STAR)
			return true;
	}
	return false;
}
