#include <stdint.h>

/* inotify(7), without waiting. A descriptor or a watch's number; negative: an errno. */
int notify_open(void);
int notify_watch(int fd, const char *path, uint32_t mask);
