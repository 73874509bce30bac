/* A table of slots found by the MAC's own first bytes; a newer login takes the slot of an older one. */
#include <config.h>

#include "recent.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/buf.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

enum { SLOTS = 4096, MAC_LEN = 32 };

struct slot {
	unsigned char mac[MAC_LEN];
	ph_msec until;
};

static struct {
	ph_msec validity;
	unsigned char key[MAC_LEN];
	struct slot *slots; /* NULL: remember nothing */
} recent;

int recent_start(ph_msec validity)
{
	recent.validity = validity;
	if (validity == 0)
		return 0;
	if (RAND_bytes(recent.key, sizeof(recent.key)) != 1)
		return PH_E_IO;
	recent.slots = ph_alloc_array(SLOTS, sizeof(*recent.slots));
	return 0;
}

void recent_stop(void)
{
	free(recent.slots);
	recent.slots = NULL;
	ph_wipe(recent.key, sizeof(recent.key));
}

/* The slot for these, and their MAC. */
static struct slot *find(
	struct ph_str user, struct ph_str hash, struct ph_str password, unsigned char mac_r[MAC_LEN])
{
	struct ph_buf text;
	uint16_t number;

	ph_buf_init(&text, user.len + hash.len + password.len + 2);
	ph_buf_add_str(&text, user);
	ph_buf_add_char(&text, '\0');
	ph_buf_add_str(&text, hash);
	ph_buf_add_char(&text, '\0');
	ph_buf_add_str(&text, password);
	HMAC(EVP_sha256(), recent.key, sizeof(recent.key), (const unsigned char *)text.data, text.len, mac_r,
		NULL);
	ph_wipe(text.data, text.len);
	ph_buf_free(&text);
	memcpy(&number, mac_r, sizeof(number));
	return &recent.slots[number % SLOTS];
}

bool recent_has(struct ph_str user, struct ph_str hash, struct ph_str password)
{
	unsigned char mac[MAC_LEN];
	if (!recent.slots)
		return false;
	const struct slot *slot = find(user, hash, password, mac);
	return slot->until > ph_now() &&
	       ph_str_eq_secret(ph_str_of(mac, MAC_LEN), ph_str_of(slot->mac, MAC_LEN));
}

void recent_add(struct ph_str user, struct ph_str hash, struct ph_str password)
{
	unsigned char mac[MAC_LEN];
	if (!recent.slots)
		return;
	struct slot *slot = find(user, hash, password, mac);
	memcpy(slot->mac, mac, MAC_LEN);
	slot->until = ph_now() + recent.validity;
}
