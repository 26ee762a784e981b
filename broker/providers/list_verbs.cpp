#include "broker/codec/protocol_words.hpp"
#include "broker/providers/verbs.hpp"

#include <algorithm>

namespace westerly {
namespace {

class list_walk : public std::enable_shared_from_this<list_walk> {
public:
    list_walk(adapter_client& client, std::string owner, std::function<void(listing)> done)
        : client_(client), owner_(std::move(owner)), done_(std::move(done)) {}

    void next(std::string cursor) {
        client_.call("list", encode(list_params{owner_, cursor}),
                     [self = shared_from_this(), cursor](const call_answer& answer) { self->take(cursor, answer); });
    }

private:
    void take(const std::string& cursor, const call_answer& answer) {
        auto reply = decode_answer(answer, decode_listing);
        if (!reply.value)
            return end(false);
        listing& page = *reply.value;
        all_.as_of = pages_ == 0 ? page.as_of : std::min(all_.as_of, page.as_of);
        ++pages_;
        std::move(page.items.begin(), page.items.end(), std::back_inserter(all_.items));
        if (page.next_cursor.empty())
            return end(page.complete);
        if (page.next_cursor == cursor || pages_ >= list_pages_max || all_.items.size() > list_items_max)
            return end(false);
        next(std::move(page.next_cursor));
    }

    void end(bool complete) {
        all_.complete = complete;
        done_(std::move(all_));
    }

    adapter_client& client_;
    std::string owner_;
    std::function<void(listing)> done_;
    listing all_;
    std::size_t pages_ = 0;
};

class offers_walk : public std::enable_shared_from_this<offers_walk> {
public:
    offers_walk(adapter_client& client, std::function<void(const decoded_answer<offers_reply>&)> done)
        : client_(client), done_(std::move(done)) {}

    void next(std::string cursor) {
        client_.call("offers", encode(offers_params{cursor}),
                     [self = shared_from_this(), cursor](const call_answer& answer) { self->take(cursor, answer); });
    }

private:
    void take(const std::string& cursor, const call_answer& answer) {
        auto reply = decode_answer(answer, decode_offers_reply);
        if (!reply.value)
            return done_(reply);
        offers_reply& page = *reply.value;
        all_.as_of = pages_ == 0 ? page.as_of : std::min(all_.as_of, page.as_of);
        ++pages_;
        std::move(page.offers.begin(), page.offers.end(), std::back_inserter(all_.offers));
        std::move(page.rtt_measured.begin(), page.rtt_measured.end(), std::back_inserter(all_.rtt_measured));
        if (all_.warnings.size() < protocol_warnings_max)
            std::move(page.warnings.begin(), page.warnings.end(), std::back_inserter(all_.warnings));
        if (page.next_cursor.empty()) {
            reply.value = std::move(all_);
            return done_(reply);
        }
        if (page.next_cursor == cursor || pages_ >= offer_pages_max || all_.offers.size() > offers_max ||
            all_.rtt_measured.size() > offers_max) {
            reply.value.reset();
            reply.failure = {adapter_error::internal, "its pages of offers do not end", std::nullopt};
            return done_(reply);
        }
        next(std::move(page.next_cursor));
    }

    adapter_client& client_;
    std::function<void(const decoded_answer<offers_reply>&)> done_;
    offers_reply all_;
    std::size_t pages_ = 0;
};

}  // namespace

void list_all(adapter_client& client, const std::string& owner, std::function<void(listing)> done) {
    std::make_shared<list_walk>(client, owner, std::move(done))->next({});
}

void all_offers(adapter_client& client, std::function<void(const decoded_answer<offers_reply>&)> done) {
    std::make_shared<offers_walk>(client, std::move(done))->next({});
}

void get(adapter_client& client, std::vector<std::string> tokens, const std::function<void(observation)>& seen) {
    std::sort(tokens.begin(), tokens.end());
    for (std::size_t first = 0; first < tokens.size(); first += tokens_per_get) {
        const auto last = std::min(first + tokens_per_get, tokens.size());
        tokens_params asked{
            {tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.begin() + static_cast<std::ptrdiff_t>(last)}};
        auto params = encode(asked);
        client.call("get", std::move(params), [asked = std::move(asked), seen](const call_answer& answer) {
            auto reply = decode_answer(answer, decode_observations);
            if (!reply.value)
                return;
            for (auto& item : *reply.value)
                if (std::binary_search(asked.tokens.begin(), asked.tokens.end(), item.token))
                    seen(std::move(item));
        });
    }
}

}  // namespace westerly
