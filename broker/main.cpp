#include "broker/runtime/broker.hpp"
#include "broker/runtime/settings.hpp"
#include "policies/table.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <optional>

namespace {

namespace fs = std::filesystem;
using westerly::broker_options;

constexpr const char* version = "westerlyd 0.1.0";

struct flags {
    std::optional<std::string> home, config, config_dir, libexec_dir, listen, certificate, private_key;
    std::optional<std::uint16_t> port;
    std::string restore;
    bool check_config = false;
    bool new_operator_key = false;
};

void declare(CLI::App& app, flags& given) {
    app.add_option("--home", given.home, "Everything under this directory (default /var/lib/westerly)")
        ->envname("WESTERLY_HOME");
    app.add_option("--config", given.config,
                   "Configuration file, YAML or JSON (default HOME/westerlyd.yaml, else "
                   "/etc/westerly/westerlyd.yaml, where there is one)")
        ->envname("WESTERLY_CONFIG");
    app.add_option("--config-dir", given.config_dir,
                   "Where policies/*.json and providers/*.json are (default: the configuration file's folder, or HOME)")
        ->envname("WESTERLY_CONFIG_DIR");
    app.add_option("--libexec-dir", given.libexec_dir, "Where westerly-spawn and the adapters are")
        ->envname("WESTERLY_LIBEXEC_DIR");
    app.add_option("--listen", given.listen, "Address to listen on (default 127.0.0.1)")->envname("WESTERLY_LISTEN");
    app.add_option("--port", given.port, "Port to listen on (default 8443; 0: any free one)")->envname("WESTERLY_PORT");
    app.add_option("--tls-certificate", given.certificate, "PEM chain (default HOME/tls/cert.pem, made when missing)")
        ->envname("WESTERLY_TLS_CERTIFICATE");
    app.add_option("--tls-private-key", given.private_key, "PEM key of that certificate")
        ->envname("WESTERLY_TLS_PRIVATE_KEY");
    app.add_flag("--check-config", given.check_config,
                 "Read all configuration, ask each adapter about its own, say every fault; serve nothing");
    app.add_flag("--new-operator-key", given.new_operator_key,
                 "Make a further operator key (for a lost one) while no westerlyd runs, print it, end");
    app.add_option("--restore", given.restore, "Put this backup in the database's place while no westerlyd runs, end");
    app.set_version_flag("--version", version);
    app.footer("Flags go over WESTERLY_* variables, and these over the configuration file.");
}

fs::path own_directory() {
    std::error_code ignored;
    return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

/// In a build tree the helpers stand beside westerlyd; installed, in ../libexec/westerly.
fs::path default_libexec() {
    const auto beside = own_directory();
    std::error_code ignored;
    return fs::exists(beside / "westerly-spawn", ignored) ? beside : beside.parent_path() / "libexec" / "westerly";
}

std::optional<fs::path> settings_file(const flags& given, const fs::path& home) {
    if (given.config)
        return *given.config;
    std::error_code ignored;
    for (const fs::path& usual : {home / "westerlyd.yaml", fs::path("/etc/westerly/westerlyd.yaml")})
        if (fs::exists(usual, ignored))
            return usual;
    return std::nullopt;
}

westerly::result<broker_options> options_from(const flags& given) {
    broker_options options;
    options.home = given.home.value_or("/var/lib/westerly");
    options.libexec_dir = default_libexec();
    options.config_dir = given.home ? fs::path(*given.home) : fs::path("/etc/westerly");
    if (const auto file = settings_file(given, options.home)) {
        options.settings = *file;
        options.config_dir = file->parent_path();
        if (auto read = westerly::read_settings(*file, options); !read)
            return read.error();
        options.config_dir_stated = options.config_dir != file->parent_path();
    }
    if (given.home)
        options.home = *given.home;
    if (given.config_dir) {
        options.config_dir = *given.config_dir;
        options.config_dir_stated = true;
    }
    if (given.libexec_dir)
        options.libexec_dir = *given.libexec_dir;
    if (given.listen)
        options.listen_address = *given.listen;
    if (given.port)
        options.port = *given.port;
    if (given.certificate)
        options.certificate = *given.certificate;
    if (given.private_key)
        options.private_key = *given.private_key;
    if (options.certificate.empty() != options.private_key.empty())
        return westerly::fail(westerly::errc::invalid, "--tls-certificate and --tls-private-key belong together",
                              "give both or neither");
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("westerlyd: the Westerly broker. One HTTPS API over many compute providers.", "westerlyd");
    flags given;
    declare(app, given);
    CLI11_PARSE(app, argc, argv);

    const auto options = options_from(given);
    if (!options)
        return westerly::refuse(options.error());
    const auto terms = westerly::built_in_terms();
    if (given.check_config) {
        std::signal(SIGPIPE, SIG_IGN);  // an adapter may end before it has read what it is asked
        std::string report;
        if (auto sound = westerly::check_configuration(*options, terms, report); !sound)
            return westerly::refuse(sound.error());
        std::printf("%sthe configuration is sound\n", report.c_str());
        return 0;
    }
    if (given.new_operator_key) {
        const auto key = westerly::new_operator_key(*options);
        if (!key)
            return westerly::refuse(key.error());
        std::printf("operator key (shown once): %s\n", key->c_str());
        return 0;
    }
    if (!given.restore.empty()) {
        if (auto restored = westerly::restore_backup(*options, given.restore); !restored)
            return westerly::refuse(restored.error());
        std::printf(
            "restored into %s; what was there is kept as westerly.db.replaced. The next start only lists unknown "
            "things at "
            "providers; see `westerly orphans`, then `westerly sweep --confirm`\n",
            options->home.c_str());
        return 0;
    }
    return westerly::run_broker(*options, terms);
}
