#include "broker/support/files.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <sys/stat.h>

namespace westerly::testing {
namespace {

class tls_test : public api_fixture {};

TEST_F(tls_test, speaks_1_3_and_1_2_and_alpn) {
    serve();
    EXPECT_EQ(connect().protocol(), "TLSv1.3");
    tls_client old(server->port(), {.tls_1_2 = true});
    EXPECT_EQ(old.protocol(), "TLSv1.2");
    EXPECT_EQ(old.ask("GET", "/healthz").status, 200);
    tls_client named(server->port(), {.alpn = "http/1.1"});
    EXPECT_EQ(named.alpn(), "http/1.1");
    EXPECT_FALSE(tls_client(server->port(), {.alpn = "h2"}).connected());
}

TEST_F(tls_test, sessions_are_resumed) {
    serve();
    auto first = connect();
    EXPECT_EQ(first.ask("GET", "/healthz").status, 200);
    EXPECT_FALSE(first.resumed());
    tls_client second(server->port(), {.session = first.session()});
    EXPECT_EQ(second.ask("GET", "/healthz").status, 200);
    EXPECT_TRUE(second.resumed());
}

TEST_F(tls_test, certificates_reload_for_new_connections_only) {
    serve();
    auto before = connect();
    EXPECT_EQ(before.fingerprint(), fingerprint);
    const auto other_cert = folder() / "other.pem";
    const auto other_key = folder() / "other.key";
    const auto other = ensure_certificate(other_cert, other_key, {"localhost"}).value();
    std::filesystem::copy_file(other_cert, options.certificate, std::filesystem::copy_options::overwrite_existing);
    const auto mismatch = server->reload_certificates();
    ASSERT_FALSE(mismatch);
    EXPECT_EQ(mismatch.error().code, errc::invalid);
    EXPECT_EQ(connect().fingerprint(), fingerprint) << "an error leaves the old one in use";
    std::filesystem::copy_file(other_key, options.private_key, std::filesystem::copy_options::overwrite_existing);
    ASSERT_TRUE(server->reload_certificates());
    EXPECT_EQ(connect().fingerprint(), other);
    EXPECT_EQ(before.ask("GET", "/healthz").status, 200);
}

TEST_F(tls_test, ensure_certificate_keeps_what_is_there) {
    const auto again = ensure_certificate(options.certificate, options.private_key, {"localhost"});
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, fingerprint);
    EXPECT_EQ(fingerprint.size(), 32u * 3 - 1);
    struct stat about {};
    ASSERT_EQ(stat(options.private_key.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
    std::filesystem::remove(options.certificate);
    const auto key = read_file(options.private_key, 1 << 16);
    ASSERT_TRUE(ensure_certificate(options.certificate, options.private_key, {"localhost", "::1", "127.0.0.1"}));
    EXPECT_EQ(*read_file(options.private_key, 1 << 16), *key) << "a key that lies there is used, never replaced";
    serve();
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(tls_test, ensure_certificate_refuses) {
    EXPECT_EQ(ensure_certificate(folder() / "a", folder() / "b", {}).error().code, errc::invalid);
    EXPECT_EQ(ensure_certificate(folder() / "a", folder() / "b", {"no,IP:1.2.3.4"}).error().code, errc::invalid);
    std::filesystem::remove(options.private_key);
    EXPECT_EQ(ensure_certificate(options.certificate, options.private_key, {"localhost"}).error().code, errc::invalid);
    ASSERT_TRUE(write_file_atomically(options.certificate, "nothing"));
    ASSERT_TRUE(write_file_atomically(options.private_key, "nothing"));
    EXPECT_EQ(ensure_certificate(options.certificate, options.private_key, {"localhost"}).error().code, errc::invalid);
    api_server broken(options, broker.services());
    EXPECT_EQ(broken.start().error().code, errc::invalid);
}

TEST_F(tls_test, a_taken_port_is_a_conflict_that_names_it) {
    serve();
    options.port = server->port();
    api_server second(options, broker.services());
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, errc::conflict);
    EXPECT_NE(started.error().detail.find("127.0.0.1:" + std::to_string(options.port)), std::string::npos);
    EXPECT_NE(started.error().remedy, "");
    options.address = "localhost.example";
    EXPECT_EQ(api_server(options, broker.services()).start().error().code, errc::invalid);
}

}  // namespace
}  // namespace westerly::testing
