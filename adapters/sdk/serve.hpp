#pragma once

#include "adapters/sdk/adapter.hpp"

namespace westerly {

/// The process's standard input and output, taken for the protocol. From construction on, descriptor 1 is standard
/// error and descriptor 0 is empty, so that neither a library's print nor a child process can touch the stream: make it
/// the first thing in main. One per process.
class protocol_streams {
public:
    protocol_streams();  // throws std::system_error
    ~protocol_streams();
    protocol_streams(const protocol_streams&) = delete;
    protocol_streams& operator=(const protocol_streams&) = delete;

    int in() const noexcept { return in_; }
    int out() const noexcept { return out_; }

private:
    int in_ = -1;
    int out_ = -1;
};

struct serve_options {
    std::size_t workers_max = 8;   // threads, started when needed
    std::size_t queue_max = 256;   // calls that wait for a worker; past it they are refused as rate_limited
    milliseconds end_wait{2'000};  // how long running verbs may take once the broker is gone
};

inline constexpr int exit_bad_line = 65;  // the broker broke the protocol

/// Serves until the broker closes the stream (0) or sends a line that is not of the protocol (exit_bad_line, with the
/// reason on standard error). No verb may hold every worker: two of them are always left for the other verbs. A call
/// waits for earlier ones that change what it touches: `find` and `get` for the launch of their tokens, `list` for
/// every mutation before it. A call that is cancelled before it began is refused as rate_limited and never runs. Verbs
/// that still run at the end get `end_wait` and then the process ends under them, so an adapter must survive that, as
/// it must survive kill -9.
[[noreturn]] void serve_and_exit(adapter& provider, protocol_streams& streams, serve_options options = {});

}  // namespace westerly
