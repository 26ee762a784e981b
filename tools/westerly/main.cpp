#include "tools/westerly/commands.hpp"
#include "tools/westerly/screen/terminal.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace {

using namespace westerly;

/// Everything the command line may say; only the chosen command's part is used.
struct words {
    bool json = false;
    run_options run, plan;
    list_options list;
    log_options logs;
    account_options charges, usage;
    key_options keys;
    telling how;
    conform_command conform;
    import_command import;
    compare_command compare;
    replay_command replay;
    correct_command correct;
    std::string workload, path, into = ".", provider, region, zone, url = "https://127.0.0.1:8443", key, fingerprint,
                                offer, from, until, ca_file, tenant, policy;
    std::uint64_t days = 90;
    std::vector<std::string> workloads, labels, files;
    bool confirm = false, second_copy = false;
};

void declare_workload(CLI::App& command, run_options& o) {
    command.add_option("file", o.file, "Workload file, YAML or JSON");
    command.add_option("--name", o.name, "Name, over the file's");
    command.add_option("--policy", o.policy, "Policy: see `westerly policies`");
    command.add_option("--project", o.project, "Project that is charged");
    command.add_option("--tasks", o.tasks, "Gang size: processes that start together");
    command.add_option("--vcpus", o.vcpus, "CPUs of each task");
    command.add_option("--memory-mib", o.memory_mib, "Memory of each task");
    command.add_option("--runtime-s", o.runtime_s, "Your estimate of the run time, for the decision");
    command.add_option("--max-runtime-s", o.max_runtime_s, "Ended after so long");
    command.add_option("--max-wait-s", o.max_wait_s, "Given up when not placed for so long");
    command.add_option("--max-delay-s", o.max_delay_s,
                       "Its start may be put off for so long for cleaner power or cheaper hours, or for an offer that "
                       "begins later; the policy's max_delay_s bounds it (24 h by default)");
    command.add_flag("--interactive", o.interactive, "Somebody waits at it: latency counts");
    command.add_option("--origin", o.origin, "Region of its users, for latency");
    command.add_option("--label", o.labels, "NAME=VALUE; repeatable")->allow_extra_args(false);
    command.add_option("--env", o.env, "NAME=VALUE for the tasks; repeatable")->allow_extra_args(false);
    command.add_option("--with", o.with, "Ship this directory (up to 16 MiB): the tasks start in a copy of it");
    command.footer("Instead of a file: -- COMMAND ARGUMENT...");
}

void declare_telling(CLI::App& command, telling& how) {
    command.add_option("--language", how.language, "Of the explanation: en or zh (default: the locale's)")
        ->check(CLI::IsMember({"en", "zh"}));
    command.add_flag("--no-chart", how.no_chart, "Words only");
}

void declare_accounts(CLI::App& command, account_options& o) {
    command.add_option("--workload", o.workload, "Of this workload only (id or name)");
    command.add_option("--project", o.project, "Of this project only");
    command.add_option("--from", o.from, "From this time on (RFC 3339)");
    command.add_option("--until", o.until, "Until this time (RFC 3339)");
}

using action = std::function<int(words&)>;
using actions = std::vector<std::pair<CLI::App*, action>>;

/// Commands that need a broker: the profile is read, then `act` runs.
template <class Act>
action with_broker(Act act) {
    return [act](words& said) {
        const auto who = load_profile();
        if (!who)
            return complain(who.error());
        auto broker = connect(*who);
        if (!broker)
            return complain(broker.error());
        cli with{.who = *who, .broker = std::move(*broker), .json = said.json, .colour = colourful(STDOUT_FILENO)};
        return act(with, said);
    };
}

void declare_tenant_commands(CLI::App& app, words& w, actions& all) {
    auto* run_command = app.add_subcommand("run", "Run a workload and follow it to its end");
    declare_workload(*run_command, w.run);
    run_command->add_flag("-d,--detach", w.run.detach, "Print the id and return");
    run_command->add_option("--timeout-s", w.run.timeout_s, "Stop following after so long (exit code 124)");
    run_command->add_option("--idempotency-key", w.run.idempotency_key, "Yours; a repeat gives the same workload");
    all.emplace_back(run_command, with_broker([](cli& c, words& s) { return run(c, s.run); }));

    auto* plan_command = app.add_subcommand("plan", "Where would it run, at what cost? Starts nothing");
    declare_workload(*plan_command, w.plan);
    declare_telling(*plan_command, w.how);
    all.emplace_back(plan_command, with_broker([](cli& c, words& s) { return plan(c, s.plan, s.how); }));

    auto* explain_command = app.add_subcommand("explain", "Why it runs where it does: the decision, as stored");
    explain_command->add_option("workload", w.workload, "Id or name, or the id of a decision")->required();
    declare_telling(*explain_command, w.how);
    all.emplace_back(explain_command,
                     with_broker([](cli& c, words& s) { return explain_decision(c, s.workload, s.how); }));

    auto* ls = app.add_subcommand("ls", "List workloads, newest first");
    ls->add_option("--state", w.list.states, "Only in this state; repeatable")->allow_extra_args(false);
    ls->add_option("--label", w.list.labels, "Only with NAME=VALUE; repeatable")->allow_extra_args(false);
    ls->add_option("--name", w.list.name, "Only of this name");
    ls->add_option("--project", w.list.project, "Only of this project");
    ls->add_option("--limit", w.list.limit, "At most so many (1-500)")->check(CLI::Range(1, 500));
    all.emplace_back(ls, with_broker([](cli& c, words& s) { return list(c, s.list); }));

    auto* show_command = app.add_subcommand("show", "One workload: state, attempts, and why it runs where it does");
    show_command->add_option("workload", w.workload, "Id or name")->required();
    declare_telling(*show_command, w.how);
    all.emplace_back(show_command, with_broker([](cli& c, words& s) { return show(c, s.workload, s.how); }));

    auto* events_command = app.add_subcommand("events", "What happened, oldest first");
    events_command->add_option("workload", w.workload, "Id or name; all of yours when left out");
    all.emplace_back(events_command, with_broker([](cli& c, words& s) { return events(c, s.workload); }));

    auto* logs_command = app.add_subcommand("logs", "Output of a workload");
    logs_command->add_option("workload", w.logs.workload, "Id or name")->required();
    logs_command->add_flag("-f,--follow", w.logs.follow, "Go on until it ends");
    logs_command->add_option("--rank", w.logs.rank, "Of this task of the gang (default 0)");
    logs_command->add_flag("--stderr", w.logs.errors, "Standard error instead of standard output");
    logs_command->add_option("--attempt", w.logs.attempt, "Of an earlier attempt, by its number");
    all.emplace_back(logs_command, with_broker([](cli& c, words& s) { return logs(c, s.logs); }));

    auto* get_command = app.add_subcommand("get", "Fetch output files");
    get_command->add_option("workload", w.workload, "Id or name")->required();
    get_command->add_option("path", w.path, "This file or folder only");
    get_command->add_option("--into", w.into, "Folder to write to (default .); - prints the file");
    all.emplace_back(get_command,
                     with_broker([](cli& c, words& s) { return fetch_files(c, s.workload, s.path, s.into); }));

    auto* cancel_command = app.add_subcommand("cancel", "End workloads, by id, name or label");
    cancel_command->add_option("workload", w.workloads, "Ids or names");
    cancel_command->add_option("--label", w.labels, "All with NAME=VALUE; repeatable")->allow_extra_args(false);
    all.emplace_back(cancel_command, with_broker([](cli& c, words& s) { return cancel(c, s.workloads, s.labels); }));

    auto* retry_command =
        app.add_subcommand("retry", "Submit an ended workload again, however it ended, under a new id");
    retry_command->add_flag("--accept-second-copy", w.second_copy,
                            "One that lives: wait no longer for an attempt of which nothing is known; start the work "
                            "anew, at the risk that it runs twice and is charged twice");
    retry_command->add_option("workload", w.workload, "Id or name")->required();
    all.emplace_back(retry_command, with_broker([](cli& c, words& s) {
                         return s.second_copy ? risk_second_copy(c, s.workload) : retry(c, s.workload);
                     }));

    auto* charges_command = app.add_subcommand("charges", "What was charged, with exact totals");
    declare_accounts(*charges_command, w.charges);
    all.emplace_back(charges_command, with_broker([](cli& c, words& s) { return charges(c, s.charges); }));

    auto* usage_command = app.add_subcommand("usage", "Metered time, energy and carbon");
    declare_accounts(*usage_command, w.usage);
    all.emplace_back(usage_command, with_broker([](cli& c, words& s) { return usage(c, s.usage); }));
}

void declare_carbon_commands(CLI::App& app, words& w, actions& all) {
    correct_command& o = w.correct;
    auto* carbon = app.add_subcommand("carbon", "Carbon of what was metered")->require_subcommand(1);
    auto* correct = carbon->add_subcommand(
        "correct", "Count ended runs by a factor that was published later: rows of the difference (operators)");
    auto* zone = correct->add_option("--zone", o.zone, "Runs of this grid zone; with --file: its lines only");
    auto* site = correct->add_option("--site", o.site, "Runs at this PROVIDER/SITE, whatever its zone");
    site->excludes(zone);
    auto* file = correct->add_option("--file", o.file, "CSV: zone,start_at,end_at,g_per_kwh")->excludes(site);
    auto* factor = correct->add_option("--factor", o.factor, "g/kWh, average and direct")->excludes(file);
    for (auto* needed : {correct->add_option("--from", o.from, "It holds from this time on (RFC 3339)"),
                         correct->add_option("--to", o.to, "It holds until this time")}) {
        needed->needs(factor)->excludes(file);
        factor->needs(needed);
    }
    correct->add_option("--source", o.source, "Who published it")->required();
    correct->add_option("--year", o.year, "That the factor is of")->required();
    correct->add_option("--quality", o.quality, "annual_provincial, monthly, …: as in signals")->required();
    correct->add_option("--reason", o.reason, "In words, for the rows");
    correct->add_flag("--dry-run", o.dry_run, "Only tell what would change");
    all.emplace_back(correct, with_broker([](cli& c, words& s) {
                         const correct_command& said = s.correct;
                         if (said.file.empty() && (!said.factor || (said.zone.empty() && said.site.empty())))
                             return complain(fail(errc::invalid, "no factor, or nothing that it is of",
                                                  "give --zone or --site, and --factor, --from and --to, or a --file"));
                         return correct_carbon(c, said);
                     }));
}

void declare_import(CLI::App& command, words& w, actions& all) {
    import_command& o = w.import;
    command.add_option("file", o.files, "Catalogues, CSV or CSV packed by gzip")->required();
    command.add_option("--provider", o.provider, "Only this one's prices; or whose they are, without such a column");
    command.add_option("--out", o.out, "Folder for one PROVIDER.json each (default .), or one file that ends in .json");
    command.add_option("--launchable-through", o.launchable_through,
                       "An adapter's provider file: lay the prices over its offers instead, in place or into --out");
    command.add_option("--source", o.source, "What the offers tell as their prices' source (default: the file's name)");
    command.add_option("--as-of", o.as_of, "When these were the prices, RFC 3339 (default: when the file was written)");
    command.add_option("--regions", o.regions, "Your own facts about regions, before the shipped ones (JSON)");
    command.add_option("--report", o.report, "Also write every finding to this file, a JSON object a line");
    command.footer("Exit code 1 when a row gave no offer, 126 when nothing was written.");
    all.emplace_back(&command, [](words& s) { return import_offers(s.import, s.json); });
}

void declare_reservation_commands(CLI::App& app, words& w, actions& all) {
    auto* reservations = app.add_subcommand("reservations", "Capacity by the month or year")->require_subcommand(1);
    auto* advise = reservations->add_subcommand("advise", "Buy or not, by break-even use of what you were charged for");
    advise->add_option("--days", w.days, "Of so many days (default 90); less than a week gives no number to buy")
        ->check(CLI::Range(1, 400));
    advise->footer("Reckoned here from /v1/charges and /v1/offers: offers with a term_price. Buys nothing.");
    all.emplace_back(advise, with_broker([](cli& c, words& s) { return advise_reservations(c, s.days); }));
}

void declare_market_commands(CLI::App& app, words& w, actions& all) {
    auto* offers_command =
        app.add_subcommand("offers", "What can be had, where, at what price")->require_subcommand(0, 1);
    declare_import(*offers_command->add_subcommand("import", "Make provider files of CSV price catalogues"), w, all);
    auto* history = offers_command->add_subcommand("history", "How one offer's price and free units came about");
    history->add_option("offer", w.offer, "Its id, as `westerly offers` shows it")->required();
    history->add_option("--from", w.from, "From this time on (RFC 3339; default: all that is kept, 90 days)");
    history->add_option("--until", w.until, "Until this time (default: now)");
    all.emplace_back(history, with_broker([](cli& c, words& s) { return offer_history(c, s.offer, s.from, s.until); }));
    auto* one_offer = offers_command->add_subcommand("show", "One offer: its prices by the hour, its site, its RTTs");
    one_offer->add_option("offer", w.offer, "Its id, as `westerly offers` shows it")->required();
    all.emplace_back(one_offer, with_broker([](cli& c, words& s) { return show_offer(c, s.offer); }));
    offers_command->add_option("--provider", w.provider, "Of this provider only");
    offers_command->add_option("--region", w.region, "In this region only");
    all.emplace_back(offers_command, with_broker([](cli& c, words& s) { return offers(c, s.provider, s.region); }));

    auto* signals_command =
        app.add_subcommand("signals", "Carbon intensity and green power over time: source, quality, age, forecast");
    signals_command->add_option("--zone", w.zone, "Of this grid zone only");
    all.emplace_back(signals_command, with_broker([](cli& c, words& s) { return signals(c, s.zone); }));

    auto* certificates_command =
        app.add_subcommand("certificates", "Green-power certificates, and what was given of each (operators)");
    all.emplace_back(certificates_command, with_broker([](cli& c, words&) { return certificates(c); }));

    auto* providers_command = app.add_subcommand("providers", "Providers and their health")->require_subcommand(0, 1);
    for (const bool on : {true, false}) {
        auto* one = providers_command->add_subcommand(on ? "cordon" : "uncordon",
                                                      on ? "Give it no new work" : "Give it work again");
        one->add_option("provider", w.provider, "Its id")->required();
        all.emplace_back(one, with_broker([on](cli& c, words& s) { return cordon(c, s.provider, on); }));
    }
    auto* probe_command = providers_command->add_subcommand("probe", "Ask its adapter whether all is well");
    probe_command->add_option("provider", w.provider, "Its id")->required();
    all.emplace_back(probe_command, with_broker([](cli& c, words& s) { return probe(c, s.provider); }));
    all.emplace_back(providers_command, with_broker([](cli& c, words&) { return providers(c); }));

    auto* policies_command = app.add_subcommand("policies", "Policies in use")->require_subcommand(0, 1);
    auto* check = policies_command->add_subcommand("check", "Check policy files, without a broker");
    check->add_option("file", w.files, "Files")->required();
    all.emplace_back(check, [](words& s) { return check_policies(s.files, s.json); });
    auto* diff = policies_command->add_subcommand(
        "diff", "What two policies would have chosen for recorded decisions (operators)");
    diff->add_option("old", w.compare.before, "NAME in use, NAME@VERSION of the past, or a file")->required();
    diff->add_option("new", w.compare.after, "The same")->required();
    diff->add_option("--last", w.compare.last, "At most so many decisions, newest first (default 100)")
        ->check(CLI::Range(1, 1000));
    diff->add_option("--since", w.compare.since, "None before this time (RFC 3339)");
    diff->footer("Exit code 1 when they differ.");
    all.emplace_back(diff, with_broker([](cli& c, words& s) { return compare_policies(c, s.compare); }));
    auto* show_command = policies_command->add_subcommand("show", "One policy: prices, bounds, and whom it is for");
    show_command->add_option("policy", w.policy, "Its name")->required();
    all.emplace_back(show_command, with_broker([](cli& c, words& s) { return show_policy(c, s.policy); }));
    all.emplace_back(policies_command->add_subcommand("list", "The same as without a command"),
                     with_broker([](cli& c, words&) { return policies(c); }));
    all.emplace_back(policies_command, with_broker([](cli& c, words&) { return policies(c); }));
}

void declare_decision_commands(CLI::App& app, words& w, actions& all) {
    auto* decisions = app.add_subcommand("decisions", "Recorded decisions")->require_subcommand(1);
    auto* replay = decisions->add_subcommand("replay", "Make recorded decisions again, bit for bit");
    auto* ids = replay->add_option("decision", w.replay.decisions,
                                   "Ids of decisions; or workloads, by id or name, for their last ones");
    auto* every = replay->add_flag("--all", w.replay.all, "The newest of all tenants (operators)");
    replay->add_option("--last", w.replay.last, "With --all: at most so many (default 1000)")
        ->check(CLI::Range(1, 1'000'000))
        ->needs(every);
    every->excludes(ids);
    replay->footer("Exit code 1 when one is not identical.");
    all.emplace_back(replay, with_broker([](cli& c, words& s) {
                         if (s.replay.decisions.empty() && !s.replay.all)
                             return complain(fail(errc::invalid, "no decision is named",
                                                  "name decisions or workloads, or say --all"));
                         return replay_decisions(c, s.replay);
                     }));
}

void declare_account_commands(CLI::App& app, words& w, actions& all) {
    auto* login_command = app.add_subcommand("login", "Remember a broker and a key");
    login_command->add_option("url", w.url, "https://HOST:PORT");
    login_command->add_option("--key", w.key, "API key (or $WESTERLY_KEY)")->envname("WESTERLY_KEY")->required();
    login_command->add_option("--fingerprint", w.fingerprint, "The certificate's, as westerlyd prints it");
    login_command->add_option("--ca", w.ca_file, "PEM file of the authority to trust instead");
    all.emplace_back(login_command, [](words& s) { return login(s.url, s.key, s.fingerprint, s.ca_file, s.json); });

    all.emplace_back(app.add_subcommand("whoami", "Who this key is"),
                     with_broker([](cli& c, words&) { return whoami(c); }));
    all.emplace_back(app.add_subcommand("backup", "Copy the broker's database while it runs (operators)"),
                     with_broker([](cli& c, words&) { return backup(c); }));

    auto* tenants_command = app.add_subcommand("tenants", "Tenants (operators)");
    tenants_command->add_option("--create", w.tenant, "Make a tenant of this name");
    all.emplace_back(tenants_command, with_broker([](cli& c, words& s) { return tenants(c, s.tenant); }));

    auto* keys_command = app.add_subcommand("keys", "API keys");
    keys_command->add_option("--create", w.keys.create, "Make a key with this name: a-z, 0-9 and - (operators)");
    keys_command->add_option("--tenant", w.keys.tenant, "Of this tenant, id or name; absent: your own");
    keys_command->add_option("--role", w.keys.role, "member or operator")->check(CLI::IsMember({"member", "operator"}));
    keys_command->add_option("--revoke", w.keys.revoke, "End this key (id)");
    all.emplace_back(keys_command, with_broker([](cli& c, words& s) { return keys(c, s.keys); }));

    all.emplace_back(app.add_subcommand("orphans", "Things of ours at providers that no record knows (operators)"),
                     with_broker([](cli& c, words&) { return orphans(c); }));
    auto* sweep_command = app.add_subcommand("sweep", "After a restore: let unknown things be ended again (operators)");
    sweep_command->add_flag("--confirm", w.confirm, "Yes, end them");
    all.emplace_back(sweep_command, with_broker([](cli& c, words& s) { return sweep(c, s.confirm); }));
}

void declare_adapter_commands(CLI::App& app, words& w, actions& all) {
    auto* adapter = app.add_subcommand("adapter", "For authors of adapters")->require_subcommand(1);
    auto* conform_command = adapter->add_subcommand("conform", "Hold an adapter against every promise of the protocol");
    conform_command->add_option("--config", w.conform.config, "Its provider file, or the config object alone (JSON)");
    conform_command->add_option("--site", w.conform.sites, "A site of the provider file; repeatable")
        ->allow_extra_args(false);
    conform_command->add_option("--live", w.conform.live, "Attempts at once (default: what fits, up to 100)")
        ->check(CLI::Range(1, 10'000));
    conform_command->add_option("--patience-s", w.conform.patience_s, "For whatever the provider must bring about")
        ->check(CLI::Range(1, 3600));
    conform_command->add_option("--only", w.conform.only, "Checks whose name begins so; repeatable")
        ->allow_extra_args(false);
    conform_command->add_option("--junit", w.conform.junit, "Also write a JUnit report to this file");
    conform_command->add_option("--libexec-dir", w.conform.libexec_dir, "Where westerly-spawn and the adapters are");
    conform_command->footer("Then: -- COMMAND ARGUMENT...   Exit code 1 when a promise is not kept.");
    all.emplace_back(conform_command, [](words& s) { return conform(s.conform, s.json); });
}

/// What stands behind "--" is the command; CLI11 never sees it.
std::vector<std::string> cut_command(int& argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--") {
            std::vector<std::string> command(argv + i + 1, argv + argc);
            argc = i;
            return command;
        }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "westerly: run work on a network of compute.\n\nExit codes: the workload's own; 124 timed out, "
        "125 our fault or the broker's, 126 refused, 130 detached.",
        "westerly");
    app.require_subcommand(1);
    app.set_version_flag("--version", "westerly 0.1.0");
    words said;
    std::string output = "table";
    app.add_option("-o,--output", output, "table, or json for programs")->check(CLI::IsMember({"table", "json"}));
    app.fallthrough();  // -o may stand behind the command too
    actions all;
    declare_tenant_commands(app, said, all);
    declare_market_commands(app, said, all);
    declare_decision_commands(app, said, all);
    declare_reservation_commands(app, said, all);
    declare_carbon_commands(app, said, all);
    declare_account_commands(app, said, all);
    declare_adapter_commands(app, said, all);

    const auto command = cut_command(argc, argv);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0)
            return app.exit(e);
        return complain(fail(errc::invalid, e.what(), "westerly --help, or westerly COMMAND --help"));
    }
    said.json = output == "json";
    for (run_options* o : {&said.run, &said.plan})
        o->command = command;
    said.conform.command = command;
    for (auto* workload_command : {app.get_subcommand("run"), app.get_subcommand("plan")})
        if (workload_command->parsed() && command.empty() == (workload_command->count("file") == 0))
            return complain(fail(errc::invalid, command.empty() ? "nothing to run" : "both a file and a command",
                                 "give a workload file or `-- COMMAND ARGUMENT...`, one of the two"));
    if (app.get_subcommand("adapter")->parsed() && command.empty())
        return complain(fail(errc::invalid, "no adapter to try", "westerly adapter conform -- COMMAND ARGUMENT..."));
    for (auto& [parsed, act] : all)
        if (parsed->parsed())
            return act(said);
    return ours;
}
