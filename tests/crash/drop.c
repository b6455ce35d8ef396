/* A disk that forgets what was not synced, as a preloaded library.
 *
 * Below the directory CRASH_ROOT every fsync and fdatasync is honoured by copying what is durable from then on to
 * CRASH_SHADOW: a file's content under "<inode>-<birth time>", a directory's entries as a listing under the same kind
 * of name. `replay.py` builds from that what a power cut would have left. Strict, as POSIX is: a name is durable only
 * after its directory was synced.
 *
 * With an empty shadow nothing is copied: for a process that is only killed, with the disk as it was.
 *
 * crash_after(n) kills the process (SIGKILL) before its n-th changing call below CRASH_ROOT, counted from now.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long countdown = 0; /* 0: never */
static long calls = 0;
static char root[PATH_MAX], shadow[PATH_MAX];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void crash_place(const char *live, const char *durable)
{
    snprintf(root, sizeof root, "%s", live);
    snprintf(shadow, sizeof shadow, "%s", durable);
}

void crash_after(long n)
{
    calls = 0;
    countdown = n;
}

long crash_calls(void) { return calls; }

static int path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0)
        return 0;
    path[n] = 0;
    return 1;
}

static int watched_path(const char *path)
{
    size_t n = strlen(root);
    return n && !strncmp(path, root, n) && (path[n] == '/' || path[n] == 0);
}

static int watched(int fd)
{
    char path[PATH_MAX];
    return root[0] && path_of(fd, path) && watched_path(path);
}

static void tick(void)
{
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (countdown && calls >= countdown)
        kill(getpid(), SIGKILL);
}

/* The name in the shadow of a file or directory: 0 if there is none. `fd` is AT_FDCWD or a directory's, or with an empty
 * path the thing itself. */
static int name_of(int fd, const char *path, char name[64])
{
    struct statx st;
    if (statx(fd, path, fd >= 0 && !*path ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &st))
        return 0;
    snprintf(name, 64, "%c%llu-%lld.%09u", S_ISDIR(st.stx_mode) ? 'd' : 'f', (unsigned long long)st.stx_ino,
             (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    return 1;
}

int crash_name(const char *path, char name[64]) { return name_of(AT_FDCWD, path, name); }

static void keep(int fd)
{
    char name[64], temporary[PATH_MAX + 128], kept[PATH_MAX + 128], path[PATH_MAX];
    static __thread char buffer[1 << 16];
    if (!shadow[0] || !path_of(fd, path) || !name_of(fd, "", name))
        return;
    snprintf(temporary, sizeof temporary, "%s/.%s.%d", shadow, name, (int)gettid());
    snprintf(kept, sizeof kept, "%s/%s", shadow, name);
    int out = REAL(open)(temporary, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (out < 0)
        abort();
    if (name[0] == 'd') {
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir));) {
            char entry[64], line[400];
            if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !name_of(dirfd(dir), e->d_name, entry))
                continue;
            int n = snprintf(line, sizeof line, "%s %s\n", entry, e->d_name);
            if (REAL(write)(out, line, n) != n)
                abort();
        }
        if (dir)
            closedir(dir);
    } else {
        off_t at = 0;
        int in = REAL(open)(path, O_RDONLY);
        for (ssize_t n; in >= 0 && (n = pread(in, buffer, sizeof buffer, at)) > 0; at += n)
            if (REAL(write)(out, buffer, n) != n)
                abort();
        if (in >= 0)
            close(in);
    }
    close(out);
    if (REAL(rename)(temporary, kept))
        abort();
}

static int synced(int fd)
{
    if (watched(fd)) {
        tick();
        keep(fd);
    }
    return 0; /* what matters is in the shadow; a real sync would only cost time */
}

int fsync(int fd) { return watched(fd) ? synced(fd) : REAL(fsync)(fd); }
int fdatasync(int fd) { return watched(fd) ? synced(fd) : REAL(fdatasync)(fd); }

#define CHANGING(result, name, params, args, seen)                                                                     \
    result name params                                                                                                 \
    {                                                                                                                  \
        if (seen)                                                                                                      \
            tick();                                                                                                    \
        return REAL(name) args;                                                                                        \
    }

CHANGING(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), watched(fd))
CHANGING(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), watched(fd))
CHANGING(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), watched(fd))
CHANGING(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), watched(fd))
CHANGING(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o), watched(fd))
CHANGING(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o), watched(fd))
CHANGING(ssize_t, pwritev64v2, (int fd, const struct iovec *v, int n, off64_t o, int f), (fd, v, n, o, f), watched(fd))
CHANGING(int, ftruncate, (int fd, off_t n), (fd, n), watched(fd))
CHANGING(int, ftruncate64, (int fd, off64_t n), (fd, n), watched(fd))
CHANGING(int, rename, (const char *a, const char *b), (a, b), watched_path(a))
CHANGING(int, unlink, (const char *a), (a), watched_path(a))
