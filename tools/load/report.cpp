#include "tools/load/report.hpp"

#include "broker/codec/json.hpp"

#include <iomanip>
#include <sstream>

namespace westerly {

namespace {

constexpr std::array<std::pair<const char*, double>, 4> quantiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}}};

double ms(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

double per_second(std::size_t count, const load_result& done) {
    return done.seconds > 0 ? static_cast<double>(count) / done.seconds : 0;
}

void write(json_writer& out, const char* name, const histogram& of) {
    out.Key(name);
    out.StartObject();
    for (const auto& [quantile, share] : quantiles) {
        out.Key(quantile);
        out.Double(ms(of.at(share)));
    }
    out.Key("max");
    out.Double(ms(of.max()));
    out.Key("mean");
    out.Double(of.mean_ns() / 1e6);
    out.EndObject();
}

void row(std::ostream& out, std::string_view name, const histogram& of) {
    out << "  " << std::left << std::setw(10) << name << std::right << std::setw(10) << of.count();
    for (const auto& quantile : quantiles)
        out << std::setw(10) << ms(of.at(quantile.second));
    out << std::setw(10) << ms(of.max()) << '\n';
}

}  // namespace

std::map<std::string, std::size_t> errors_of(const load_result& done, const traffic& sent) {
    auto all = sent.wrong();
    for (const auto& [what, times] : done.failures)
        all["connection " + what] += times;
    for (const auto& [what, times] : done.reopened)
        all["no request lost: connection " + what] += times;
    if (done.unsent > 0)
        all["never sent"] = done.unsent;
    return all;
}

std::string report_json(const load_facts& facts, const load_result& done, const traffic& sent) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.SetMaxDecimalPlaces(3);
    out.StartObject();
    out.Key("url");
    out.String(facts.url);
    out.Key("run");
    out.String(facts.run);
    if (facts.rate_per_s > 0) {
        out.Key("rate_per_s");
        out.Double(facts.rate_per_s);
    }
    for (const auto& [name, value] : {std::pair{"connections", facts.connections},
                                      {"sent", done.sent},
                                      {"answers", done.answers},
                                      {"unsent", done.unsent}}) {
        out.Key(name);
        out.Uint64(value);
    }
    out.Key("seconds");
    out.Double(done.seconds);
    out.Key("answers_per_s");
    out.Double(per_second(done.answers, done));
    out.Key("interrupted");
    out.Bool(done.interrupted);
    write(out, "latency_ms", done.latency);
    write(out, "service_ms", done.service);
    out.Key("requests");
    out.StartObject();
    for (std::size_t i = 0; i < ask_names.size(); ++i) {
        const auto& one = sent.of(static_cast<ask>(i));
        if (one.latency.count() == 0)
            continue;
        out.Key(ask_names[i]);
        out.StartObject();
        out.Key("answers");
        out.Uint64(one.latency.count());
        if (static_cast<ask>(i) == ask::submit) {
            out.Key("repeats");
            out.Uint64(one.repeats);
        }
        write(out, "latency_ms", one.latency);
        out.EndObject();
    }
    out.EndObject();
    out.Key("errors");
    out.StartObject();
    for (const auto& [what, times] : errors_of(done, sent)) {
        out.Key(what.c_str());
        out.Uint64(times);
    }
    out.EndObject();
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

std::string report_text(const load_facts& facts, const load_result& done, const traffic& sent) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(2) << facts.url << ", " << facts.connections << " connections, ";
    if (facts.rate_per_s > 0)
        out << facts.rate_per_s << " requests a second asked for";
    else
        out << "as fast as answers come";
    out << (done.interrupted ? "; ended early\n" : "\n") << done.answers << " answers in " << done.seconds
        << " s: " << per_second(done.answers, done) << " a second\n\n  " << std::string(10, ' ');
    for (const char* column : {"requests", "p50 ms", "p90", "p99", "p99.9", "max"})
        out << std::setw(10) << column;
    out << '\n';
    for (std::size_t i = 0; i < ask_names.size(); ++i)
        if (const auto& one = sent.of(static_cast<ask>(i)); one.latency.count() > 0)
            row(out, ask_names[i], one.latency);
    row(out, "all", done.latency);
    if (facts.rate_per_s > 0) {
        row(out, "service", done.service);
        out << "\nTimes run from when each request was to be sent; `service` from when it was sent. `all` has those "
               "without\n"
               "a right answer too, with how long they waited; the other rows only right answers.\n";
    }
    const auto errors = errors_of(done, sent);
    if (!errors.empty())
        out << "\nErrors\n";
    for (const auto& [what, times] : errors)
        out << std::setw(10) << times << "  " << what << '\n';
    if (!sent.example().empty())
        out << "\nThe first wrong answer: " << sent.example() << '\n';
    if (facts.submits)
        out << "\nWhat was submitted: westerly ls --label load=" << facts.run
            << "; to end it: westerly cancel --label load=" << facts.run << '\n';
    return out.str();
}

}  // namespace westerly
