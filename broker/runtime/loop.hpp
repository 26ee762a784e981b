#pragma once

#include "broker/engine/engine.hpp"
#include "broker/runtime/input_queue.hpp"
#include "broker/store/store.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace westerly {

/// The two threads of the house: the engine thread turns inputs into reactions, the writer thread commits all that
/// wait in one transaction and then carries their effects out, in order.
class loop {
public:
    static constexpr std::size_t reactions_max = 4096;  // waiting for the writer; then the engine thread waits
    static constexpr std::size_t group_max = 1024;      // reactions in one transaction

    /// `carry_out` runs on the writer thread and must return soon. `poisoned` is called once, on the writer thread,
    /// when a commit failed: memory is ahead of the disk then, and only a restart is safe.
    loop(engine& core, store& keep, std::uint64_t seed, std::function<void(effect)> carry_out,
         std::function<void(const error&)> poisoned);
    ~loop();

    void start();
    /// Handles what waits, commits it, then ends both threads.
    void stop();

    /// Errors: overloaded.
    result<void> request(input in);
    void observe(input in);

    struct counters {
        std::uint64_t inputs = 0, commits = 0, change_sets = 0, commit_us_total = 0, commit_us_max = 0;
        std::size_t inputs_waiting = 0;
    };
    counters read_counters() const;

private:
    void run_engine();
    void run_writer();
    void push(reaction r);
    std::vector<reaction> take_group();

    engine& core_;
    store& store_;
    random_source random_;
    std::function<void(effect)> carry_out_;
    std::function<void(const error&)> poisoned_;
    input_queue inputs_;

    std::mutex mutex_;  // guards reactions_ and engine_done_
    std::condition_variable work_, room_;
    std::deque<reaction> reactions_;
    bool engine_done_ = false;

    std::atomic<std::uint64_t> handled_{0}, commits_{0}, change_sets_{0}, commit_us_total_{0}, commit_us_max_{0};
    std::thread engine_thread_, writer_thread_;
};

}  // namespace westerly
