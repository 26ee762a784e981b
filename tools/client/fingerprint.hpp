#pragma once

#include <string>

struct ssl_st;  // OpenSSL's SSL

namespace westerly {

/// The SHA-256 of the certificate that the other side of a connection has shown, as "AA:BB:…"; "" when it showed none.
std::string fingerprint_of(const ssl_st* connection);

}  // namespace westerly
