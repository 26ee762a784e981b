#include "tools/conform/conform.hpp"

#include "broker/support/files.hpp"
#include "tools/conform/checks.hpp"
#include "tools/conform/interruption.hpp"

#include <algorithm>
#include <csignal>

namespace westerly {
namespace {

constexpr std::size_t config_bytes_max = 1 << 20;

std::vector<check> all_checks() {
    std::vector<check> all;
    for (const auto group : {handshake_checks, attempt_checks, file_checks, idempotency_checks, restart_checks,
                             listing_checks, bounds_checks, provider_checks, closing_checks})
        std::ranges::move(group(), std::back_inserter(all));
    return all;
}

check_result tried(kit& with, const check& one) {
    check_result out;
    out.name = one.name;
    out.what = one.promise;
    const auto begun = std::chrono::steady_clock::now();
    try {
        with.start();
        out.why = one.run(with);
    } catch (const check_failed& e) {
        out.how = verdict::fail;
        out.why = e.why;
    } catch (const check_skipped& e) {
        out.how = verdict::not_applicable;
        out.why = e.why;
    }
    try {
        with.end_all();
    } catch (const check_failed& e) {
        if (out.how != verdict::fail)
            out.why = "ending what it launched: " + e.why;
        out.how = verdict::fail;
    }
    out.duration_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return out;
}

std::string sites_in(const json_value& list, std::vector<std::string>& into) {
    if (!list.IsArray())
        return "sites is not a list";
    for (const auto& item : list.GetArray()) {
        const auto* name = item.IsObject() && item.HasMember("site") ? &item["site"] : nullptr;
        if (name == nullptr || !name->IsString())
            return "an entry of sites has no site";
        into.emplace_back(name->GetString(), name->GetStringLength());
    }
    return {};
}

}  // namespace

std::vector<std::string_view> conformance_checks() {
    std::vector<std::string_view> names;
    for (const auto& one : all_checks())
        names.push_back(one.name);
    return names;
}

result<conform_run> run_conformance(const conform_options& options,
                                    const std::function<void(const check_result&)>& told) {
    ::signal(SIGPIPE, SIG_IGN);  // an adapter that has died is a finding, not our end
    const interruption signals;
    conform_run out;
    const auto wanted = [&](std::string_view name) {
        return options.only.empty() ||
               std::ranges::any_of(options.only, [&](const std::string& prefix) { return name.starts_with(prefix); });
    };
    try {
        kit with(options);
        bool usable = true;  // without a handshake nothing else can be said
        try {
            for (const auto& one : all_checks()) {
                const bool handshake = one.name == "initialize.handshake";
                if (!handshake && !wanted(one.name))
                    continue;
                auto seen = usable ? tried(with, one)
                                   : check_result{std::string(one.name), std::string(one.promise),
                                                  verdict::not_applicable, "there was no handshake", 0};
                if (handshake)
                    usable = seen.how == verdict::pass;
                told(seen);
                out.results.push_back(std::move(seen));
            }
        } catch (const interrupted&) {
            out.interrupted = true;
            out.left_behind = with.clean_up();
        }
    } catch (const std::exception& e) {
        return fail(errc::internal, std::string("the conformance kit cannot work here: ") + e.what());
    }
    return out;
}

result<void> read_conform_config(const std::filesystem::path& file, conform_options& into) {
    const auto text = read_file(file, config_bytes_max);
    if (!text)
        return text.error();
    const auto document = parse_json(*text, config_bytes_max);
    if (!document)
        return document.error();
    if (!document->IsObject())
        return fail(errc::invalid, file.string() + " is not a JSON object");
    const bool provider_file = document->HasMember("kind") && document->HasMember("sites");
    std::string wrong;
    if (document->HasMember("sites") && (provider_file || into.sites.empty()))
        wrong = sites_in((*document)["sites"], into.sites);
    if (!wrong.empty())
        return fail(errc::invalid, file.string() + ": " + wrong);
    if (!provider_file) {
        into.config_json = *text;
        return {};
    }
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    if (document->HasMember("config"))
        (*document)["config"].Accept(out);
    into.config_json = document->HasMember("config") ? std::string(buffer.GetString(), buffer.GetSize()) : "{}";
    return {};
}

}  // namespace westerly
