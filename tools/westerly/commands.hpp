#pragma once

#include "tools/westerly/cli.hpp"

namespace westerly {

/// One function a command; each gives the process's exit code.

struct run_options {
    std::string file;  // workload file, YAML or JSON; or `command`
    std::vector<std::string> command;
    std::string name, policy, origin, with, project;
    std::vector<std::string> labels, env;  // k=v
    std::optional<std::uint64_t> tasks, vcpus, memory_mib, runtime_s, max_runtime_s, max_wait_s, max_delay_s, timeout_s;
    std::string idempotency_key;
    bool interactive = false;
    bool detach = false;
};
int run(cli& with, const run_options& options);
/// The request for POST /v1/workloads, after uploading what it ships.
result<std::string> prepare(cli& with, const run_options& options);

/// How a decision is told. No language: the locale's for people, English for programs.
struct telling {
    std::string language;
    bool no_chart = false;
};
int plan(cli& with, const run_options& options, const telling& how);
/// The last decision of a workload, by id or name, or any decision, by its id.
int explain_decision(cli& with, const std::string& name_or_id, const telling& how);
/// "?language=zh" or the like, "" where the broker's own is meant.
std::string language_query(const cli& with, const telling& how);
/// When and by which policy, then chart and sentences.
void print_decision(const json_value& decision, const telling& how);

struct list_options {
    std::vector<std::string> states, labels;
    std::string name, project;
    std::uint64_t limit = 50;
};
int list(cli& with, const list_options& options);
int show(cli& with, const std::string& workload, const telling& how);
int events(cli& with, const std::string& workload);

struct log_options {
    std::string workload, attempt;
    std::uint64_t rank = 0;
    bool follow = false;
    bool errors = false;
};
int logs(cli& with, const log_options& options);
/// Fetches output files into `into`; "-" prints the one that `path` names.
int fetch_files(cli& with, const std::string& workload, const std::string& path, const std::string& into);
int cancel(cli& with, const std::vector<std::string>& workloads, const std::vector<std::string>& labels);
int retry(cli& with, const std::string& workload);
/// Gives up the attempt of which nothing is known, so that the work starts anew under the same id.
int risk_second_copy(cli& with, const std::string& workload);

int offers(cli& with, const std::string& provider, const std::string& region);
/// One offer with all that is known of it.
int show_offer(cli& with, const std::string& offer);
int offer_history(cli& with, const std::string& offer, const std::string& from, const std::string& until);
/// Turns price catalogues into provider files, without a broker. Exit code 1: some rows gave no offer.
struct import_command {
    std::vector<std::string> files;
    std::string provider, out, report, source, as_of, regions, launchable_through;
};
int import_offers(const import_command& said, bool json);
int signals(cli& with, const std::string& zone);
int certificates(cli& with);
int providers(cli& with);
int cordon(cli& with, const std::string& provider, bool cordoned);
int probe(cli& with, const std::string& provider);
int policies(cli& with);
int show_policy(cli& with, const std::string& name);
/// Checks files without a broker.
int check_policies(const std::vector<std::string>& files, bool json);
struct compare_command {
    std::string before, after, since;
    std::optional<std::uint64_t> last;
};
/// What two policies would have chosen for recorded decisions. Exit code 1: not the same.
int compare_policies(cli& with, const compare_command& said);
struct replay_command {
    std::vector<std::string> decisions;
    bool all = false;
    std::uint64_t last = 1000;
};
/// Makes stored decisions again. Exit code 1: one is not identical.
int replay_decisions(cli& with, const replay_command& said);
struct account_options {
    std::string workload, project, from, until;
};
/// One factor, or a file of them, of a zone or a site, that was published after runs had been metered.
struct correct_command {
    std::string zone, site, from, to, file, source, quality, reason;
    std::optional<double> factor;
    std::uint64_t year = 0;
    bool dry_run = false;
};
int correct_carbon(cli& with, const correct_command& said);
int charges(cli& with, const account_options& options);
int usage(cli& with, const account_options& options);
/// Should reserved offers be bought, by the use of so many days?
int advise_reservations(cli& with, std::uint64_t days);

int login(const std::string& url, const std::string& key, std::string fingerprint, const std::string& ca_file,
          bool json);
int whoami(cli& with);
int backup(cli& with);
int tenants(cli& with, const std::string& create);
struct key_options {
    std::string create, tenant, role, revoke;
};
int keys(cli& with, const key_options& options);
/// Holds an adapter against the protocol's promises, without a broker. Exit code 1: some are not kept.
struct conform_command {
    std::vector<std::string> command, sites, only;
    std::string config, junit, libexec_dir;
    std::optional<std::uint64_t> live;
    std::uint64_t patience_s = 60;
};
int conform(const conform_command& said, bool json);

int orphans(cli& with);
int sweep(cli& with, bool confirm);

/// Follows a workload from now on: states to standard error, logs to the standard streams; gives its exit code. Ctrl-C
/// detaches and leaves it running.
int follow(cli& with, const std::string& id, std::optional<std::uint64_t> timeout_s);

}  // namespace westerly
