#include "tools/load/report.hpp"

#include "broker/codec/json.hpp"

#include <cstdarg>
#include <cstdio>

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

[[gnu::format(printf, 2, 3)]] void say(std::string& to, const char* form, ...) {
    std::array<char, 400> line;
    std::va_list values;
    va_start(values, form);
    std::vsnprintf(line.data(), line.size(), form, values);
    va_end(values);
    to += line.data();
}

void say(std::string& to, const char* name, const histogram& of) {
    say(to, "  %-10s %9llu", name, static_cast<unsigned long long>(of.count()));
    for (const auto& quantile : quantiles)
        say(to, " %9.2f", ms(of.at(quantile.second)));
    say(to, " %9.2f\n", ms(of.max()));
}

}  // namespace

std::map<std::string, std::size_t> errors_of(const load_result& done, const traffic& sent) {
    auto all = sent.wrong();
    for (const auto& [what, times] : done.failures)
        all["connection " + what] += times;
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
    std::string text;
    say(text, "%s, %zu connections, ", facts.url.c_str(), facts.connections);
    if (facts.rate_per_s > 0)
        say(text, "%.6g requests a second asked for", facts.rate_per_s);
    else
        say(text, "as fast as answers come");
    say(text, "%s\n%zu answers in %.2f s: %.1f a second\n\n", done.interrupted ? "; ended early" : "", done.answers,
        done.seconds, per_second(done.answers, done));
    say(text, "  %-10s %9s %9s %9s %9s %9s %9s\n", "", "answers", "p50 ms", "p90", "p99", "p99.9", "max");
    for (std::size_t i = 0; i < ask_names.size(); ++i)
        if (const auto& one = sent.of(static_cast<ask>(i)); one.latency.count() > 0)
            say(text, ask_names[i], one.latency);
    say(text, "all", done.latency);
    if (facts.rate_per_s > 0) {
        say(text, "service", done.service);
        text += "\nTimes run from when each request was to be sent; `service` from when it was sent.\n";
    }
    const auto errors = errors_of(done, sent);
    for (const auto& [what, times] : errors)
        say(text, "%s%9zu  %s\n", what == errors.begin()->first ? "\nErrors\n" : "", times, what.c_str());
    if (!sent.example().empty())
        text += "\nThe first wrong answer: " + sent.example() + "\n";
    if (facts.submits)
        say(text, "\nWhat was submitted: westerly ls --label load=%s; to end it: westerly cancel --label load=%s\n",
            facts.run.c_str(), facts.run.c_str());
    return text;
}

}  // namespace westerly
