#include "adapters/local/attempt_record.hpp"
#include "adapters/local/local_adapter.hpp"
#include "adapters/local/records/task_files.hpp"
#include "broker/support/log.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

namespace westerly {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr milliseconds sweep_every{5'000};  // a shim that was killed tells nothing
constexpr milliseconds purge_every{600'000};
constexpr milliseconds retry_after{20};  // an attempt that somebody works on just now
constexpr milliseconds offers_told_every{1'000};
constexpr seconds staged_kept{86'400};  // bundles whose launch never came

}  // namespace

/// Brings what is known of an attempt up to date, gives its units back at its end and tells the broker of changes.
void local_adapter::settle(const entry_ptr& entry) {
    const auto now = system_wall_clock().now();
    const bool over = settle_attempt(state_.attempt(entry->token), entry->token, entry->tasks, now);
    const auto seen = look(*entry);
    if (over && book_.end(entry, seen.ended_at.value_or(now)))
        offers_stale_ = true;
    if (seen.at == entry->told)
        return;
    entry->told = seen.at;
    tell_->attempt_changed(seen);
}

/// The one thread that listens to shims, looks after the silent ones, and clears away what is old.
void local_adapter::watch() {
    for (const auto& entry : book_.live()) {  // of an earlier life, perhaps killed on its way
        const std::lock_guard hold(entry->work);
        launcher_.drive(*entry);
        settle(entry);
    }
    auto swept = steady_clock::now();
    auto purged = steady_clock::time_point();
    auto told = steady_clock::time_point();
    std::set<std::string> changed;
    for (;;) {
        const auto wait = !changed.empty() ? retry_after : offers_stale_ ? offers_told_every : sweep_every;
        pollfd events{events_, POLLIN, 0};
        ::poll(&events, 1, static_cast<int>(wait.count()));
        take_events(changed);
        const auto now = steady_clock::now();
        if (now - swept >= sweep_every) {
            swept = now;
            for (const auto& entry : book_.live())
                changed.insert(entry->token);
        }
        settle_changed(changed);
        if (offers_stale_ && now - told >= offers_told_every) {
            told = now;
            offers_stale_ = false;
            tell_->offers_changed();
        }
        if (now - purged >= purge_every) {
            purged = now;
            purge(system_wall_clock().now());
        }
    }
}

/// Lines of the FIFO are hints: any text may stand there, and only tokens that are known matter.
void local_adapter::take_events(std::set<std::string>& changed) const {
    constexpr std::size_t line_bytes = 34;
    std::string text(line_bytes * 256, '\0');
    for (ssize_t got; (got = ::read(events_, text.data(), text.size())) > 0;) {
        const std::string_view lines(text.data(), static_cast<std::size_t>(got));
        for (std::size_t at = 0; at < lines.size();) {
            const auto end = std::min(lines.find('\n', at), lines.size());
            if (const std::string token(lines.substr(at, end - at)); book_.find(token))
                changed.insert(token);
            at = end + 1;
        }
    }
}

void local_adapter::settle_changed(std::set<std::string>& changed) {
    if (!changed.empty())
        launcher_.poke();
    for (auto at = changed.begin(); at != changed.end();) {
        const auto entry = book_.find(*at);
        const std::unique_lock hold =
            entry ? std::unique_lock(entry->work, std::try_to_lock) : std::unique_lock<std::mutex>();
        if (entry && !hold.owns_lock()) {
            ++at;  // whoever has it may have looked before this change
            continue;
        }
        if (entry)
            settle(entry);
        at = changed.erase(at);
    }
}

void local_adapter::purge(instant now) {
    const auto limit = now - seconds(config_.retention_s);
    for (const auto& entry : book_.ended_before(limit)) {
        const std::lock_guard hold(entry->work);
        // Out of sight first: a half removed folder must not be read as an attempt.
        std::error_code code;
        fs::rename(state_.attempt(entry->token), state_.making(entry->token), code);
        fs::remove_all(state_.making(entry->token), code);
        book_.forget(entry);
    }
    remove_old(state_.staged(), now - staged_kept);
    std::error_code code;
    for (const auto& folder : fs::directory_iterator(state_.checkpoints(), code))
        if (!book_.workload_known(folder.path().filename().string()))
            fs::remove_all(folder.path(), code);
}

void local_adapter::remove_old(const fs::path& folder, instant limit) const {
    std::error_code code;
    for (const auto& file : fs::directory_iterator(folder, code)) {
        struct stat seen {};
        if (::lstat(file.path().c_str(), &seen) == 0 && instant(seconds(seen.st_mtim.tv_sec)) < limit)
            fs::remove(file.path(), code);
    }
}

}  // namespace westerly
