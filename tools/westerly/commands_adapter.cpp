#include "broker/support/files.hpp"
#include "tools/conform/conform.hpp"
#include "tools/westerly/commands.hpp"

#include <algorithm>
#include <cstdio>

namespace westerly {

namespace {

namespace fs = std::filesystem;

/// In a build tree the helper stands beside this program; installed, in ../libexec/westerly.
fs::path libexec_dir() {
    std::error_code ignored;
    const auto here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    return fs::exists(here / "westerly-spawn", ignored) ? here : here.parent_path() / "libexec" / "westerly";
}

/// No report: checks that were not tried would pass for others.
int tell_interruption(const std::vector<std::string>& left_behind) {
    constexpr int interrupted_code = 130;
    if (left_behind.empty())
        std::fprintf(stderr, "interrupted; what was launched has been ended\n");
    else
        std::fprintf(stderr, "interrupted; this could not be ended, please do it at the provider:\n");
    for (const auto& each : left_behind)
        std::fprintf(stderr, "  %s\n", each.c_str());
    return interrupted_code;
}

}  // namespace

int conform(const conform_command& said, bool json) {
    conform_options options;
    options.command = said.command;
    options.libexec_dir = said.libexec_dir.empty() ? libexec_dir() : fs::path(said.libexec_dir);
    options.sites = said.sites;
    options.live = said.live;
    options.patience = seconds(said.patience_s);
    options.only = said.only;
    if (!said.config.empty())
        if (const auto read = read_conform_config(said.config, options); !read)
            return complain(missing_file(read.error()));
    const auto names = conformance_checks();
    for (const auto& prefix : options.only)
        if (std::ranges::none_of(names, [&](std::string_view name) { return name.starts_with(prefix); }))
            return complain(
                fail(errc::invalid, "no check begins with \"" + prefix + '"', "run without --only to see all names"));

    const auto ran = run_conformance(options, [&](const check_result& one) {
        if (json)
            return;
        std::printf("%s\n", report_line(one).c_str());
        std::fflush(stdout);
    });
    if (!ran)
        return complain(ran.error());
    if (ran->interrupted)
        return tell_interruption(ran->left_behind);
    const auto& results = ran->results;
    const auto suite = fs::path(options.command.front()).filename().string();
    if (!said.junit.empty())
        if (const auto written = write_file_atomically(said.junit, junit_report(suite, results)); !written)
            return complain(written.error());
    std::printf("%s\n", json ? json_report(suite, results).c_str() : summary(results).c_str());
    const bool failed = std::ranges::any_of(results, [](const auto& r) { return r.how == verdict::fail; });
    return failed ? 1 : 0;
}

}  // namespace westerly
