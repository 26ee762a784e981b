#include "tests/bench/echo_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

namespace westerly {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
    session(tcp::socket socket, asio::ssl::context& tls) : stream_(std::move(socket), tls) {}

    void start() {
        error_code ignored;
        stream_.next_layer().set_option(tcp::no_delay(true), ignored);
        stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code ec) {
            if (!ec)
                self->read();
        });
    }

private:
    void read() {
        request_ = {};
        http::async_read(stream_, buffer_, request_, [self = shared_from_this()](error_code ec, std::size_t) {
            if (!ec)
                self->answer();
        });
    }

    void answer() {
        response_ = {http::status::ok, 11};
        response_.set(http::field::content_type, "application/json");
        response_.body() = std::move(request_.body());
        response_.prepare_payload();
        http::async_write(stream_, response_, [self = shared_from_this()](error_code ec, std::size_t) {
            if (!ec)
                self->read();
        });
    }

    asio::ssl::stream<tcp::socket> stream_;
    boost::beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
    http::response<http::string_body> response_;
};

/// One of two loops that listen on the same port: the kernel shares the connections out.
class loop {
public:
    loop(std::uint16_t port, asio::ssl::context& tls) : tls_(tls), acceptor_(io_) {
        acceptor_.open(tcp::v4());
        const int on = 1;
        ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        acceptor_.bind({asio::ip::address_v4::loopback(), port});
        acceptor_.listen();
        accept();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void run() { io_.run(); }

private:
    void accept() {
        acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
            if (!ec)
                std::make_shared<session>(std::move(socket), tls_)->start();
            accept();
        });
    }

    asio::ssl::context& tls_;
    asio::io_context io_{1};
    tcp::acceptor acceptor_;
};

[[noreturn]] void serve(int tell, const std::filesystem::path& certificate, const std::filesystem::path& private_key) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        asio::ssl::context tls(asio::ssl::context::tls_server);
        tls.use_certificate_chain_file(certificate.string());
        tls.use_private_key_file(private_key.string(), asio::ssl::context::pem);
        loop first(0, tls);
        const auto port = first.port();
        loop second(port, tls);
        if (::write(tell, &port, sizeof port) == sizeof port) {
            std::thread other([&] { second.run(); });
            first.run();
        }
    } catch (const std::exception&) {  // the parent sees the pipe end
    }
    ::_exit(1);
}

}  // namespace

echo_server::echo_server(const std::filesystem::path& certificate, const std::filesystem::path& private_key) {
    int ends[2];
    if (::pipe(ends) != 0)
        throw std::runtime_error("cannot make a pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ends[0]);
        serve(ends[1], certificate, private_key);
    }
    ::close(ends[1]);
    const bool told = pid_ > 0 && ::read(ends[0], &port_, sizeof port_) == sizeof port_;
    ::close(ends[0]);
    if (!told)
        throw std::runtime_error("the echo server did not start");
}

echo_server::~echo_server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

}  // namespace westerly
