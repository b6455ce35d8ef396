#include <stddef.h>
#include <stdint.h>

struct initiator;

/* What is needed to log in; secrets by place and size. */
struct initiator_login {
    const char *portal; /* host:port, [host]:port */
    const char *target;
    const char *name; /* the initiator's own */
    const uint8_t *user, *secret;           /* CHAP: who we are; NULL: none */
    size_t user_size, secret_size;
    const uint8_t *peer_user, *peer_secret; /* CHAP: who the target has to be; NULL: not asked */
    size_t peer_user_size, peer_secret_size;
};

struct initiator_answer {
    uint8_t status;
    size_t sense_size;
    size_t arrived; /* bytes of data-in, by the target's residual */
};

/* Each returns one of these. After anything but DONE and WAITING nothing but initiator_close is of use. */
enum { INITIATOR_DONE, INITIATOR_WAITING, INITIATOR_LOST, INITIATOR_REFUSED, INITIATOR_NO_MEMORY };

struct initiator *initiator_new(const struct initiator_login *login);
int initiator_connect(struct initiator *one);
int initiator_login(struct initiator *one, const struct initiator_login *login);

/* Starts a command; `data` stays the caller's and must last until the command is done or the initiator closed. */
int initiator_start(struct initiator *one, int lun, const uint8_t *cdb, size_t cdb_size, int direction, uint8_t *data, size_t size);

/* Works on whatever is under way for at most so long. WAITING: not done yet, or interrupted by a signal. */
int initiator_wait(struct initiator *one, uint32_t milliseconds);
void initiator_answer(struct initiator *one, struct initiator_answer *answer, uint8_t *sense, size_t room);

/* Answers what the target asked while nothing was under way. LOST or DONE. */
int initiator_look(struct initiator *one);

/* Wipes the names and secrets that libiscsi keeps for logging in again. */
void initiator_forget(struct initiator *one);

const char *initiator_why(struct initiator *one);
void initiator_logout(struct initiator *one, uint32_t milliseconds);
void initiator_close(struct initiator *one);
