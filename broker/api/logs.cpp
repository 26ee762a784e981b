#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/workload_json.hpp"

namespace westerly {
namespace {

constexpr milliseconds pause_least{100};
constexpr milliseconds pause_most{1000};
constexpr unsigned failures_max = 60;  // in a row, a second apart: then the stream breaks off

struct log_asked {
    std::uint32_t rank = 0;
    bool error_stream = false;
    std::uint64_t from = 0;
    bool follow = false;
};

result<log_asked> log_parameters(const call& c, const workload& of) {
    log_asked asked;
    if (const auto text = c.parameter("rank")) {
        const auto spec = spec_of(of);
        if (!spec)
            return spec.error();
        const auto rank = parse_unsigned(*text);
        if (!rank || *rank >= std::max((*spec)->tasks, (*spec)->tasks_max))
            return parameter_error(
                "?rank", "is not a rank of this workload",
                "ranks go from 0 to " + std::to_string(std::max((*spec)->tasks, (*spec)->tasks_max) - 1));
        asked.rank = static_cast<std::uint32_t>(*rank);
    }
    if (const auto stream = c.parameter("stream")) {
        if (*stream != "stdout" && *stream != "stderr")
            return parameter_error("?stream", "is no stream", "use stdout or stderr");
        asked.error_stream = *stream == "stderr";
    }
    if (const auto text = c.parameter("from")) {
        const auto from = parse_unsigned(*text);
        if (!from)
            return parameter_error("?from", "is not a byte offset", "use X-Next-Offset of the piece before");
        asked.from = *from;
    }
    if (const auto follow = c.parameter("follow")) {
        if (*follow != "true" && *follow != "false")
            return parameter_error("?follow", "is neither true nor false", "use true or false");
        asked.follow = *follow == "true";
    }
    return asked;
}

/// A log from an offset until the attempt has ended and all of it was given. Before the first attempt it waits for one.
class log_stream final : public byte_source, public std::enable_shared_from_this<log_stream> {
public:
    log_stream(api_house& house, const workload& of, std::optional<attempt> run, const log_asked& asked,
               std::shared_ptr<void> ticket)
        : house_(house.shared_from_this()),
          tenant_(of.tenant),
          workload_(of.id),
          run_(std::move(run)),
          asked_(asked),
          ticket_(std::move(ticket)) {}

    void next(piece_done done) override {
        if (!refresh())
            return done({.bytes = {}, .end = true});
        if (!run_)
            return done(wait());
        house_->services.logs(*run_, asked_.rank, asked_.error_stream, asked_.from,
                              [self = shared_from_this(), done = std::move(done)](result<byte_piece> given) {
                                  done(self->piece_of(std::move(given)));
                              });
    }
    void stop() override {}

private:
    piece wait() {
        pause_ = std::min(pause_ * 2, pause_most);
        stale_ = true;
        return {.bytes = {}, .pause = pause_};
    }

    /// Looks again at workload and attempt after a pause; false: there is nothing to wait for.
    bool refresh() {
        if (!std::exchange(stale_, false))
            return true;
        auto& read = *house_->services.read;
        if (!run_) {
            const auto of = read.find_workload(tenant_, workload_);
            if (!of || (!of->current && terminal(of->state)))
                return false;
            if (of->current)
                if (auto found = read.find_attempt(*of->current))
                    run_ = std::move(*found);
            return true;
        }
        if (auto found = read.find_attempt(run_->id))
            run_ = std::move(*found);
        return true;
    }

    piece piece_of(result<byte_piece> given) {
        if (!given) {
            const bool not_yet = given.error().code == errc::not_found && live(run_->state);
            if (!not_yet && ++failures_ == failures_max)
                return {.bytes = {}, .end = true, .broken = true};
            return wait();
        }
        failures_ = 0;
        asked_.from = given->next;
        if (given->complete)
            return {.bytes = std::move(given->bytes), .end = true};
        if (given->bytes.empty())
            return wait();
        pause_ = pause_least;
        return {.bytes = std::move(given->bytes)};
    }

    const std::shared_ptr<api_house> house_;
    const tenant_id tenant_;
    const workload_id workload_;
    std::optional<attempt> run_;
    log_asked asked_;
    const std::shared_ptr<void> ticket_;
    milliseconds pause_ = pause_least / 2;
    unsigned failures_ = 0;
    bool stale_ = false;
};

response piece_response(byte_piece piece) {
    response answer;
    answer.content_type = "application/octet-stream";
    answer.headers.emplace_back("X-Next-Offset", std::to_string(piece.next));
    answer.headers.emplace_back("X-Log-Complete", piece.complete ? "true" : "false");
    answer.body = std::move(piece.bytes);
    return answer;
}

}  // namespace

void get_logs(const call& c, responder answer) {
    const auto of = workload_in_path(c);
    if (!of)
        return answer(problem(of.error()));
    auto asked = log_parameters(c, *of);
    if (!asked)
        return answer(problem(asked.error()));
    auto run = attempt_asked(c, *of);
    if (!run)
        return answer(problem(run.error()));
    if (asked->follow) {
        auto ticket = c.house.streams.enter(c.who.tenant);
        if (!ticket)
            return answer(problem(fail(errc::rate_limited, "this tenant has its most streams open",
                                       "end others first, or read without follow")));
        response stream;
        stream.content_type = "application/octet-stream";
        stream.stream = std::make_shared<log_stream>(c.house, *of, std::move(*run), *asked, std::move(ticket));
        return answer(std::move(stream));
    }
    const byte_piece nothing{asked->from, asked->from, {}, !*run && terminal(of->state)};
    if (!*run)
        return answer(piece_response(nothing));
    c.house.services.logs(**run, asked->rank, asked->error_stream, asked->from,
                          [answer = std::move(answer), nothing, alive = live((*run)->state)](result<byte_piece> given) {
                              if (given)
                                  return answer(piece_response(std::move(*given)));
                              if (given.error().code == errc::not_found && alive)
                                  return answer(piece_response(nothing));  // nothing written yet
                              answer(problem(given.error()));
                          });
}

}  // namespace westerly
