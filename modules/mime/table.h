#ifndef MIME_TABLE_H
#define MIME_TABLE_H

/* The 256 entries of a table by byte, each worked out by the macro `entry` from its byte. */
#define TABLE_4(entry, c) entry((c)), entry((c) + 1), entry((c) + 2), entry((c) + 3)
#define TABLE_16(entry, c) \
	TABLE_4(entry, (c)), TABLE_4(entry, (c) + 4), TABLE_4(entry, (c) + 8), TABLE_4(entry, (c) + 12)
#define TABLE_64(entry, c) \
	TABLE_16(entry, (c)), TABLE_16(entry, (c) + 16), TABLE_16(entry, (c) + 32), TABLE_16(entry, (c) + 48)
#define TABLE_256(entry) TABLE_64(entry, 0), TABLE_64(entry, 64), TABLE_64(entry, 128), TABLE_64(entry, 192)

#endif
