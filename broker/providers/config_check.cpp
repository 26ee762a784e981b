#include "broker/providers/config_check.hpp"

#include "broker/codec/protocol_words.hpp"
#include "broker/providers/adapter_process.hpp"
#include "broker/providers/line_splitter.hpp"
#include "broker/providers/offer_feed.hpp"
#include "broker/providers/verbs.hpp"

#include <boost/asio/io_context.hpp>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t at_once_max = 8;

/// One adapter that is asked. Nothing refers to it any more once it is destroyed.
class asking {
public:
    asking(boost::asio::io_context& io, const config_question& question, const fs::path& helper, fs::path state_dir)
        : question_(question), lines_(protocol_line_max) {
        verdict_.why = "it did not answer in time";
        std::error_code failed;
        fs::create_directories(state_dir, failed);
        auto started = adapter_process::start(io, {helper, question.command},
                                              {.output = [this](std::string_view bytes) { take(bytes); },
                                               .closed = [] {},
                                               .said = [](const std::string&) {},
                                               .drained = [] {},
                                               .ended =
                                                   [this](const std::string& how) {
                                                       ended(how);
                                                   }});
        if (!started) {
            end({config_verdict::kind::unknown, started.error().detail});
            return;
        }
        process_ = std::move(*started);
        say_hello(std::move(state_dir));
    }
    asking(const asking&) = delete;
    asking& operator=(const asking&) = delete;

    bool done() const noexcept { return done_; }
    const config_verdict& verdict() const noexcept { return verdict_; }

private:
    void say_hello(fs::path state_dir) {
        initialize_request hello;
        hello.provider = question_.of.id;
        hello.owner = "00000000-0000-7000-8000-000000000000";
        hello.state_dir = std::move(state_dir).string();
        hello.config_json = question_.of.config_json;
        for (const auto& facts : question_.of.sites)
            hello.sites.push_back(facts.site);
        channel_.call(
            "initialize", encode(hello), steady_time::max(), [this](const call_answer& answer) { take(answer); }, true);
        process_->send(channel_.take_output());
    }

    void take(std::string_view bytes) {
        auto lines = lines_.take(bytes);
        if (!lines)
            return end({config_verdict::kind::unknown, lines.error().detail});
        for (const auto& line : *lines)
            if (const auto told = channel_.take_line(line); !told)
                return end({config_verdict::kind::unknown, told.error().detail});
    }

    void take(const call_answer& answer) {
        if (!answer.value)
            return end({answer.failure.kind == adapter_error::invalid ? config_verdict::kind::refused
                                                                      : config_verdict::kind::unknown,
                        answer.failure.message});
        const auto reply = decode_initialize_reply(*answer.value);
        if (!reply)
            end({config_verdict::kind::unknown, "its answer breaks the protocol: " + reply.error().detail});
        else if (reply->kind != question_.of.kind)
            end({config_verdict::kind::refused,
                 "it is of kind " + reply->kind + "; correct kind (" + question_.of.kind + ") or adapter_command"});
        else
            look_at_prices();
    }

    /// Its config is sound, whatever it tells of its offers, or does not.
    void look_at_prices() {
        verdict_ = {config_verdict::kind::sound};
        if (std::ranges::all_of(question_.of.prices, [](const price_override& p) { return p.offer.empty(); }))
            return end(verdict_);
        ask_offers("");
    }

    void ask_offers(const std::string& cursor) {
        channel_.call(
            "offers", encode(offers_params{cursor}), steady_time::max(),
            [this](const call_answer& answer) { take_offers(answer); }, true);
        process_->send(channel_.take_output());
    }

    void take_offers(const call_answer& answer) {
        auto page = decode_answer(answer, decode_offers_reply).value;
        if (!page)
            return end(verdict_);
        std::ranges::move(page->offers, std::back_inserter(offers_.offers));
        if (!page->next_cursor.empty())
            return ++pages_ < offer_pages_max ? ask_offers(page->next_cursor) : end(verdict_);
        verdict_.unmet_prices = unmet_prices(question_.of, offers_);
        end(verdict_);
    }

    void ended(const std::string& how) {
        const auto last_words = process_->error_tail();
        end({config_verdict::kind::unknown,
             "it ended without an answer (" + how + ")" + (last_words.empty() ? "" : ": " + last_words)});
    }

    void end(config_verdict as) {
        if (!done_)
            verdict_ = std::move(as);
        done_ = true;
    }

    const config_question& question_;
    line_splitter lines_;
    rpc_channel channel_{channel_limits{}};
    std::unique_ptr<adapter_process> process_;
    config_verdict verdict_;
    offers_reply offers_;
    std::size_t pages_ = 0;
    bool done_ = false;
};

}  // namespace

std::vector<config_verdict> ask_adapters(std::span<const config_question> questions, const fs::path& helper,
                                         const fs::path& scratch, milliseconds limit) {
    std::vector<config_verdict> verdicts;
    for (std::size_t first = 0; first < questions.size(); first += at_once_max) {
        boost::asio::io_context io;
        std::vector<std::unique_ptr<asking>> asked;
        for (const auto& question : questions.subspan(first, std::min(at_once_max, questions.size() - first)))
            asked.push_back(std::make_unique<asking>(io, question, helper, scratch / question.of.id));
        const auto until = std::chrono::steady_clock::now() + limit;
        while (!std::ranges::all_of(asked, &asking::done) && std::chrono::steady_clock::now() < until)
            if (io.run_one_until(until) == 0 && io.stopped())
                break;
        for (const auto& each : asked)
            verdicts.push_back(each->verdict());
    }
    return verdicts;
}

}  // namespace westerly
