/* One SG_IO call (sg_io_hdr, interface version 3), and pages for key material. Mechanics only. */
#define _GNU_SOURCE
#include <errno.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sgio.h"

int sgio_execute(int fd, const uint8_t *cdb, size_t cdb_size, int direction, uint8_t *data, size_t size, uint8_t *sense,
                 size_t sense_room, uint32_t timeout_ms, struct sgio_answer *answer)
{
    static const int directions[] = {SG_DXFER_NONE, SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV};
    struct sg_io_hdr header = {
        .interface_id = 'S',
        .dxfer_direction = directions[direction],
        .cmd_len = (unsigned char)cdb_size,
        .mx_sb_len = (unsigned char)sense_room,
        .dxfer_len = (unsigned int)size,
        .dxferp = data,
        .cmdp = (unsigned char *)cdb,
        .sbp = sense,
        .timeout = timeout_ms,
    };
    memset(answer, 0, sizeof *answer);
    if (ioctl(fd, SG_IO, &header) < 0)
        return errno;
    answer->status = header.status;
    answer->host_status = header.host_status;
    answer->driver_status = header.driver_status;
    answer->sense_size = header.sb_len_wr;
    answer->residual = header.resid;
    answer->duration_ms = header.duration;
    return 0;
}

uint8_t *locked_new(size_t size, int *locked)
{
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    *locked = mlock(page, size) == 0;
    madvise(page, size, MADV_DONTDUMP);
    return page;
}

void locked_wipe(uint8_t *page, size_t size) { explicit_bzero(page, size); }

void locked_free(uint8_t *page, size_t size)
{
    explicit_bzero(page, size);
    munmap(page, size); /* unlocks */
}
