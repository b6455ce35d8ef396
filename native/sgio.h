#include <stddef.h>
#include <stdint.h>

struct sgio_answer {
    uint8_t status;
    uint16_t host_status;
    uint16_t driver_status;
    uint8_t sense_size;
    int32_t residual;
    uint32_t duration_ms;
};

/* direction: 0 none, 1 to the device, 2 from it. Returns 0 or an errno; what the kernel told is in `answer`. */
int sgio_execute(int fd, const uint8_t *cdb, size_t cdb_size, int direction, uint8_t *data, size_t size, uint8_t *sense,
                 size_t sense_room, uint32_t timeout_ms, struct sgio_answer *answer);

/* A private page for key material: left out of core dumps, locked into memory if the limit allows. NULL: no memory. */
uint8_t *locked_new(size_t size, int *locked);
void locked_wipe(uint8_t *page, size_t size);
void locked_free(uint8_t *page, size_t size);
