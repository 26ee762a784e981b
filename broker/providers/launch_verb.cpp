#include "broker/providers/verbs.hpp"

namespace westerly {
namespace {

constexpr const char* bundle_path = "bundle.tar";

/// One launch: put the bundle piece by piece, then launch.
class launching : public std::enable_shared_from_this<launching> {
public:
    launching(adapter_client& client, std::shared_ptr<const launch_request> request, const bundle_reader& read,
              std::function<void(mutation_reply)> done)
        : client_(client), request_(std::move(request)), read_(read), done_(std::move(done)) {}

    void begin() {
        if (request_->has_files)
            put_next();
        else
            launch();
    }

private:
    void put_next() {
        auto bytes = read_(request_->run.files, from_, put_piece_bytes);
        if (!bytes)
            return put_failed({adapter_error::invalid, "the bundle cannot be read: " + bytes.error().detail, {}});
        if (bytes->size() > put_piece_bytes || from_ + bytes->size() > put_bytes_max)
            return put_failed({adapter_error::invalid, "the bundle is too large", {}});
        if (bytes->empty() && from_ > 0)
            return launch();
        const bool last = bytes->size() < put_piece_bytes;
        put_params piece{request_->token, bundle_path, from_, std::move(*bytes)};
        from_ += piece.bytes.size();
        client_.call("put", encode(piece), [self = shared_from_this(), last](const call_answer& answer) {
            const auto reply = decode_answer(answer, decode_mutation_reply);
            if (!reply.value)
                self->put_failed(reply.failure);
            else if (reply.value->outcome != call_outcome::done)
                self->put_failed({reply.value->why, reply.value->message, reply.value->retry_after_s});
            else if (last)
                self->launch();
            else
                self->put_next();
        });
    }

    void put_failed(rpc_failure why) {
        find(client_, request_->token, [self = shared_from_this(), why = std::move(why)](auto seen) {
            mutation_reply reply = mutation_of(why);
            reply.message = "the bundle was not put: " + why.message;
            reply.outcome = call_outcome::unknown;
            if (seen && seen->at == observation::phase::absent) {
                reply.outcome = call_outcome::not_done;
            } else if (seen) {
                reply = {};
                reply.outcome = call_outcome::done;  // an earlier launch of this token worked
                reply.handle = seen->handle;
            }
            self->done_(std::move(reply));
        });
    }

    void launch() {
        client_.call("launch", encode(*request_), [self = shared_from_this()](const call_answer& answer) {
            auto reply = decode_answer(answer, decode_mutation_reply);
            auto told = reply.value ? std::move(*reply.value) : mutation_of(reply.failure);
            // Never sent, or the adapter ended: that says nothing of the provider.
            if (!answer.replied && !answer.silent)
                told.why = adapter_error::none;
            self->done_(std::move(told));
        });
    }

    adapter_client& client_;
    std::shared_ptr<const launch_request> request_;
    const bundle_reader& read_;
    std::function<void(mutation_reply)> done_;
    std::uint64_t from_ = 0;
};

}  // namespace

void launch(adapter_client& client, std::shared_ptr<const launch_request> request, const bundle_reader& read,
            std::function<void(mutation_reply)> done) {
    std::make_shared<launching>(client, std::move(request), read, std::move(done))->begin();
}

void cancel(adapter_client& client, const std::string& token, std::uint32_t grace_s,
            std::function<void(mutation_reply)> done) {
    client.call("cancel", encode(token_params{token, grace_s}), [done = std::move(done)](const call_answer& answer) {
        auto reply = decode_answer(answer, decode_mutation_reply);
        done(reply.value ? std::move(*reply.value) : mutation_of(reply.failure));
    });
}

void find(adapter_client& client, const std::string& token, std::function<void(std::optional<observation>)> done) {
    client.call("find", encode_find(token), [token, done = std::move(done)](const call_answer& answer) {
        auto reply = decode_answer(answer, decode_observation);
        // Identity is checked on every observation: what is told of another token says nothing about this one.
        if (reply.value && reply.value->token != token)
            reply.value.reset();
        done(std::move(reply.value));
    });
}

}  // namespace westerly
