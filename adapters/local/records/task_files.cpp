#include "adapters/local/records/task_files.hpp"

#include "broker/support/files.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <sstream>

namespace westerly {
namespace {

constexpr std::size_t small_bytes_max = 8192;
constexpr std::array<const char*, 5> stop_words = {"none", "cancelled", "peer_failed", "time_limit", "host"};

std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
}

std::int64_t to_ms(instant at) {
    return at.time_since_epoch().count();
}

}  // namespace

std::filesystem::path task_dir(const std::filesystem::path& attempt, std::uint32_t rank) {
    return attempt / "tasks" / std::to_string(rank);
}

const std::string& boot_id() {
    static const std::string id = [] {
        auto text = read_small("/proc/sys/kernel/random/boot_id").value_or("");
        std::erase(text, '\n');
        return text;
    }();
    return id;
}

std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
    const auto text = read_small("/proc/" + std::to_string(pid) + "/stat");
    if (!text)
        return std::nullopt;
    // The name may hold anything; after its last ')' come the state and 19 more fields, then the start time.
    const auto name_end = text->rfind(')');
    if (name_end == std::string::npos)
        return std::nullopt;
    std::istringstream rest(text->substr(name_end + 1));
    std::string field;
    for (int i = 0; i < 19; ++i)
        rest >> field;
    std::uint64_t ticks = 0;
    return rest >> ticks ? std::optional(ticks) : std::nullopt;
}

process_identity own_identity() {
    return {::getpid(), start_ticks_of(::getpid()).value_or(0), boot_id()};
}

bool signal_process(const process_identity& who, int number) {
    if (who.pid <= 1 || who.boot != boot_id() || start_ticks_of(who.pid) != who.start_ticks)
        return false;
    return ::kill(who.pid, number) == 0;
}

std::string format_identity(const process_identity& who) {
    return std::to_string(who.pid) + ' ' + std::to_string(who.start_ticks) + ' ' + who.boot + '\n';
}

std::optional<process_identity> parse_identity(const std::string& text) {
    std::istringstream in(text);
    process_identity who;
    return in >> who.pid >> who.start_ticks >> who.boot ? std::optional(who) : std::nullopt;
}

std::string format_verdict(const launch_verdict& verdict) {
    if (verdict.go)
        return "go " + std::to_string(to_ms(verdict.at)) + ' ' +
               (verdict.up_ms ? std::to_string(*verdict.up_ms) + ' ' : "") + verdict.boot + '\n';
    return "no " + one_line(verdict.reason) + '\n';
}

std::optional<launch_verdict> parse_verdict(const std::string& text) {
    std::istringstream in(text);
    std::string word;
    in >> word;
    launch_verdict verdict;
    if (word == "no") {
        in.get();
        std::getline(in, verdict.reason);
        return verdict;
    }
    std::int64_t ms = 0;
    verdict.go = true;
    std::string boot;
    if (word != "go" || !(in >> ms >> verdict.boot))
        return std::nullopt;
    if (in >> boot) {
        std::int64_t up_ms = 0;
        const auto& text = verdict.boot;
        if (std::from_chars(text.data(), text.data() + text.size(), up_ms).ec != std::errc())
            return std::nullopt;
        verdict.up_ms = up_ms;
        verdict.boot = boot;
    }
    verdict.at = instant(milliseconds(ms));
    return verdict;
}

std::int64_t time_since_boot_ms() {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

instant now_since(const launch_verdict& verdict) {
    if (!verdict.up_ms || verdict.boot != boot_id())
        return system_wall_clock().now();
    return verdict.at + milliseconds(time_since_boot_ms() - *verdict.up_ms);
}

std::string format_end(const task_end& end) {
    std::ostringstream out;
    out << to_ms(end.at) << ' ' << (end.exit_code ? "exit " : "signal ")
        << end.exit_code.value_or(end.exit_signal.value_or(0)) << ' '
        << stop_words[static_cast<std::size_t>(end.stopped)] << ' ' << one_line(end.message) << '\n';
    return out.str();
}

std::optional<task_end> parse_end(const std::string& text) {
    std::istringstream in(text);
    std::int64_t ms = 0;
    std::string how;
    int number = 0;
    std::string stopped;
    if (!(in >> ms >> how >> number >> stopped) || (how != "exit" && how != "signal"))
        return std::nullopt;
    task_end end;
    end.at = instant(milliseconds(ms));
    (how == "exit" ? end.exit_code : end.exit_signal) = number;
    const auto* found = std::ranges::find(stop_words, stopped);
    if (found == stop_words.end())
        return std::nullopt;
    end.stopped = static_cast<stop_reason>(found - stop_words.begin());
    in.get();
    std::getline(in, end.message);
    return end;
}

std::optional<std::string> read_small(const std::filesystem::path& path) {
    // Not read_file: files of /proc tell no size.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return std::nullopt;
    std::string text(small_bytes_max, '\0');
    std::size_t size = 0;
    for (;;) {
        const auto got = ::read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || size + static_cast<std::size_t>(got) == text.size()) {
            ::close(fd);
            if (got != 0)
                return std::nullopt;
            text.resize(size);
            return text;
        }
        size += static_cast<std::size_t>(got);
    }
}

bool write_volatile(const std::filesystem::path& path, const std::string& text) {
    const auto beside = path.string() + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    const bool wrote = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0)
        ::close(fd);
    return wrote && ::rename(beside.c_str(), path.c_str()) == 0;
}

int take_task_lock(const std::filesystem::path& task) {
    const int fd = ::open((task / task_file::lock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct flock wanted {};
    wanted.l_type = F_WRLCK;
    if (fd >= 0 && ::fcntl(fd, F_OFD_SETLK, &wanted) == 0)
        return fd;
    if (fd >= 0)
        ::close(fd);
    return -1;
}

bool task_locked(const std::filesystem::path& task) {
    const int fd = ::open((task / task_file::lock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct flock asked {};
    asked.l_type = F_WRLCK;
    const bool held = ::fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
    ::close(fd);
    return held;
}

}  // namespace westerly
