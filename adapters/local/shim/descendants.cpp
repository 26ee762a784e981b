#include "adapters/local/shim/descendants.hpp"

#include "adapters/local/records/task_files.hpp"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

namespace westerly {
namespace {

std::multimap<pid_t, pid_t> children_by_parent() {
    std::multimap<pid_t, pid_t> found;
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr)
        return found;
    while (const dirent* entry = ::readdir(proc)) {
        pid_t pid = 0;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        if (const auto read = std::from_chars(entry->d_name, end, pid); read.ec != std::errc() || read.ptr != end)
            continue;
        const auto stat = read_small("/proc/" + std::string(entry->d_name) + "/stat");
        if (!stat || stat->rfind(')') == std::string::npos)
            continue;
        std::istringstream rest(stat->substr(stat->rfind(')') + 1));
        std::string state;
        pid_t parent = 0;
        if (rest >> state >> parent && state != "Z")
            found.emplace(parent, pid);
    }
    ::closedir(proc);
    return found;
}

}  // namespace

void signal_descendants(pid_t ancestor, int number) {
    const auto children = children_by_parent();
    std::set<pid_t> todo = {ancestor};
    while (!todo.empty()) {
        const pid_t parent = *todo.begin();
        todo.erase(todo.begin());
        const auto [first, last] = children.equal_range(parent);
        for (auto child = first; child != last; ++child) {
            ::kill(child->second, number);
            todo.insert(child->second);
        }
    }
}

void end_descendants() {
    constexpr int pause_ms = 10;  // children of what is being killed appear late
    for (;;) {
        signal_descendants(::getpid(), SIGKILL);
        pid_t pid = 0;
        while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
        }
        if (pid < 0)
            return;  // no child is left, and orphans would be children
        ::poll(nullptr, 0, pause_ms);
    }
}

}  // namespace westerly
