/* One session of libiscsi with one command at a time under way. Mechanics only: it never connects again by itself. */
#define _GNU_SOURCE
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "iscsi.h"

struct initiator {
    struct iscsi_context *context;
    struct scsi_task *task;
    struct scsi_iovec place;
    char portal[MAX_STRING_SIZE + 1];
    int done;   /* what was started has ended */
    int status; /* how */
    int error;  /* the socket's errno, before libiscsi takes it */
    char earlier[MAX_STRING_SIZE + 1]; /* what libiscsi had to say before this command: it keeps its last words */
};

static void ended(struct iscsi_context *context, int status, void *data, void *one)
{
    (void)context, (void)data;
    ((struct initiator *)one)->done = 1;
    ((struct initiator *)one)->status = status;
}

static int begun(int failed) { return failed ? INITIATOR_LOST : INITIATOR_WAITING; }

struct initiator *initiator_new(const struct initiator_login *login)
{
    struct initiator *one = calloc(1, sizeof *one);
    if (one == NULL)
        return NULL;
    one->context = iscsi_create_context(login->name);
    if (one->context == NULL) {
        free(one);
        return NULL;
    }
    strncpy(one->portal, login->portal, MAX_STRING_SIZE);
    iscsi_set_log_level(one->context, 0); /* whatever LIBISCSI_DEBUG says: login text is not for a terminal */
    iscsi_set_noautoreconnect(one->context, 1); /* a new session is a new nexus: its loss must be told */
    iscsi_set_reconnect_max_retries(one->context, 0);
    iscsi_set_session_type(one->context, ISCSI_SESSION_NORMAL);
    iscsi_set_targetname(one->context, login->target);
    return one;
}

int initiator_connect(struct initiator *one)
{
    one->done = 0;
    return begun(iscsi_connect_async(one->context, one->portal, ended, one));
}

/* libiscsi takes strings: make them, lend them, wipe them. */
static int lend(struct iscsi_context *context, int (*take)(struct iscsi_context *, const char *, const char *),
                const uint8_t *user, size_t user_size, const uint8_t *secret, size_t secret_size)
{
    char texts[2][MAX_STRING_SIZE + 1] = {{0}};
    if (user == NULL)
        return 0;
    if (user_size > MAX_STRING_SIZE || secret_size > MAX_STRING_SIZE)
        return -1;
    memcpy(texts[0], user, user_size);
    memcpy(texts[1], secret, secret_size);
    int failed = take(context, texts[0], texts[1]);
    explicit_bzero(texts, sizeof texts);
    return failed;
}

int initiator_login(struct initiator *one, const struct initiator_login *login)
{
    one->done = 0;
    if (lend(one->context, iscsi_set_initiator_username_pwd, login->user, login->user_size, login->secret,
             login->secret_size) ||
        lend(one->context, iscsi_set_target_username_pwd, login->peer_user, login->peer_user_size, login->peer_secret,
             login->peer_secret_size))
        return INITIATOR_REFUSED;
    return begun(iscsi_login_async(one->context, ended, one));
}

int initiator_start(struct initiator *one, int lun, const uint8_t *cdb, size_t cdb_size, int direction, uint8_t *data, size_t size)
{
    static const int directions[] = {SCSI_XFER_NONE, SCSI_XFER_WRITE, SCSI_XFER_READ};
    if (one->task != NULL)
        scsi_free_scsi_task(one->task);
    one->done = 0;
    strncpy(one->earlier, iscsi_get_error(one->context), MAX_STRING_SIZE);
    one->place = (struct scsi_iovec){data, size};
    one->task = scsi_create_task((int)cdb_size, (unsigned char *)cdb, directions[direction], (int)size);
    if (one->task == NULL)
        return INITIATOR_NO_MEMORY;
    if (direction == 1)
        scsi_task_set_iov_out(one->task, &one->place, 1);
    if (direction == 2)
        scsi_task_set_iov_in(one->task, &one->place, 1);
    return begun(iscsi_scsi_command_async(one->context, lun, one->task, ended, NULL, one));
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000) + at.tv_nsec / 1000000;
}

static int settled(struct initiator *one)
{
    if (one->status == SCSI_STATUS_REDIRECT)
        return INITIATOR_REFUSED;
    if (one->status == SCSI_STATUS_CANCELLED || one->status == SCSI_STATUS_ERROR || one->status == SCSI_STATUS_TIMEOUT)
        return INITIATOR_LOST;
    return INITIATOR_DONE;
}

int initiator_wait(struct initiator *one, uint32_t milliseconds)
{
    int64_t end = now() + milliseconds;
    while (!one->done) {
        struct pollfd socket = {.fd = iscsi_get_fd(one->context), .events = (short)iscsi_which_events(one->context)};
        if (socket.fd < 0 || socket.events == 0)
            return INITIATOR_LOST;
        int64_t left = end - now();
        int ready = poll(&socket, 1, left > 0 ? (int)left : 0);
        if (ready <= 0)
            return INITIATOR_WAITING;
        if (socket.revents & POLLERR) {
            socklen_t size = sizeof one->error;
            getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &one->error, &size);
            return INITIATOR_LOST;
        }
        if (iscsi_service(one->context, socket.revents) != 0)
            return one->done && settled(one) == INITIATOR_REFUSED ? INITIATOR_REFUSED : INITIATOR_LOST;
    }
    return settled(one);
}

int initiator_look(struct initiator *one)
{
    struct pollfd socket = {.fd = iscsi_get_fd(one->context), .events = POLLIN};
    if (socket.fd < 0)
        return INITIATOR_LOST;
    if (poll(&socket, 1, 0) > 0 && iscsi_service(one->context, socket.revents) != 0)
        return INITIATOR_LOST;
    /* the answer to a ping goes out with the next turn */
    short events = (short)iscsi_which_events(one->context);
    if (events & POLLOUT && iscsi_service(one->context, POLLOUT) != 0)
        return INITIATOR_LOST;
    return events == 0 || iscsi_get_fd(one->context) < 0 ? INITIATOR_LOST : INITIATOR_DONE;
}

void initiator_answer(struct initiator *one, struct initiator_answer *answer, uint8_t *sense, size_t room)
{
    const struct scsi_task *task = one->task;
    size_t residual = task->residual_status == SCSI_RESIDUAL_UNDERFLOW ? task->residual : 0;
    memset(answer, 0, sizeof *answer);
    answer->status = (uint8_t)one->status;
    answer->arrived = residual < one->place.iov_len ? one->place.iov_len - residual : 0;
    if (one->status != SCSI_STATUS_CHECK_CONDITION || task->datain.data == NULL || task->datain.size < 2)
        return;
    size_t told = (size_t)task->datain.data[0] << 8 | task->datain.data[1];
    size_t held = (size_t)task->datain.size - 2;
    answer->sense_size = told < held ? told : held;
    if (answer->sense_size > room)
        answer->sense_size = room;
    memcpy(sense, task->datain.data + 2, answer->sense_size);
}

const char *initiator_why(struct initiator *one)
{
    const char *told = iscsi_get_error(one->context);
    if (one->error)
        return strerror(one->error);
    return strcmp(told, one->earlier) ? told : "";
}

void initiator_logout(struct initiator *one, uint32_t milliseconds)
{
    one->done = 0;
    if (iscsi_is_logged_in(one->context) && iscsi_logout_async(one->context, ended, one) == 0)
        initiator_wait(one, milliseconds);
}

void initiator_forget(struct initiator *one)
{
    iscsi_set_initiator_username_pwd(one->context, "", ""); /* pads with zeros over what was there */
    iscsi_set_target_username_pwd(one->context, "", "");
}

void initiator_close(struct initiator *one)
{
    initiator_forget(one);
    iscsi_destroy_context(one->context); /* ends what is under way, so that nothing writes into its buffer */
    if (one->task != NULL)
        scsi_free_scsi_task(one->task);
    free(one);
}
