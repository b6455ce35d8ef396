/* Software that writes to a tape without asking anybody: opens, tries again, writes a label and some blocks.
 *
 *     writer NODE START DEADLINE WAY CONTENT BLOCKS
 *
 * START and DEADLINE are CLOCK_MONOTONIC in nanoseconds; WAY is `waiting` or `asking`; CONTENT, a file whose bytes are
 * one block. One line for each thing that came out otherwise than the last: time, what, error number, how often.
 * What fails before the first block is tried again; behind it, the job has failed, as that of backup software has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mtio.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 32768, PAUSE_US = 100000, REST_US = 2000000, GAP_US = 40000 };

static char block[BLOCK];
static const char *last_what = "";
static int last_error = -1;
static long repeated;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void tell(const char *what, int error) {
    if (strcmp(what, last_what) == 0 && error == last_error) {
        repeated++;
        return;
    }
    if (repeated) printf("%lld again %d %ld\n", (long long)now(), last_error, repeated);
    printf("%lld %s %d 1\n", (long long)now(), what, error);
    fflush(stdout);
    last_what = what, last_error = error, repeated = 0;
}

static void woken(int number) { (void)number; }

static int rewound(int tape) {
    struct mtop rewind = {.mt_op = MTREW, .mt_count = 1};
    return ioctl(tape, MTIOCTOP, &rewind);
}

/* 0: nothing was written, but opened. 1: all of it. -1: some of it. 2: not even opened. */
static int job(const char *node, int flags, int rewinds, int blocks) {
    int tape = open(node, O_RDWR | flags);
    if (tape < 0) return tell("open", errno), 2;
    int done = 0, error = 0;
    if (rewinds && rewound(tape) < 0) error = errno, tell("rewind", error);
    for (; !error && done < blocks; done++) {
        memcpy(block, &done, sizeof done);
        if (write(tape, block, BLOCK) != BLOCK) {
            error = errno ? errno : EIO;
            tell(done ? "block" : "label", error);
            break;
        }
        tell(done ? "block" : "label", 0);
        usleep(GAP_US);
    }
    if (close(tape) < 0 && !error) tell("close", error = errno);
    if (done) printf("%lld written %d %d\n", (long long)now(), error, done), fflush(stdout);
    return !done ? 0 : error ? -1 : 1;
}

int main(int count, char **words) {
    if (count != 7) return 99;
    int64_t start = atoll(words[2]), deadline = atoll(words[3]);
    int waits = strcmp(words[4], "waiting") == 0;
    int content = open(words[5], O_RDONLY);
    if (content < 0 || read(content, block, BLOCK) != BLOCK) return 98;
    close(content);

    struct sigaction alarmed = {.sa_handler = woken}; /* without SA_RESTART: a waiting open ends with EINTR */
    sigaction(SIGALRM, &alarmed, NULL);
    struct timespec until = {.tv_sec = start / 1000000000, .tv_nsec = start % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    for (int tries = 0; now() < deadline; tries++) {
        alarm((deadline - now()) / 1000000000 + 1);
        int came = job(words[1], waits ? 0 : O_NONBLOCK, !waits || tries, atoi(words[6]));
        if (came == 1 || came == -1) return came != 1;
        usleep(came ? PAUSE_US : REST_US); /* who was in and could not write does not hammer */
    }
    tell("over", 0);
    return 2;
}
