#pragma once

#include "broker/domain/effects.hpp"
#include "broker/runtime/term_host.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace westerly {

/// The hosts of all terms of libraries, each with a thread of its own: a slow one holds up nobody but those who asked
/// for it. Every question is answered, if only by a failure. A host that is late or ends is killed and started again
/// with back-off; meanwhile its questions fail at once.
class term_hub {
public:
    static constexpr std::size_t questions_max = 1024;  // that wait for one host; further ones fail
    static constexpr milliseconds restart_first{250}, restart_last{60'000};

    /// `sink` is called on the hosts' threads.
    term_hub(std::span<const term_settings> terms, const std::filesystem::path& libexec,
             std::function<void(offers_scored)> sink);
    ~term_hub();

    void ask(score_offers asked);
    /// Ends the hosts. What is asked after it is not answered.
    void stop();

    struct counters {
        std::uint64_t answers = 0, late = 0, crashed = 0, refused = 0, turned_away = 0, starts = 0, unknown = 0,
                      microseconds = 0;
        bool up = false;
    };
    /// By term, in the order of the settings.
    std::vector<std::pair<std::string, counters>> read_counters() const;

private:
    struct item {
        std::uint64_t ticket = 0;
        std::shared_ptr<const score_table> table;
        std::shared_ptr<const score_request> request;
    };
    class worker;
    std::vector<std::unique_ptr<worker>> workers_;
    const std::function<void(offers_scored)> sink_;
};

}  // namespace westerly
