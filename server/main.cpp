// rampartd: the companion server. docs/guides/server.md.
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <libpq-fe.h>
#include <unistd.h>

#include "app.hpp"
#include "auth/password.hpp"
#include "auth/password_policy.hpp"
#include "config/check.hpp"
#include "db/connection.hpp"
#include "db/migrate.hpp"
#include "http/openapi.hpp"
#include "ops/log.hpp"
#include "secret.hpp"

namespace rampart::server {
namespace {

// Signals are taken by one thread, and others never see them.
void BlockSignals(sigset_t* signals) {
    sigemptyset(signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(signals, signal);
    pthread_sigmask(SIG_BLOCK, signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

int Serve(const Configuration& configuration) {
    sigset_t signals;
    BlockSignals(&signals);
    ops::StartLog(configuration.settings.log.level);
    InitSecureHeap();
    App app(configuration);
    std::thread server([&app] { app.Run(); });
    ops::LogInfo("started", std::to_string(app.port()));
    for (;;) {
        int signal = 0;
        sigwait(&signals, &signal);
        if (signal != SIGHUP) break;
        app.ReloadCertificate();
    }
    ops::LogInfo("stopping");
    app.Stop();
    server.join();
    ops::LogInfo("stopped");
    return 0;
}

int CheckConfiguration(const Configuration& configuration) {
    bool good = true;
    for (const Finding& finding : Check(configuration)) {
        std::cout << (finding.is_error ? "error: " : "warning: ") << finding.text << "\n";
        good = good && !finding.is_error;
    }
    std::cout << (good ? "The configuration is good.\n"
                       : "The server would not start, or not work.\n");
    return good ? 0 : 1;
}

int Migrate(const std::string& connection) {
    const db::Migrated result = db::Migrate(connection);
    for (const std::string& file : result.applied) std::cout << "applied " << file << "\n";
    if (result.applied.empty())
        std::cout << "Nothing to do: " << result.before << " files have been applied.\n";
    return 0;
}

// From a terminal without echo it would be typed twice; scripts give it on standard input.
std::string ReadPassword() {
    if (isatty(STDIN_FILENO) == 0) {
        std::string line;
        std::getline(std::cin, line);
        return line;
    }
    return getpass("Password: ");
}

int CreateAdmin(const Settings& settings, const std::string& connection, const std::string& email) {
    const std::string address = auth::NormalEmail(email);
    const std::string password = ReadPassword();
    const auto faults = auth::PasswordFaults(password, address, "", settings.password);
    for (const std::string& fault : faults) std::cerr << "The password " << fault << ".\n";
    if (!faults.empty()) return 1;
    const auth::PasswordHasher hasher(settings.password);
    db::Connection database(connection);
    database.Run(
        {{"SELECT rampart_auth.create_admin(email => $1, name => NULL, password_hash => $2)",
          {address, hasher.Hash(password)}}});
    std::cout << "Made the administrator " << address << ".\n";
    return 0;
}

int PrintDocument(const Configuration& configuration) {
    // Handlers refer to these, and none is called: nothing connects.
    const Settings& settings = configuration.settings;
    db::Pool pool("", 1, {});
    const LiveSettings live_settings(pool, configuration);
    db::Listener changes("");
    auth::SigningKeys keys(pool, settings);
    auth::TokenReader tokens(keys, settings);
    auth::ChangedSessions changed(pool, changes, settings);
    auth::PasswordHasher hasher(settings.password);
    auth::HashPool hash_pool(1, 1, 1);
    const auth::Service service{pool, keys, tokens, changed, hasher, hash_pool, "", ""};
    const nlohmann::json document;
    std::vector<http::Route> routes;
    routes = AllRoutes(service, live_settings, document, routes);
    std::cout << http::OpenApi(routes, settings.PublicUrl()).dump(2) << "\n";
    return 0;
}

int Main(int argc, char** argv) {
    CLI::App cli(
        "rampartd: login, sessions, organisations and a guard on every route, over Rampart");
    cli.require_subcommand(1);
    std::string file;
    std::string connection;
    std::string email;
    cli.add_option("-c,--config", file,
                   "configuration file (TOML); settings can also be RAMPART_SECTION_NAME")
        ->check(CLI::ExistingFile);
    CLI::App* serve = cli.add_subcommand("serve", "runs the server");
    CLI::App* check = cli.add_subcommand("check", "says what is wrong with the configuration");
    CLI::App* migrate =
        cli.add_subcommand("migrate", "brings the database to what this server needs");
    CLI::App* admin = cli.add_subcommand(
        "create-admin", "makes an administrator; the password is read from standard input");
    CLI::App* settings_file =
        cli.add_subcommand("settings", "prints all settings with their defaults");
    CLI::App* openapi = cli.add_subcommand("openapi", "prints the OpenAPI document");
    for (CLI::App* command : {migrate, admin}) {
        command
            ->add_option("--database", connection,
                         "connection string of the database's owner or a superuser")
            ->required();
    }
    admin->add_option("email", email, "their address")->required();
    CLI11_PARSE(cli, argc, argv);
    if (settings_file->parsed()) {
        std::cout << DefaultFile();
        return 0;
    }
    Configuration configuration;
    configuration.settings = Load(file, &configuration.sources);
    const Settings& settings = configuration.settings;
    if (serve->parsed()) return Serve(configuration);
    if (check->parsed()) return CheckConfiguration(configuration);
    if (migrate->parsed()) return Migrate(connection);
    if (admin->parsed()) return CreateAdmin(settings, connection, email);
    return openapi->parsed() ? PrintDocument(configuration) : 2;
}

}  // namespace
}  // namespace rampart::server

int main(int argc, char** argv) {
    try {
        return rampart::server::Main(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "rampartd: " << error.what() << "\n";
        return 1;
    }
}
