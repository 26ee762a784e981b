#include "broker/api/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <string_view>

namespace westerly {
namespace {

constexpr const char* ciphers_tls_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* ciphersuites_tls_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr unsigned char session_context[] = "westerly";
constexpr std::size_t tickets_per_handshake = 1;
constexpr long session_cache_max = 4096;  // TLS 1.2 without tickets

std::string openssl_reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "unknown reason";
}

error bad_file(const std::filesystem::path& file, const std::string& what) {
    return fail(errc::invalid, file.string() + ": " + what + " (" + openssl_reason() + ")",
                "give a PEM certificate chain and its unencrypted PEM key");
}

/// Takes "http/1.1"; a client that offers ALPN without it is refused.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    constexpr std::string_view wanted = "http/1.1";
    for (unsigned at = 0; at < offered_size;) {
        const unsigned size = offered[at];
        if (at + 1 + size > offered_size)
            break;
        if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), size) == wanted) {
            *out = offered + at + 1;
            *out_size = static_cast<unsigned char>(size);
            return SSL_TLSEXT_ERR_OK;
        }
        at += 1 + size;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

result<tls_context> make_tls_context(const std::filesystem::path& certificate, const std::filesystem::path& key) {
    ERR_clear_error();
    tls_context made(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    auto* context = made.get();
    if (context == nullptr)
        return fail(errc::internal, "OpenSSL gave no context: " + openssl_reason());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_set_cipher_list(context, ciphers_tls_1_2) != 1 ||
        SSL_CTX_set_ciphersuites(context, ciphersuites_tls_1_3) != 1)
        return fail(errc::internal, "OpenSSL refused the cipher lists: " + openssl_reason());
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
    SSL_CTX_sess_set_cache_size(context, session_cache_max);
    SSL_CTX_set_num_tickets(context, tickets_per_handshake);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return bad_file(certificate, "cannot be used as the certificate");
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return bad_file(key, "cannot be used as the private key");
    if (SSL_CTX_check_private_key(context) != 1)
        return bad_file(key, "is not the key of " + certificate.string());
    return made;
}

}  // namespace westerly
