#include "tests/unit/api/tls_client.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace westerly::testing {

struct tls_client::impl {
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
    int socket = -1;
    bool connected = false;
    bool end = false;
    std::string read;    // came, not used yet
    std::string ticket;  // the newest session

    ~impl() {
        SSL_free(ssl);
        SSL_CTX_free(context);
        if (socket >= 0)
            ::close(socket);
    }

    bool fill() {
        std::array<char, 65536> room;
        const long got = ssl != nullptr ? SSL_read(ssl, room.data(), static_cast<int>(room.size()))
                                        : ::recv(socket, room.data(), room.size(), 0);
        if (got <= 0) {
            end = true;
            return false;
        }
        read.append(room.data(), static_cast<std::size_t>(got));
        return true;
    }
    std::string take(std::size_t size) {
        std::string out = read.substr(0, size);
        read.erase(0, size);
        return out;
    }
    /// A line without its end; nullopt-like "" with end set when the connection ended.
    std::string line() {
        std::size_t at;
        while ((at = read.find("\r\n")) == std::string::npos)
            if (!fill())
                return {};
        std::string out = take(at);
        read.erase(0, 2);
        return out;
    }
    bool bytes(std::string& to, std::size_t size) {
        while (read.size() < size)
            if (!fill()) {
                to += take(read.size());
                return false;
            }
        to += take(size);
        return true;
    }
};

namespace {

int keep_ticket(SSL* ssl, SSL_SESSION* session) {
    auto* to = static_cast<std::string*>(SSL_get_ex_data(ssl, 0));
    unsigned char* der = nullptr;
    const int size = i2d_SSL_SESSION(session, &der);
    to->assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return 0;
}

}  // namespace

const std::string& http_reply::header(const std::string& name) const {
    static const std::string none;
    const auto at = headers.find(name);
    return at == headers.end() ? none : at->second;
}

tls_client::tls_client(std::uint16_t port) : tls_client(port, settings{}) {}

tls_client::tls_client(std::uint16_t port, const settings& how) : impl_(std::make_unique<impl>()) {
    auto& me = *impl_;
    me.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, how.host.c_str(), &to.sin_addr);
    const timeval limit{patience.count(), 0};
    setsockopt(me.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(me.socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        return;
    if (!how.tls) {
        me.connected = true;
        return;
    }
    me.context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(me.context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(me.context, keep_ticket);
    if (how.tls_1_2)
        SSL_CTX_set_max_proto_version(me.context, TLS1_2_VERSION);
    me.ssl = SSL_new(me.context);
    SSL_set_ex_data(me.ssl, 0, &me.ticket);
    SSL_set_fd(me.ssl, me.socket);
    if (!how.alpn.empty()) {
        const std::string wire = std::string(1, static_cast<char>(how.alpn.size())) + how.alpn;
        SSL_set_alpn_protos(me.ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    }
    if (!how.session.empty()) {
        const auto* der = reinterpret_cast<const unsigned char*>(how.session.data());
        SSL_SESSION* earlier = d2i_SSL_SESSION(nullptr, &der, static_cast<long>(how.session.size()));
        SSL_set_session(me.ssl, earlier);
        SSL_SESSION_free(earlier);
    }
    me.connected = SSL_connect(me.ssl) == 1;
}

tls_client::~tls_client() = default;
tls_client::tls_client(tls_client&&) noexcept = default;

bool tls_client::connected() const {
    return impl_->connected;
}

void tls_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const long sent = impl_->ssl != nullptr ? SSL_write(impl_->ssl, bytes.data(), static_cast<int>(bytes.size()))
                                                : ::send(impl_->socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

http_reply tls_client::read_reply(bool head) {
    auto& me = *impl_;
    http_reply reply;
    const std::string first = me.line();
    if (first.size() < 12)
        return reply;
    reply.status = std::stoi(first.substr(9, 3));
    for (std::string line = me.line(); !line.empty(); line = me.line()) {
        const auto colon = line.find(": ");
        std::string name = line.substr(0, colon);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        reply.headers[name] = line.substr(colon + 2);
    }
    if (head || reply.status == 204 || reply.status == 304 || reply.status == 100) {
        reply.whole = true;
    } else if (reply.header("transfer-encoding") == "chunked") {
        while (true) {
            const std::string size = me.line();
            if (size.empty())
                return reply;
            const auto count = std::stoul(size, nullptr, 16);
            if (!me.bytes(reply.body, count))
                return reply;
            me.line();
            if (count == 0)
                break;
        }
        reply.whole = true;
    } else if (!reply.header("content-length").empty()) {
        reply.whole = me.bytes(reply.body, std::stoul(reply.header("content-length")));
    } else {
        while (me.fill()) {
        }
        reply.body = me.take(me.read.size());
        reply.whole = true;
    }
    return reply;
}

http_reply tls_client::ask(std::string_view method, std::string_view target, const header_list& headers,
                           std::string_view body) {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    for (const auto& [name, value] : headers)
        text.append(name).append(": ").append(value).append("\r\n");
    if (!body.empty())
        text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    send(text.append("\r\n").append(body));
    return read_reply(method == "HEAD");
}

std::string tls_client::read_some(std::size_t bytes_max) {
    if (impl_->read.empty())
        impl_->fill();
    return impl_->take(std::min(bytes_max, impl_->read.size()));
}

std::string tls_client::read_until(std::string_view text) {
    while (impl_->read.find(text) == std::string::npos)
        if (!impl_->fill())
            return impl_->take(impl_->read.size());
    return impl_->take(impl_->read.find(text) + text.size());
}

bool tls_client::ended() {
    while (!impl_->end)
        impl_->fill();
    return impl_->read.empty();
}

void tls_client::close_writing() {
    shutdown(impl_->socket, SHUT_WR);
}

void tls_client::close() {
    if (impl_->socket >= 0)
        ::close(std::exchange(impl_->socket, -1));
}

std::string tls_client::fingerprint() const {
    X509* certificate = SSL_get1_peer_certificate(impl_->ssl);
    std::array<unsigned char, 32> digest{};
    X509_digest(certificate, EVP_sha256(), digest.data(), nullptr);
    X509_free(certificate);
    std::string out;
    for (const auto byte : digest) {
        char hex[4];
        std::snprintf(hex, sizeof hex, "%02X:", byte);
        out += hex;
    }
    out.pop_back();
    return out;
}

std::string tls_client::session() const {
    return impl_->ticket;
}

bool tls_client::resumed() const {
    return SSL_session_reused(impl_->ssl) == 1;
}

std::string tls_client::protocol() const {
    return SSL_get_version(impl_->ssl);
}

std::string tls_client::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(impl_->ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

}  // namespace westerly::testing
