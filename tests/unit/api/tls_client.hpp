#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace westerly::testing {

struct http_reply {
    int status = 0;                              // 0: the connection ended before an answer
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    bool whole = false;  // the body came to its end
    const std::string& header(const std::string& name) const;
};

using header_list = std::vector<std::pair<std::string, std::string>>;

/// A small blocking HTTPS client over loopback. Reads give up after `patience`.
class tls_client {
public:
    struct settings {
        bool tls = true;
        bool tls_1_2 = false;
        std::string alpn = {};     // "h2": one protocol
        std::string session = {};  // to resume, as `session()` gave it
        std::string host = "127.0.0.1";
    };
    explicit tls_client(std::uint16_t port);
    tls_client(std::uint16_t port, const settings& how);
    ~tls_client();
    tls_client(tls_client&&) noexcept;

    bool connected() const;  // the handshake was done
    void send(std::string_view bytes);
    http_reply read_reply(bool head = false);
    http_reply ask(std::string_view method, std::string_view target, const header_list& headers = {},
                   std::string_view body = {});
    /// What comes next, up to `bytes_max`; "" at the end or after `patience`.
    std::string read_some(std::size_t bytes_max = 65536);
    /// Reads until `text` has come; gives all that was read.
    std::string read_until(std::string_view text);
    bool ended();          // nothing more comes, and the peer has closed
    void close_writing();  // half-open: FIN without close_notify
    void close();

    std::string fingerprint() const;  // of the server's certificate, "AA:BB:…"
    std::string session() const;      // DER, after something was read
    bool resumed() const;
    std::string protocol() const;  // "TLSv1.3"
    std::string alpn() const;

    static constexpr std::chrono::seconds patience{10};

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace westerly::testing
