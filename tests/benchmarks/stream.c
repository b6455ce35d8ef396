/* The initiator of the benchmarks: for each URL a session of libiscsi in a process of its own, one command at a time.
 *
 *   stream TASK BLOCK COUNT PATTERN URL...
 *
 * TASK: write (REWIND, then COUNT WRITE(6) of BLOCK bytes, then one filemark), read (REWIND, then COUNT READ(6)),
 * key (Set Data Encryption: AES-256-GCM with a fixed key, all nexuses), clear (that undone), compress or plain (data
 * compression by mode page 0Fh on or off), erase (REWIND and a filemark: end of data at the beginning).
 * PATTERN: random (incompressible) or text (compressible about three to one), both the same in every run.
 * Prints the seconds from the first data command to the end of the last, all sessions taken together. The filemark
 * stands inside: what is acknowledged by it has to be where the target keeps it. The last block that was read is
 * compared. Exit status 1: something failed.
 */
#define _GNU_SOURCE
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME "iqn.2026-11.invalid.tapekey:bench"

static struct iscsi_context *session;
static int lun;

static void die(const char *what)
{
    fprintf(stderr, "stream: %s: %s\n", what, session ? iscsi_get_error(session) : "");
    _exit(1);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

/* One command; what comes in goes to `data`. Returns the SCSI status; the sense key and code are in `sense`. */
static int command(const uint8_t *cdb, int size, int direction, uint8_t *data, size_t length, struct scsi_sense *sense)
{
    struct scsi_task *task = scsi_create_task(size, (unsigned char *)cdb, direction, (int)length);
    struct scsi_iovec place = {data, length};
    if (direction == SCSI_XFER_WRITE)
        scsi_task_set_iov_out(task, &place, 1);
    if (direction == SCSI_XFER_READ)
        scsi_task_set_iov_in(task, &place, 1);
    if (iscsi_scsi_command_sync(session, lun, task, NULL) == NULL)
        die("no answer");
    int status = task->status;
    if (sense)
        *sense = task->sense;
    if (status == SCSI_STATUS_GOOD && task->residual_status != SCSI_RESIDUAL_NO_RESIDUAL)
        die("a residual");
    scsi_free_scsi_task(task);
    return status;
}

static void demand(const char *what, const uint8_t *cdb, int size, int direction, uint8_t *data, size_t length)
{
    struct scsi_sense sense;
    if (command(cdb, size, direction, data, length, &sense) != SCSI_STATUS_GOOD)
        die(what);
}

/* Take the attentions that a new session has. */
static void settle(void)
{
    static const uint8_t ready[6];
    for (int tries = 0; command(ready, 6, SCSI_XFER_NONE, NULL, 0, NULL) != SCSI_STATUS_GOOD; tries++)
        if (tries == 8)
            die("not ready");
}

static void begin(const char *text)
{
    session = iscsi_create_context(NAME);
    struct iscsi_url *url = session ? iscsi_parse_full_url(session, text) : NULL;
    if (url == NULL)
        die(text);
    lun = url->lun;
    iscsi_set_noautoreconnect(session, 1);
    iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(session, ISCSI_HEADER_DIGEST_NONE);
    iscsi_set_targetname(session, url->target);
    if (iscsi_connect_sync(session, url->portal) || iscsi_login_sync(session))
        die("cannot log in");
    iscsi_destroy_url(url);
}

static void rewind_tape(void)
{
    static const uint8_t rewind[6] = {0x01};
    demand("REWIND", rewind, 6, SCSI_XFER_NONE, NULL, 0);
}

static void filemark(void)
{
    static const uint8_t mark[6] = {0x10, 0, 0, 0, 1, 0};
    demand("WRITE FILEMARKS", mark, 6, SCSI_XFER_NONE, NULL, 0);
}

static void transfer(int opcode, uint8_t *data, size_t block, long count)
{
    const uint8_t cdb[6] = {(uint8_t)opcode, 0, (uint8_t)(block >> 16), (uint8_t)(block >> 8), (uint8_t)block, 0};
    int direction = opcode == 0x0A ? SCSI_XFER_WRITE : SCSI_XFER_READ;
    for (long each = 0; each < count; each++)
        demand(opcode == 0x0A ? "WRITE(6)" : "READ(6)", cdb, 6, direction, data, block);
}

/* SSC-4, 8.5.3.2: Set Data Encryption page, scope ALL I_T NEXUS; a key by format 00h, or modes DISABLE. */
static void set_key(int on, int algorithm)
{
    uint8_t page[52] = {0x00, 0x10, 0, 16, 0x40, 0, 0, 0, (uint8_t)algorithm};
    size_t size = on ? 52 : 20;
    page[3] = (uint8_t)(size - 4);
    if (on) {
        page[6] = page[7] = 2;
        page[19] = 32;
        memset(page + 20, 0x5A, 32);
    }
    const uint8_t cdb[12] = {0xB5, 0x20, 0, 0x10, 0, 0, 0, 0, 0, (uint8_t)size, 0, 0};
    demand("SECURITY PROTOCOL OUT", cdb, 12, SCSI_XFER_WRITE, page, size);
}

/* SSC-4, 8.3.3: DCE of mode page 0Fh. */
static void set_compression(int on)
{
    uint8_t page[20] = {0};
    const uint8_t sense[6] = {0x1A, 0x08, 0x0F, 0, 20, 0};
    const uint8_t select[6] = {0x15, 0x10, 0, 0, 20, 0};
    demand("MODE SENSE", sense, 6, SCSI_XFER_READ, page, sizeof page);
    page[0] = page[1] = 0;
    page[4] &= 0x3F;
    page[6] = (uint8_t)((page[6] & 0x7F) | (on ? 0x80 : 0));
    demand("MODE SELECT", select, 6, SCSI_XFER_WRITE, page, sizeof page);
}

static void fill(uint8_t *data, size_t size, const char *pattern)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    int text = strcmp(pattern, "text") == 0;
    for (size_t at = 0; at < size; at++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        data[at] = text && (at / 64) % 3 ? "tapekey "[at % 8] : (uint8_t)state;
    }
}

static void work(const char *task, uint8_t *data, size_t block, long count)
{
    if (strcmp(task, "write") == 0) {
        transfer(0x0A, data, block, count);
        filemark();
        return;
    }
    uint8_t *arrived = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    transfer(0x08, arrived, block, count);
    if (memcmp(arrived, data, block))
        die("the last block differs");
}

/* Everything before the first data command, then wait for the others, then the work. */
static void child(const char *task, uint8_t *data, size_t block, long count, const char *url, int ready, int go)
{
    char start;
    begin(url);
    settle();
    rewind_tape();
    if (write(ready, "r", 1) != 1 || read(go, &start, 1) != 1)
        die("the start");
    work(task, data, block, count);
    iscsi_logout_sync(session);
    iscsi_destroy_context(session);
    _exit(0);
}

static int set(const char *task, const char *url, long index)
{
    begin(url);
    settle();
    if (strcmp(task, "key") == 0 || strcmp(task, "clear") == 0)
        set_key(task[0] == 'k', (int)index);
    else if (strcmp(task, "compress") == 0 || strcmp(task, "plain") == 0)
        set_compression(task[0] == 'c');
    else
        rewind_tape(), filemark();
    iscsi_logout_sync(session);
    iscsi_destroy_context(session);
    return 0;
}

int main(int count, char **words)
{
    if (count < 6)
        return 2;
    const char *task = words[1];
    size_t block = strtoul(words[2], NULL, 10);
    long blocks = strtol(words[3], NULL, 10);
    if (strcmp(task, "read") && strcmp(task, "write"))
        return set(task, words[5], blocks);
    int sessions = count - 5, ready[2], go[2], failed = 0, told;
    uint8_t *data = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(data, block, words[4]);
    if (pipe(ready) || pipe(go))
        return 1;
    for (int each = 0; each < sessions; each++)
        if (fork() == 0)
            child(task, data, block, blocks, words[5 + each], ready[1], go[0]);
    close(ready[1]);
    close(go[0]);
    char letter;
    for (int each = 0; each < sessions; each++)
        if (read(ready[0], &letter, 1) != 1)
            return 1;
    double began = now();
    for (int each = 0; each < sessions; each++)
        if (write(go[1], "g", 1) != 1)
            return 1;
    while (wait(&told) > 0)
        failed |= told;
    printf("%.6f\n", now() - began);
    return failed != 0;
}
