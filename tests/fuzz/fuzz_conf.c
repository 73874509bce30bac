/* Configurations out of any bytes: the finder of lines and the evaluation must take them all, and every
 * problem must be told in one line. */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "../../core/conf_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct conf_reader *reader, struct ph_str source)
{
	const struct conf_value *tree = conf_evaluate(reader, source);
	struct log_config log = { 0 };
	struct ph_buf out;

	if (tree) {
		conf_fill(reader, log_options, tree, "", 0, &log);
		conf_refuse_unknown(reader, tree, "", (const struct ph_option *const[]){ log_options }, 1);
	}
	ph_buf_init(&out, 1 << 22);
	conf_print_problems(reader, &out);
	if (log.level < 0 || log.level > PH_LOG_ERROR || (tree && !log.file))
		abort();
	ph_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct conf_reader reader;

	conf_reader_init(&reader, pool, "fuzz.lua");
	fill(&reader, ph_str_of(data, size));
	conf_reader_free(&reader);
	ph_pool_free(&pool);
	return 0;
}
