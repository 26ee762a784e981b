#include "tools/client/fingerprint.hpp"

#include <openssl/ssl.h>

namespace westerly {

std::string fingerprint_of(const ssl_st* connection) {
    X509* certificate = SSL_get1_peer_certificate(connection);
    if (certificate == nullptr)
        return {};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509_digest(certificate, EVP_sha256(), digest, &length);
    X509_free(certificate);
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
        static constexpr char digits[] = "0123456789ABCDEF";
        if (i > 0)
            text += ':';
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

}  // namespace westerly
