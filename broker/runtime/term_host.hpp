#pragma once

#include "broker/runtime/broker.hpp"
#include "broker/runtime/term_memory.hpp"

namespace westerly {

/// What a library says of itself.
struct term_description {
    std::string unit;
    std::string meaning;
};

/// One westerly-termhost, which runs the library of one term. Everything here waits, at most as long as it says; one
/// thread, and that must live as long as the host: with it the host is ended.
class term_host {
public:
    term_host(term_settings of, std::filesystem::path libexec) : of_(std::move(of)), libexec_(std::move(libexec)) {}
    ~term_host() { end(); }
    term_host(const term_host&) = delete;
    term_host& operator=(const term_host&) = delete;

    /// Starts it and loads the library. Errors: invalid, with what is wrong with the library; provider_unavailable,
    /// when the host could not be started or ended.
    result<term_description> start();
    bool runs() const noexcept { return process_.pid >= 0; }

    /// The quantities of every offer of the table, as the library wrote them. Errors: timed_out past the deadline,
    /// provider_unavailable when it ended: it does not run any more then. invalid: the library refused this question.
    result<std::vector<double>> evaluate(const std::shared_ptr<const score_table>& table, const score_request& request);
    /// Kills it, if it runs; nothing of it is left.
    void end();

    static constexpr milliseconds load_max{5000};

private:
    struct heard;
    result<term_description> judge(const term_protocol::greeting& said) const;
    result<void> ask(const term_protocol::question& question, bool with_memory);
    /// A packet of exactly this size.
    result<void> hear(void* into, std::size_t size, milliseconds at_most);
    void drain_errors();
    error ended();

    const term_settings of_;
    const std::filesystem::path libexec_;
    spawned process_;
    unique_fd channel_;
    std::unique_ptr<term_memory> memory_;
    std::uint64_t number_ = 0;
    std::string last_words_;  // of standard error
};

}  // namespace westerly
