/* A device that answers at once: preloaded, every SG_IO succeeds without a kernel, so that what is measured is the call.
 * bare_loop is the same ioctl made from C alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (request != SG_IO)
        return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
    struct sg_io_hdr *header = argument;
    header->status = header->host_status = header->driver_status = header->sb_len_wr = 0;
    header->resid = 0;
    return 0;
}

/* Seconds for one call, over `rounds` of an INQUIRY with `size` bytes of room. */
double bare_loop(int fd, int rounds, unsigned size)
{
    static unsigned char data[65536], sense[252], cdb[6] = {0x12, 0, 0, 0, 96, 0};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < rounds; i++) {
        struct sg_io_hdr header = {.interface_id = 'S', .dxfer_direction = SG_DXFER_FROM_DEV, .cmd_len = sizeof cdb,
                                   .mx_sb_len = sizeof sense, .dxfer_len = size, .dxferp = data, .cmdp = cdb,
                                   .sbp = sense, .timeout = 1000};
        ioctl(fd, SG_IO, &header);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) * 1e-9) / rounds;
}
