#include "tools/conform/kit.hpp"

#include "broker/codec/protocol_words.hpp"
#include "broker/codec/writer.hpp"
#include "broker/domain/ids.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace westerly {
namespace {

constexpr std::size_t calls_in_flight = 32;  // calls_max of a provider file
constexpr std::size_t pages_max = 10'000;
constexpr std::size_t items_max = 1'000'000;

/// The provider is away for a moment, and nothing is wrong with the adapter.
bool passing(const rpc_failure& why) {
    return why.kind == adapter_error::unavailable || why.kind == adapter_error::rate_limited;
}

std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "westerly-conform-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("no temporary folder can be made in " + name);
    ::chmod(name.c_str(), 0711);  // an adapter may run tasks as other users, who must come through
    return name;
}

}  // namespace

kit::kit(conform_options options)
    : options_(std::move(options)),
      random_(secure_seed()),
      owner_(to_string(owner_id::make(system_wall_clock().now(), random_))),
      folder_(make_folder()),
      link_({.helper = options_.libexec_dir / "westerly-spawn",
             .command = options_.command,
             .search = {options_.libexec_dir}}) {
    if (const auto opened = witness_.open(); !opened)
        throw std::runtime_error(opened.error().detail);
    fresh_folder("state");
    stand_before_provider();
}

/// Where the config has an endpoint, the adapter is given the proxy's instead.
void kit::stand_before_provider() {
    no_provider_ = "the adapter's config has no endpoint";
    auto config = parse_json(options_.config_json, options_.config_json.size());
    if (!config || !config->IsObject() || !config->HasMember("endpoint") || !(*config)["endpoint"].IsString())
        return;
    auto parts = split_endpoint((*config)["endpoint"].GetString());
    if (!parts) {
        no_provider_ = parts.error().detail;
        return;
    }
    auto proxy = provider_proxy::open(std::move(*parts));
    if (!proxy)
        throw std::runtime_error(proxy.error().detail);
    provider_ = std::move(*proxy);
    (*config)["endpoint"].SetString(provider_->endpoint(), config->GetAllocator());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    config->Accept(out);
    options_.config_json = {buffer.GetString(), buffer.GetSize()};
}

provider_proxy& kit::provider() {
    if (!provider_)
        skip(no_provider_);
    return *provider_;
}

kit::~kit() {
    link_.kill_9();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path kit::fresh_folder(const std::string& name) {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path);
    return path;
}

std::string kit::new_token() {
    return launch_token(attempt_id::make(system_wall_clock().now(), random_));
}

initialize_request kit::handshake() const {
    return {.version = protocol_version,
            .provider = "conform",
            .owner = owner_,
            .state_dir = (folder_ / "state").string(),
            .config_json = options_.config_json,
            .sites = options_.sites};
}

void kit::start() {
    if (link_.alive())
        return;
    if (const auto started = link_.start(); !started)
        disprove(started.error().detail);
    said_ = call("initialize", encode(handshake()), decode_initialize_reply);
}

void kit::kill() {
    link_.kill_9();
}

void kit::restart() {
    kill();
    start();
}

bool kit::can(std::string_view capability) const {
    return std::ranges::find(said_.capabilities, capability) != said_.capabilities.end();
}

void kit::skip_without_repeats() const {
    if (said_.idempotency == idempotency_class::none)
        skip("idempotency class none: a broker never repeats a launch of it");
}

rpc_message kit::answer_to(std::uint64_t id, std::string_view verb) {
    if (auto reply = link_.wait(id, options_.patience))
        return std::move(*reply);
    if (link_.alive())
        disprove("no answer to " + std::string(verb) + " within " + std::to_string(options_.patience.count()) + " s");
    disprove("the adapter ended (" + link_.how_it_ended + ") during " + std::string(verb) +
             (link_.error_tail.empty() ? "" : "; its standard error ends with: " + link_.error_tail));
}

rpc_message kit::lasting_answer_to(std::string_view verb, const std::string& params) {
    rpc_message reply;
    comes_true([&] {
        reply = answer_to(link_.begin(verb, params), verb);
        return reply.what != rpc_message::kind::error || !passing(decode_rpc_failure(reply));
    });
    return reply;
}

mutation kit::mutation_of(const std::optional<rpc_message>& reply, std::string_view verb) {
    mutation out;
    if (!reply)
        return out;
    out.replied = true;
    if (reply->what == rpc_message::kind::error) {
        out.failure = decode_rpc_failure(*reply);
        if (proves_not_done(out.failure->kind))
            out.outcome = call_outcome::not_done;
        out.told = std::string(to_string(out.failure->kind)) + ": " + out.failure->message;
        return out;
    }
    const auto value = decode_mutation_reply(rpc_body(*reply));
    if (!value)
        disprove("the answer to " + std::string(verb) + " breaks the schema: " + value.error().detail);
    out.outcome = value->outcome;
    out.handle = value->handle;
    out.told = std::string(name_of(value->outcome)) + (value->message.empty() ? "" : ": " + value->message);
    return out;
}

mutation kit::mutate(std::string_view verb, const std::string& params, const line_faults& faults, milliseconds limit) {
    const auto id = link_.begin(verb, params, faults);
    if (limit.count() == 0)
        return mutation_of(answer_to(id, verb), verb);
    const auto reply = link_.wait(id, limit);
    if (!reply && link_.alive())
        link_.give_up(id);
    return mutation_of(reply, verb);
}

rpc_failure kit::refusal(std::string_view verb, const std::string& params) {
    const auto reply = answer_to(link_.begin(verb, params), verb);
    if (reply.what != rpc_message::kind::error)
        disprove("it was answered like a good call");
    return decode_rpc_failure(reply);
}

std::vector<mutation> kit::mutate_all(std::string_view verb, const std::vector<std::string>& params) {
    std::vector<mutation> all;
    std::deque<std::uint64_t> open;
    for (std::size_t next = 0; all.size() < params.size();) {
        while (next < params.size() && open.size() < calls_in_flight)
            open.push_back(link_.begin(verb, params[next++]));
        all.push_back(mutation_of(answer_to(open.front(), verb), verb));
        open.pop_front();
    }
    return all;
}

mutation kit::launch(const launch_request& request, const line_faults& faults, milliseconds limit) {
    remember(request.token);
    auto out = mutate("launch", encode(request), faults, limit);
    if (out.outcome == call_outcome::done && !out.handle.empty()) {
        auto& known = handles_[request.token];
        if (!known.empty() && known != out.handle)
            disprove("two launches of " + request.token + " gave two handles: " + known + " and " + out.handle);
        known = out.handle;
    }
    return out;
}

mutation kit::cancel(const std::string& token, std::uint32_t grace_s, const line_faults& faults, milliseconds limit) {
    return mutate("cancel", encode(token_params{token, grace_s}), faults, limit);
}

observation kit::find(const std::string& token) {
    auto seen = call("find", encode(token_params{token, 30}), decode_observation);
    expect(seen.token == token, "find of " + token + " answered about " + seen.token);
    note(seen);
    return seen;
}

std::vector<observation> kit::get(const std::vector<std::string>& tokens) {
    std::vector<observation> all;
    for (std::size_t first = 0; first < tokens.size(); first += protocol_tokens_max) {
        tokens_params page;
        const auto last = std::min(first + protocol_tokens_max, tokens.size());
        page.tokens.assign(tokens.begin() + static_cast<std::ptrdiff_t>(first),
                           tokens.begin() + static_cast<std::ptrdiff_t>(last));
        for (auto& seen : call("get", encode(page), decode_observations)) {
            expect(std::ranges::find(page.tokens, seen.token) != page.tokens.end(),
                   "get answered about " + seen.token + ", which was not asked for");
            note(seen);
            all.push_back(std::move(seen));
        }
    }
    return all;
}

listing kit::list_all(const std::string& owner, const std::function<void(const listing&)>& between) {
    listing all;
    for (list_params asked{owner, {}};;) {
        auto page = call("list", encode(asked), decode_listing);
        for (const auto& seen : page.items) {
            note(seen);
            all.items.push_back(seen);
        }
        all.as_of = page.as_of;
        all.complete = page.complete;
        if (page.next_cursor.empty())
            return all;
        expect(page.next_cursor != asked.cursor && all.items.size() <= items_max, "the pages of list do not end");
        asked.cursor = page.next_cursor;
        if (between)
            between(page);
    }
}

std::vector<adapter_offer> kit::offers(std::vector<site_rtt>* measured) {
    std::vector<adapter_offer> all;
    offers_params asked;
    for (std::size_t pages = 0; pages < pages_max; ++pages) {
        auto page = call("offers", encode(asked), decode_offers_reply);
        std::ranges::move(page.offers, std::back_inserter(all));
        if (measured)
            std::ranges::move(page.rtt_measured, std::back_inserter(*measured));
        if (page.next_cursor.empty())
            return all;
        expect(page.next_cursor != asked.cursor, "the pages of offers do not end");
        asked.cursor = std::move(page.next_cursor);
    }
    disprove("the pages of offers do not end");
}

std::string kit::log(const std::string& token, unsigned rank, bool error_stream) {
    std::string all;
    comes_true([&] {
        const auto piece = call("logs", encode(log_request{token, rank, error_stream, all.size()}), decode_byte_piece);
        expect(piece.from == all.size() && piece.next == piece.from + piece.bytes.size(),
               "logs from " + std::to_string(all.size()) + " answered from " + std::to_string(piece.from) + " to " +
                   std::to_string(piece.next) + " with " + std::to_string(piece.bytes.size()) + " bytes");
        all += piece.bytes;
        return piece.complete;
    });
    return all;
}

/// What was seen before and what is seen now must fit: a broker drops whatever has an older seq.
void kit::note(const observation& seen) {
    using phase = observation::phase;
    if (seen.at == phase::absent)
        return;
    const auto [at, fresh] = seen_.try_emplace(seen.token, seen);
    auto& before = at->second;
    constexpr std::size_t faults_max = 16;
    const auto fault = [&](const std::string& what) {
        if (seq_faults.size() < faults_max)
            seq_faults.push_back(seen.token + ": " + what);
    };
    if (seen.seq < before.seq)
        fault("seq fell from " + std::to_string(before.seq) + " to " + std::to_string(seen.seq));
    if (seen.seq == before.seq && seen.at != before.at)
        fault("two phases under seq " + std::to_string(seen.seq));
    if (before.at == phase::exited && seen.at != phase::exited)
        fault("it had exited and now lives");
    if (before.at == phase::exited && seen.at == phase::exited &&
        (seen.exit_code != before.exit_code || seen.started_at != before.started_at ||
         seen.ended_at != before.ended_at))
        fault("its end was told in two ways");
    before = seen;
}

}  // namespace westerly
