#include "broker/providers/verbs.hpp"

namespace westerly {
namespace {

constexpr milliseconds retry_first{500};
constexpr milliseconds retry_most{30'000};

class archiving : public std::enable_shared_from_this<archiving> {
public:
    archiving(adapter_client& client, const archive_logs& what, const log_keeper& keep, random_source& random,
              std::function<void(logs_archived)> done)
        : client_(client),
          what_(what),
          token_(launch_token(what.attempt)),
          keep_(keep),
          random_(random),
          done_(std::move(done)) {}

    void next() {
        if (rank_ >= what_.tasks)
            return end(true, {});
        client_.call("logs", encode(log_request{token_, rank_, error_stream_, from_}),
                     [self = shared_from_this()](const call_answer& answer) { self->take(answer); });
    }

private:
    void take(const call_answer& answer) {
        const auto reply = decode_answer(answer, decode_byte_piece);
        if (!reply.value)
            return failed(reply.failure);
        const byte_piece& piece = *reply.value;
        if (piece.from < from_ || piece.next < piece.from || piece.next - piece.from < piece.bytes.size())
            return failed({adapter_error::internal, "the offsets of its logs do not fit", std::nullopt});
        if (!piece.bytes.empty())
            if (auto kept = keep_(what_.attempt, rank_, error_stream_, piece.from, piece.bytes); !kept)
                return failed({adapter_error::internal, kept.error().detail, std::nullopt});
        const bool progress = piece.next > from_;
        from_ = piece.next;
        ++pieces_;
        if (piece.complete || pieces_ >= archive_pieces_max)
            return next_stream();
        if (!progress)
            return again({adapter_error::unavailable, "its logs do not come to an end", std::nullopt});
        tries_ = 0;
        next();
    }

    void next_stream() {
        rank_ += error_stream_ ? 1 : 0;
        error_stream_ = !error_stream_;
        from_ = 0;
        pieces_ = 0;
        tries_ = 0;
        next();
    }

    void failed(const rpc_failure& why) {
        // The provider has them no more, or never had; another try would say the same.
        if (why.kind == adapter_error::not_found || why.kind == adapter_error::invalid)
            return end(false, why.message);
        again(why);
    }

    void again(const rpc_failure& why) {
        if (++tries_ >= archive_tries_max)
            return end(false, why.message);
        auto delay = back_off_delay(retry_first, retry_most, tries_ - 1, random_);
        if (why.retry_after_s)
            delay = std::max<milliseconds>(delay, std::min<milliseconds>(seconds(*why.retry_after_s), retry_most));
        client_.after(delay, [self = shared_from_this()] { self->next(); });
    }

    void end(bool ok, std::string message) {
        done_(logs_archived{what_.attempt, what_.outbox_seq, ok, std::move(message)});
    }

    adapter_client& client_;
    archive_logs what_;
    std::string token_;
    const log_keeper& keep_;
    random_source& random_;
    std::function<void(logs_archived)> done_;
    std::uint32_t rank_ = 0;
    bool error_stream_ = false;
    std::uint64_t from_ = 0;
    std::uint32_t pieces_ = 0;
    std::uint32_t tries_ = 0;
};

}  // namespace

void archive(adapter_client& client, const archive_logs& what, const log_keeper& keep, random_source& random,
             std::function<void(logs_archived)> done) {
    std::make_shared<archiving>(client, what, keep, random, std::move(done))->next();
}

}  // namespace westerly
