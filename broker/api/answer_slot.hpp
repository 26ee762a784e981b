#pragma once

#include "broker/api/dispatch.hpp"
#include "broker/api/pending.hpp"

namespace westerly {

/// An answer as a handler gave it: made already, or to be made on the session's thread.
struct given_answer {
    response made;
    std::function<response()> make;
};

/// The way of an answer to the session that waits for it.
class pending_sink final : public answer_sink {
public:
    explicit pending_sink(std::shared_ptr<pending<given_answer>> to) : to_(std::move(to)) {}
    void give(response made) override { to_->give({std::move(made), nullptr}); }
    void give_later(std::function<response()> make) override { to_->give({{}, std::move(make)}); }

private:
    const std::shared_ptr<pending<given_answer>> to_;
};

/// Makes the answer if that is still to be done; what is thrown then is logged and becomes a 500.
response response_of(given_answer given, const exchange& x);

}  // namespace westerly
