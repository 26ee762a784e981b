/* Tries what a term must not: each offer's quantity is the number of attempts that the host let pass. */
#define _POSIX_C_SOURCE 200809L
#include "bad.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int forks(void) {
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid(child, 0, 0);
    return child > 0;
}

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    int passed = 0;
    const long page = sysconf(_SC_PAGESIZE);
    (void)request;
    passed += socket(AF_INET, SOCK_STREAM, 0) >= 0;
    passed += open("/etc/passwd", O_RDONLY) >= 0;
    passed += kill(getppid(), 0) == 0;
    passed += forks();
    /* The shared columns are the broker's. */
    passed += mprotect((void *)((size_t)columns->offer_price_per_h & ~(size_t)(page - 1)), (size_t)page,
                       PROT_READ | PROT_WRITE) == 0;
    fill(count, quantity, passed);
    return 0;
}
