#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace westerly {

struct spawn_request {
    std::filesystem::path helper;                    // westerly-spawn
    std::vector<std::string> command;                // the adapter: path or name to be found in PATH, then arguments
    std::vector<std::filesystem::path> search = {};  // where a bare name is looked for before PATH
    int input = -1;                                  // a descriptor that becomes its standard input; -1: a pipe does
    std::uint64_t memory_max = 0;                    // bytes of address space; 0: not limited
};

/// What the process does, told on the io_context's thread, never from inside a call of the owner.
struct process_events {
    std::function<void(std::string_view bytes)> output;  // of standard output
    std::function<void()> closed;                        // it closed its standard output; its end may follow
    std::function<void(const std::string& line)> said;   // a line of standard error
    std::function<void()> drained;                       // the last send() is all written
    std::function<void(const std::string& how)> ended;   // reaped, all its output delivered; nothing follows
};

/// One adapter's process: its pipes, its pidfd, the tail of its standard error. It is started by a small helper (a fork
/// of a large broker stalls it), dies with the thread that started it, and is reaped by pidfd. Standard output is
/// always read, also while a send is under way. One thread: the io_context's, which must live as long as the process.
class adapter_process {
public:
    /// Errors: provider_unavailable, with the system's reason.
    static result<std::unique_ptr<adapter_process>> start(boost::asio::io_context& io, const spawn_request& request,
                                                          process_events events);
    /// Gives no more events. Kills what still runs and reaps it.
    ~adapter_process();

    /// One send at a time: the next only after `drained`. After the process closed its input, bytes go nowhere.
    void send(std::string bytes);
    bool sending() const noexcept;

    void close_input();
    /// By pidfd, so that never another process is hit.
    void kill(int signal);

    /// The last lines of standard error, at most error_tail_max bytes.
    std::string error_tail() const;
    static constexpr std::size_t error_tail_max = 8 << 10;
    static constexpr std::size_t error_line_max = 2 << 10;  // longer lines are cut into pieces

private:
    struct impl;
    explicit adapter_process(std::shared_ptr<impl> made) : impl_(std::move(made)) {}
    std::shared_ptr<impl> impl_;
};

}  // namespace westerly
