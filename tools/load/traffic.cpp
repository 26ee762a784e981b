#include "tools/load/traffic.hpp"

#include "broker/codec/json.hpp"
#include "broker/codec/workload_json.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace westerly {

namespace {

constexpr std::size_t name_max = 63, number_digits = 8;
constexpr std::size_t known_max = 100'000;  // to read from; what is submitted past it is not read
constexpr std::string_view path_of_workloads = "/v1/workloads/";
constexpr std::string_view mark = "nnnnnnnn";  // stands for the number while the template is cut

void set(rapidjson::Document& of, json_value& in, const char* name, const std::string& text) {
    in.RemoveMember(name);
    in.AddMember(rapidjson::StringRef(name), json_value(text, of.GetAllocator()), of.GetAllocator());
}

}  // namespace

result<ask_weights> parse_mix(std::string_view text) {
    const auto bad = [&] {
        return fail(errc::invalid, "\"" + std::string(text) + "\" is no mix of requests",
                    "write it as submit=1,read=8,list=1,plan=1, with what you want of these");
    };
    ask_weights mix{};
    for (auto rest = text; !rest.empty();) {
        const auto word = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        const auto sign = word.find('=');
        const auto found =
            std::ranges::find(ask_names, word.substr(0, sign), [](auto* n) { return std::string_view(n); });
        if (sign == std::string_view::npos || found == ask_names.end())
            return bad();
        double& weight = mix[static_cast<std::size_t>(found - ask_names.begin())];
        const auto* const end = word.data() + word.size();
        const auto read = std::from_chars(word.data() + sign + 1, end, weight);
        if (read.ec != std::errc() || read.ptr != end || !(weight >= 0 && weight <= 1e6))
            return bad();
    }
    if (std::accumulate(mix.begin(), mix.end(), 0.0) <= 0)
        return bad();
    return mix;
}

result<workload_template> workload_template::make(std::string_view json, const std::string& run) {
    if (auto checked = decode_workload(json); !checked)
        return checked.error();
    auto document = parse_json(json, workload_json_max);
    if (!document)
        return document.error();
    const std::string base((*document)["name"].GetString());
    const std::string suffix = "-" + run + "-" + std::string(mark);
    json_value labels(rapidjson::kObjectType);
    if (document->HasMember("labels"))
        labels = (*document)["labels"];
    set(*document, labels, "load", run);
    set(*document, labels, "load-number", std::string(mark));
    document->RemoveMember("labels");
    document->RemoveMember("name");
    // The last two, so that nothing of the tenant's stands behind or between the marks.
    document->AddMember("labels", labels, document->GetAllocator());
    set(*document, *document, "name", base.substr(0, name_max - suffix.size()) + suffix);
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    document->Accept(out);
    const std::string text(buffer.GetString(), buffer.GetSize());
    const auto second = text.rfind(mark), first = text.rfind(mark, second - 1);
    workload_template made;
    made.pieces_ = {text.substr(0, first), text.substr(first + mark.size(), second - first - mark.size()),
                    text.substr(second + mark.size())};
    return made;
}

std::string workload_template::number(std::size_t n) const {
    std::string digits = std::to_string(n);
    digits.insert(0, number_digits - std::min(number_digits, digits.size()), '0');
    return pieces_[0] + digits + pieces_[1] + digits + pieces_[2];
}

traffic::traffic(settings how, workload_template form, std::size_t connections, std::vector<std::string> known)
    : how_(std::move(how)), form_(std::move(form)), random_(how_.seed), at_(connections), known_(std::move(known)) {}

ask traffic::choose() {
    double left = random_.unit() * std::accumulate(how_.mix.begin(), how_.mix.end(), 0.0);
    std::size_t last = 0;
    for (std::size_t i = 0; i < how_.mix.size(); ++i) {
        if (how_.mix[i] <= 0)
            continue;
        last = i;
        if ((left -= how_.mix[i]) < 0)
            break;
    }
    const auto what = static_cast<ask>(last);
    // Nothing to read yet: a submit, which only a mix with submits comes to.
    return what == ask::read && known_.empty() ? ask::submit : what;
}

bool traffic::make(std::size_t connection, std::string& out) {
    auto& mine = at_[connection];
    mine.what = choose();
    mine.repeats = false;
    switch (mine.what) {
        case ask::submit:
            out = submit(mine);
            break;
        case ask::read: {
            const auto& id = known_[random_.next() % known_.size()];
            out = format_request("GET", std::string(path_of_workloads) + id, how_.key, {}, {}, how_.host);
            break;
        }
        case ask::list:
            out = format_request("GET", "/v1/workloads?limit=50", how_.key, {}, {}, how_.host);
            break;
        case ask::plan:
            out = format_request("POST", "/v1/plans", how_.key, form_.number(0), {}, how_.host);
            break;
    }
    return true;
}

std::string traffic::submit(at& mine) {
    mine.repeats = !mine.id.empty() && random_.unit() < how_.repeat_share;
    mine.number = mine.repeats ? mine.answered_number : ++next_;
    return format_request("POST", "/v1/workloads", how_.key, form_.number(mine.number),
                          "load-" + how_.run + "-" + std::to_string(mine.number), how_.host);
}

void traffic::take(std::size_t connection, const http_answer& answer) {
    auto& mine = at_[connection];
    if (const auto fault = fault_of(mine, answer)) {
        ++wrong_[*fault];
        if (example_.empty())
            example_ = std::string(answer.body.substr(0, 500));
        return;
    }
    auto& tally = tallies_[static_cast<std::size_t>(mine.what)];
    tally.latency.add(answer.took);
    tally.repeats += mine.repeats;
}

std::optional<std::string> traffic::fault_of(at& mine, const http_answer& answer) {
    if (mine.what != ask::submit)
        return answer.status == 200 ? std::nullopt : std::optional("HTTP " + std::to_string(answer.status));
    // A connection that broke may have brought its submit through: what was not a repeat to us is one to the broker.
    if (answer.status != 201 && answer.status != 200)
        return "HTTP " + std::to_string(answer.status);
    auto id = answer.header("Location");
    if (!id.starts_with(path_of_workloads))
        return "a submit without its Location";
    id.remove_prefix(path_of_workloads.size());
    if (mine.repeats && (id != mine.id || answer.status != 200))
        return "a repeat that gave another workload";
    if (!mine.repeats) {
        mine.id = id;
        mine.answered_number = mine.number;
        if (known_.size() < known_max)
            known_.emplace_back(id);
    }
    return std::nullopt;
}

}  // namespace westerly
