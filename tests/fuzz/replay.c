/* A main() for fuzz targets where there is no fuzzer: feeds the target every file of its corpus once, whole.
 * The corpus lies in $SOURCE/tests/fuzz/corpus/NAME for a program called fuzz_NAME. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	uint8_t *data = NULL;
	size_t size = 0;
	for (;;) {
		uint8_t *grown = realloc(data, size + 65536);
		if (!grown)
			abort();
		data = grown;
		size_t got = fread(data + size, 1, 65536, file);
		if (got == 0)
			break;
		size += got;
	}
	fclose(file);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int feed_folder(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		return -1;
	}
	int fed = 0;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (len < (int)sizeof(file) && feed_file(file) == 0)
			fed++;
	}
	closedir(folder);
	return fed;
}

int main(int argc, char **argv)
{
	const char *source = getenv("SOURCE");
	const char *name = strstr(argv[0], "fuzz_");
	/* tests/fuzz/fuzz_x: the last "fuzz_" is the program's. */
	for (const char *next = name; next && (next = strstr(next + 1, "fuzz_")) != NULL;)
		name = next;
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			if (feed_file(argv[i]) != 0)
				return 1;
		return 0;
	}
	if (!source || !name) {
		(void)fprintf(
			stderr, "usage: %s FILE..., or with SOURCE set to the source folder\n", argv[0]);
		return 2;
	}
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source, name + strlen("fuzz_"));
	int fed = feed_folder(path);
	printf("%s: %d inputs\n", name, fed);
	return fed > 0 ? 0 : 1;
}
