/* AES key wrap (RFC 3394) and key wrap with padding (RFC 5649) on OpenSSL's AES, one key or many in lockstep.
 *
 * The recurrence of key wrap is sequential within a key, so for many keys each of its steps is done for a whole chunk of
 * keys by one ECB call: AES runs over independent blocks at full width. No AES of our own. Plain keys live in a chunk
 * buffer that is wiped before return; comparisons do not depend on the content.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "keywrap.h"

enum { CHUNK_BLOCKS = 512, CHUNK = 128, ROUNDS = 6, MOST_SEMIBLOCKS = 512 };

struct keywrap {
    EVP_CIPHER_CTX *encrypt, *decrypt;
};

static const uint8_t RFC3394_IV[8] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};

void keywrap_free(struct keywrap *kek)
{
    if (!kek)
        return;
    EVP_CIPHER_CTX_free(kek->encrypt); /* cleanses the key schedule */
    EVP_CIPHER_CTX_free(kek->decrypt);
    free(kek);
}

struct keywrap *keywrap_new(const uint8_t *key, size_t size)
{
    const EVP_CIPHER *aes = size == 16 ? EVP_aes_128_ecb() : size == 24 ? EVP_aes_192_ecb() : size == 32 ? EVP_aes_256_ecb() : NULL;
    struct keywrap *kek = aes ? calloc(1, sizeof *kek) : NULL;
    if (!kek)
        return NULL;
    kek->encrypt = EVP_CIPHER_CTX_new();
    kek->decrypt = EVP_CIPHER_CTX_new();
    if (!kek->encrypt || !kek->decrypt || !EVP_EncryptInit_ex(kek->encrypt, aes, NULL, key, NULL) ||
        !EVP_DecryptInit_ex(kek->decrypt, aes, NULL, key, NULL)) {
        keywrap_free(kek);
        return NULL;
    }
    EVP_CIPHER_CTX_set_padding(kek->encrypt, 0);
    EVP_CIPHER_CTX_set_padding(kek->decrypt, 0);
    return kek;
}

/* One ECB call over `blocks` 16-byte blocks, in place. EVP_Cipher is EVP_*Update without buffering of partial blocks. */
static int ecb(EVP_CIPHER_CTX *ctx, uint8_t *at, size_t blocks)
{
    return EVP_Cipher(ctx, at, at, (unsigned int)(blocks * 16)) > 0;
}

/* A | R as one value, so that the cipher's 16-byte load finds one 16-byte store and does not wait for two. */
typedef uint64_t pair __attribute__((vector_size(16)));

static pair load(const uint8_t at[16])
{
    pair value;
    memcpy(&value, at, 16);
    return value;
}

static uint64_t load_r(const uint8_t at[8])
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

/* A chunk in flight: block k is A[k] | R, `r` holds every key's semiblocks in a row. */
struct chunk {
    uint8_t block[CHUNK * 16];
    uint8_t r[CHUNK_BLOCKS * 8];
};

/* How many keys of n semiblocks go into a chunk together: fewer when they are long, one at least. */
static size_t together(size_t n, size_t count)
{
    size_t most = CHUNK_BLOCKS / n < CHUNK ? CHUNK_BLOCKS / n : CHUNK;
    return count < most ? count : most;
}

/* Only what was used: for one key the whole chunk would cost more than the wrapping. */
static void wipe(struct chunk *c, size_t n, size_t count)
{
    size_t used = together(n, count);
    explicit_bzero(c->block, 16 * used);
    explicit_bzero(c->r, 8 * n * used);
}

static int forward(EVP_CIPHER_CTX *ctx, struct chunk *c, size_t n, size_t count)
{
    uint64_t before = 0; /* the counter of the step before goes into A when R joins it */
    for (uint64_t j = 0, t = 1; j < ROUNDS; j++)
        for (size_t i = 0; i < n; i++, t++) {
            for (size_t k = 0; k < count; k++) {
                pair value = load(c->block + 16 * k);
                value = (pair){value[0] ^ before, load_r(c->r + 8 * (n * k + i))};
                memcpy(c->block + 16 * k, &value, 16);
            }
            if (!ecb(ctx, c->block, count))
                return 0;
            for (size_t k = 0; k < count; k++)
                memcpy(c->r + 8 * (n * k + i), c->block + 16 * k + 8, 8);
            before = htobe64(t);
        }
    for (size_t k = 0; k < count; k++) {
        pair value = load(c->block + 16 * k);
        value[0] ^= before;
        memcpy(c->block + 16 * k, &value, 16);
    }
    return 1;
}

static int backward(EVP_CIPHER_CTX *ctx, struct chunk *c, size_t n, size_t count)
{
    uint64_t t = ROUNDS * n;
    for (int j = ROUNDS; j--;)
        for (size_t i = n; i--; t--) {
            for (size_t k = 0; k < count; k++) {
                pair value = load(c->block + 16 * k);
                value = (pair){value[0] ^ htobe64(t), load_r(c->r + 8 * (n * k + i))};
                memcpy(c->block + 16 * k, &value, 16);
            }
            if (!ecb(ctx, c->block, count))
                return 0;
            for (size_t k = 0; k < count; k++)
                memcpy(c->r + 8 * (n * k + i), c->block + 16 * k + 8, 8);
        }
    return 1;
}

/* 1 if the bytes differ, in time that does not depend on where. */
static uint8_t differ(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum |= a[i] ^ b[i];
    return (uint8_t)((sum | (uint8_t)-sum) >> 7);
}

static size_t semiblocks(size_t size, int padded) { return padded ? (size + 7) / 8 : size / 8; }

static int fits(size_t size, int padded)
{
    size_t n = semiblocks(size, padded);
    return size && n <= MOST_SEMIBLOCKS && (padded || (size % 8 == 0 && n >= 2));
}

/* RFC 3394 2.2.3.1, or RFC 5649 section 3: constant and length in bytes. */
static void initial(uint8_t a[8], size_t size, int padded)
{
    static const uint8_t rfc5649[4] = {0xa6, 0x59, 0x59, 0xa6};
    memcpy(a, RFC3394_IV, 8);
    if (!padded)
        return;
    memcpy(a, rfc5649, 4);
    for (int i = 0; i < 4; i++)
        a[4 + i] = (uint8_t)(size >> (24 - 8 * i));
}

/* Wrap what lies in the chunk: `count` keys of n semiblocks whose A are set. One semiblock is one ECB block (RFC 5649). */
static int wrap_chunk(struct keywrap *kek, struct chunk *c, size_t n, size_t count)
{
    if (n > 1)
        return forward(kek->encrypt, c, n, count);
    for (size_t k = 0; k < count; k++)
        memcpy(c->block + 16 * k + 8, c->r + 8 * k, 8);
    int good = ecb(kek->encrypt, c->block, count);
    for (size_t k = 0; k < count; k++)
        memcpy(c->r + 8 * k, c->block + 16 * k + 8, 8);
    return good;
}

static int unwrap_chunk(struct keywrap *kek, struct chunk *c, size_t n, size_t count)
{
    if (n > 1)
        return backward(kek->decrypt, c, n, count);
    for (size_t k = 0; k < count; k++)
        memcpy(c->block + 16 * k + 8, c->r + 8 * k, 8);
    int good = ecb(kek->decrypt, c->block, count);
    for (size_t k = 0; k < count; k++)
        memcpy(c->r + 8 * k, c->block + 16 * k + 8, 8);
    return good;
}

static void take(struct chunk *c, const uint8_t *in, size_t n, size_t count)
{
    for (size_t k = 0; k < count; k++, in += 8 * (n + 1)) {
        memcpy(c->block + 16 * k, in, 8);
        memcpy(c->r + 8 * n * k, in + 8, 8 * n);
    }
}

static void give(const struct chunk *c, uint8_t *out, size_t n, size_t count)
{
    for (size_t k = 0; k < count; k++, out += 8 * (n + 1)) {
        memcpy(out, c->block + 16 * k, 8);
        memcpy(out + 8, c->r + 8 * n * k, 8 * n);
    }
}

int keywrap_wrap(struct keywrap *kek, const uint8_t *in, uint8_t *out, size_t size, size_t count, int padded)
{
    struct chunk c;
    int good = fits(size, padded);
    size_t n = good ? semiblocks(size, padded) : 1, most = count;
    for (size_t some; good && count; count -= some, in += some * size, out += some * 8 * (n + 1)) {
        some = together(n, count);
        for (size_t k = 0; k < some; k++) {
            initial(c.block + 16 * k, size, padded);
            memset(c.r + 8 * n * (k + 1) - 8, 0, 8);
            memcpy(c.r + 8 * n * k, in + size * k, size);
        }
        good = wrap_chunk(kek, &c, n, some);
        give(&c, out, n, some);
    }
    wipe(&c, n, most);
    return good;
}

/* 1 where the unwrapped key k is not believed; *size is its length in bytes (RFC 5649), without a branch on secrets. */
static uint8_t refused(const struct chunk *c, size_t k, size_t n, int padded, size_t *size)
{
    const uint8_t *a = c->block + 16 * k, *r = c->r + 8 * n * k;
    uint8_t want[8];
    *size = 8 * n;
    if (!padded) {
        initial(want, 0, 0);
        return differ(a, want, 8);
    }
    initial(want, 0, 1);
    uint32_t told = (uint32_t)a[4] << 24 | (uint32_t)a[5] << 16 | (uint32_t)a[6] << 8 | a[7];
    uint8_t bad = differ(a, want, 4) | (uint8_t)(told > 8 * n) | (uint8_t)(told + 8 <= 8 * n);
    uint32_t padding = (uint32_t)(8 * n) - told;
    uint8_t sum = 0;
    for (uint32_t i = 0; i < 8; i++)
        sum |= r[8 * n - 1 - i] & (uint8_t)-(uint8_t)(i < padding);
    bad |= (uint8_t)((sum | (uint8_t)-sum) >> 7);
    *size = bad ? 0 : told;
    return bad;
}

int keywrap_unwrap(struct keywrap *kek, const uint8_t *in, uint8_t *out, size_t size, size_t count, uint8_t *bad, size_t *sizes, int padded)
{
    struct chunk c;
    int good = size % 8 == 0 && size >= 16 && size / 8 - 1 <= MOST_SEMIBLOCKS && (padded || size >= 24);
    size_t n = good ? size / 8 - 1 : 1, most = count;
    for (size_t some; good && count; count -= some, in += some * size, out += some * 8 * n, bad += some, sizes += some) {
        some = together(n, count);
        take(&c, in, n, some);
        good = unwrap_chunk(kek, &c, n, some);
        for (size_t k = 0; k < some; k++) {
            bad[k] = (uint8_t)(!good) | refused(&c, k, n, padded, &sizes[k]);
            for (size_t i = 0; i < 8 * n; i++)
                out[8 * n * k + i] = c.r[8 * n * k + i] & (uint8_t)(bad[k] - 1);
        }
    }
    wipe(&c, n, most);
    return good;
}

int keywrap_rewrap(struct keywrap *from, struct keywrap *to, const uint8_t *in, uint8_t *out, size_t size, size_t count, uint8_t *bad)
{
    struct chunk c;
    int good = size % 8 == 0 && size >= 24 && size / 8 - 1 <= MOST_SEMIBLOCKS;
    size_t n = good ? size / 8 - 1 : 1, most = count, length;
    for (size_t some; good && count; count -= some, in += some * size, out += some * size, bad += some) {
        some = together(n, count);
        take(&c, in, n, some);
        good = unwrap_chunk(from, &c, n, some);
        for (size_t k = 0; k < some; k++) {
            bad[k] = (uint8_t)(!good) | refused(&c, k, n, 0, &length);
            initial(c.block + 16 * k, 0, 0);
        }
        good = good && wrap_chunk(to, &c, n, some);
        give(&c, out, n, some);
        for (size_t k = 0; k < some; k++)
            if (bad[k])
                memset(out + size * k, 0, size);
    }
    wipe(&c, n, most);
    return good;
}
