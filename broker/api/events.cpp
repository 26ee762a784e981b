#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/support/log.hpp"

#include <mutex>

namespace westerly {
namespace {

constexpr std::string_view event_stream_type = "text/event-stream";
constexpr milliseconds gather{10};  // after a wake: lets one read take what comes together

/// Server-sent events: the store's events after a cursor, then those that come. Only the position is kept, so a slow
/// reader costs nothing; `id:` (the cursor) stands on the last event of each read, and a client that resumes with it
/// may see events of one read again but misses none. A workload's stream ends after its last event.
class event_stream final : public byte_source, public std::enable_shared_from_this<event_stream> {
public:
    event_stream(api_house& house, event_filter filter, std::string cursor, std::shared_ptr<void> ticket)
        : house_(house.shared_from_this()), filter_(filter), cursor_(std::move(cursor)), ticket_(std::move(ticket)) {}

    /// Watches, then reads for the first time. Errors: invalid for the cursor, and the readers'.
    result<void> open() {
        watch_ = house_->events.add(filter_.tenant, filter_.workload, [weak = weak_from_this()] {
            if (const auto self = weak.lock())
                self->wake();
        });
        auto first = read();
        if (!first)
            return first.error();
        first_ = std::move(*first);
        return {};
    }

    void next(piece_done done) override {
        if (first_) {
            const auto text = std::exchange(first_, std::nullopt);
            return done({"retry: 1000\n\n" + *text});
        }
        {
            const std::lock_guard guard(lock_);
            news_ = false;
        }
        auto text = read();
        if (!text) {
            log_event(log_level::warning, "api.event_stream_broke", {{"what", text.error().detail}});
            return done({.bytes = {}, .end = true, .broken = true});
        }
        if (!text->empty())
            return done({std::move(*text)});
        if (auto last = last_words())
            return done({.bytes = std::move(*last), .end = true});
        const std::lock_guard guard(lock_);
        if (news_)
            return done({.bytes = {}, .pause = gather});
        waiting_ = std::move(done);
    }

    void stop() override {
        const std::lock_guard guard(lock_);
        waiting_ = nullptr;
    }

    std::string_view heartbeat() const override { return ": still here\n\n"; }
    std::string_view farewell() const override {
        return ": the broker is shutting down; resume with Last-Event-ID\n\n";
    }

private:
    void wake() {
        piece_done waiting;
        {
            const std::lock_guard guard(lock_);
            news_ = true;
            waiting = std::exchange(waiting_, nullptr);
        }
        if (waiting)
            waiting({.bytes = {}, .pause = gather});
    }

    /// The next events as text; "" when there are none.
    result<std::string> read() {
        auto page = house_->services.read->list_events(filter_, cursor_, page_size_max);
        if (!page)
            return page.error();
        std::string text;
        for (std::size_t i = 0; i < page->items.size(); ++i) {
            const auto& one = page->items[i];
            text.append("event: ").append(one.type).append("\ndata: ").append(to_json(one));
            if (i + 1 == page->items.size())
                text.append("\nid: ").append(page->next_cursor);
            text.append("\n\n");
        }
        if (!page->next_cursor.empty())
            cursor_ = std::move(page->next_cursor);
        return text;
    }

    /// A workload that has ended has no more events: says so once all were read.
    std::optional<std::string> last_words() {
        if (!filter_.workload)
            return std::nullopt;
        const auto of = house_->services.read->find_workload(filter_.tenant, *filter_.workload);
        if (!of || !terminal(of->state))
            return std::nullopt;
        auto rest = read();  // what became durable between the last read and the look at the workload
        if (!rest)
            return std::nullopt;
        std::string state(to_string(of->state));
        return std::move(*rest) + "event: end\ndata: {\"state\":\"" + state + "\"}\n\n";
    }

    const std::shared_ptr<api_house> house_;
    const event_filter filter_;
    std::string cursor_;
    const std::shared_ptr<void> ticket_;
    std::shared_ptr<event_hub::watch> watch_;
    std::optional<std::string> first_;
    std::mutex lock_;
    bool news_ = false;
    piece_done waiting_;
};

response events_response(const call& c, const event_filter& filter) {
    std::string cursor = cursor_of(c);
    if (!accepts_exactly(c.http.accept, event_stream_type)) {
        const auto limit = limit_of(c);
        if (!limit)
            return problem(limit.error());
        const auto found = c.house.services.read->list_events(filter, cursor, *limit);
        return found ? list_response(found->items, found->next_cursor) : list_problem(found.error());
    }
    if (!c.http.last_event_id.empty())
        cursor = c.http.last_event_id;
    auto ticket = c.house.streams.enter(c.who.tenant);
    if (!ticket)
        return problem(fail(errc::rate_limited, "this tenant has its most streams open",
                            "end others first, or follow all workloads with one stream of /v1/events"));
    auto stream = std::make_shared<event_stream>(c.house, filter, std::move(cursor), std::move(ticket));
    if (const auto opened = stream->open(); !opened)
        return problem(opened.error());
    response answer;
    answer.content_type = event_stream_type;
    answer.stream = std::move(stream);
    return answer;
}

}  // namespace

response get_workload_events(const call& c) {
    const auto of = workload_in_path(c);
    if (!of)
        return problem(of.error());
    return events_response(c, {of->tenant, of->id});
}

response get_events(const call& c) {
    const auto tenant = tenant_filter(c);
    if (!tenant)
        return problem(tenant.error());
    return events_response(c, {*tenant, std::nullopt});
}

}  // namespace westerly
