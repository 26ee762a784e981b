#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <memory>
#include <vector>

struct ssl_ctx_st;

namespace westerly {

/// An OpenSSL context; connections made from it keep what they need when it is replaced.
using tls_context = std::shared_ptr<ssl_ctx_st>;

/// TLS 1.3 and 1.2 with forward-secret AEAD ciphers, ALPN http/1.1, session tickets. Errors: invalid, naming the file
/// and what is wrong with it.
result<tls_context> make_tls_context(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace westerly
