// Preloaded into a process (LD_PRELOAD) it moves what that process takes for the time of day by as many nanoseconds as
// stand in the file $SHIFTED_CLOCK_FILE, which may change at any time. Nothing else of the machine is touched.
// The local adapter's shims are started without its environment; they belong to the same machine as it, so they get the
// same clock. Their tasks do not.

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::int64_t nanos_per_s = 1'000'000'000;

const std::atomic<std::int64_t>* open_shift() {
    static const std::atomic<std::int64_t> none{0};
    const char* path = std::getenv("SHIFTED_CLOCK_FILE");
    const int file = path ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return &none;
    void* at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    return at == MAP_FAILED ? &none : static_cast<const std::atomic<std::int64_t>*>(at);
}

std::int64_t shift() {
    static const auto* const at = open_shift();
    return at->load(std::memory_order_relaxed);
}

using clock_function = int (*)(clockid_t, timespec*);

int real_clock(clockid_t clock, timespec* into) {
    static const auto real = reinterpret_cast<clock_function>(::dlsym(RTLD_NEXT, "clock_gettime"));
    return real(clock, into);
}

using spawn_function = int (*)(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                               char* const*, char* const*);

}  // namespace

extern "C" int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                           const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment) {
    static const auto real = reinterpret_cast<spawn_function>(::dlsym(RTLD_NEXT, "posix_spawn"));
    if (!std::string_view(path).ends_with("/westerly-local-shim"))
        return real(pid, path, actions, attributes, arguments, environment);
    std::vector<std::string> added;
    for (const char* name : {"LD_PRELOAD", "SHIFTED_CLOCK_FILE", "ASAN_OPTIONS"})
        if (const char* value = std::getenv(name))
            added.push_back(std::string(name) + '=' + value);
    std::vector<char*> all;
    for (char* const* entry = environment; *entry; ++entry)
        all.push_back(*entry);
    for (auto& entry : added)
        all.push_back(entry.data());
    all.push_back(nullptr);
    return real(pid, path, actions, attributes, arguments, all.data());
}

extern "C" int clock_gettime(clockid_t clock, timespec* into) noexcept {
    const int done = real_clock(clock, into);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        const std::int64_t now = into->tv_sec * nanos_per_s + into->tv_nsec + shift();
        into->tv_sec = now / nanos_per_s;
        into->tv_nsec = now % nanos_per_s;
    }
    return done;
}

extern "C" int gettimeofday(timeval* into, void*) noexcept {
    timespec now;
    const int done = ::clock_gettime(CLOCK_REALTIME, &now);
    if (done == 0) {
        into->tv_sec = now.tv_sec;
        into->tv_usec = now.tv_nsec / 1000;
    }
    return done;
}

extern "C" std::time_t time(std::time_t* into) noexcept {
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (into)
        *into = now.tv_sec;
    return now.tv_sec;
}
