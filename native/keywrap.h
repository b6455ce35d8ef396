#include <stddef.h>
#include <stdint.h>

struct keywrap;
struct keywrap *keywrap_new(const uint8_t *key, size_t size);
void keywrap_free(struct keywrap *kek);
int keywrap_wrap(struct keywrap *kek, const uint8_t *in, uint8_t *out, size_t size, size_t count, int padded);
int keywrap_unwrap(struct keywrap *kek, const uint8_t *in, uint8_t *out, size_t size, size_t count, uint8_t *bad, size_t *sizes, int padded);
int keywrap_rewrap(struct keywrap *from, struct keywrap *to, const uint8_t *in, uint8_t *out, size_t size, size_t count, uint8_t *bad);
