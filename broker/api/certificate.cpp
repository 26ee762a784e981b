#include "broker/api/api_server.hpp"
#include "broker/support/files.hpp"
#include "broker/support/random.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace westerly {
namespace {

constexpr long valid_days = 825;  // the longest that Apple's clients take
constexpr std::size_t pem_bytes_max = 1 << 20;
constexpr unsigned key_mode = 0600;

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;
using extension_handle = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using bio_handle = std::unique_ptr<BIO, freed_by<BIO_free_all>>;

bool is_address(const std::string& name) {
    unsigned char room[sizeof(in6_addr)];
    return inet_pton(AF_INET, name.c_str(), room) == 1 || inet_pton(AF_INET6, name.c_str(), room) == 1;
}

/// "DNS:localhost,IP:127.0.0.1". Errors: invalid for what is neither a host name nor an address.
result<std::string> alternative_names(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) {
        const bool host = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") ==
                              std::string::npos &&
                          !name.empty();
        if (!host && !is_address(name))
            return fail(errc::invalid, "\"" + name + "\" is neither a host name nor an address",
                        "name the certificate for example after localhost or 192.0.2.1");
        out.append(out.empty() ? "" : ",").append(is_address(name) ? "IP:" : "DNS:").append(name);
    }
    if (out.empty())
        return fail(errc::invalid, "a certificate needs a name", "give at least one host name or address");
    return out;
}

bool add_extension(X509* to, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
    const extension_handle made(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return made && X509_add_ext(to, made.get(), -1) == 1;
}

certificate_handle make_certificate(EVP_PKEY* key, const std::string& common_name, const std::string& names) {
    certificate_handle made(X509_new());
    auto* x = made.get();
    std::array<std::uint8_t, 16> serial;
    fill_secure(serial);
    serial[0] &= 0x7F;  // positive
    BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    X509_set_version(x, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);  // clocks of clients may be behind
    X509_gmtime_adj(X509_getm_notAfter(x), valid_days * 24 * 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    const bool whole = add_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                       add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
                       add_extension(x, NID_ext_key_usage, "serverAuth") &&
                       add_extension(x, NID_subject_key_identifier, "hash") &&
                       add_extension(x, NID_subject_alt_name, names) && X509_sign(x, key, EVP_sha256()) != 0;
    return whole ? std::move(made) : nullptr;
}

template <class Write>
std::string pem_of(Write write_to) {
    const bio_handle memory(BIO_new(BIO_s_mem()));
    if (write_to(memory.get()) != 1)
        return {};
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// The key that lies there already (a crash may have left it alone, and it may be the operator's), or a new one.
result<key_handle> key_for(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return key_handle(EVP_EC_gen("P-256"));
    const auto pem = read_file(file, pem_bytes_max);
    if (!pem)
        return pem.error();
    const bio_handle memory(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
    key_handle read(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
    if (!read)
        return fail(errc::invalid, file.string() + " is not a PEM key", "remove it, so that a new pair is made");
    return read;
}

result<void> make_files(const std::filesystem::path& certificate, const std::filesystem::path& key,
                        const std::vector<std::string>& names) {
    const auto alternatives = alternative_names(names);
    if (!alternatives)
        return alternatives.error();
    const auto found = key_for(key);
    if (!found)
        return found.error();
    const auto& pair = *found;
    const auto made = pair ? make_certificate(pair.get(), "westerly", *alternatives) : nullptr;
    if (!made)
        return fail(errc::invalid, "no certificate could be made for " + *alternatives, "check the names");
    const auto key_pem = pem_of(
        [&](BIO* to) { return PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    const auto certificate_pem = pem_of([&](BIO* to) { return PEM_write_bio_X509(to, made.get()); });
    // The key first: a crash between the two leaves a key alone, which the next start uses.
    if (auto written = write_file_atomically(key, key_pem, key_mode); !written)
        return written.error();
    return write_file_atomically(certificate, certificate_pem);
}

result<std::string> fingerprint_of(const std::filesystem::path& certificate) {
    const auto pem = read_file(certificate, pem_bytes_max);
    if (!pem)
        return pem.error();
    const bio_handle memory(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
    const certificate_handle read(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    std::array<unsigned char, 32> digest;
    if (!read || X509_digest(read.get(), EVP_sha256(), digest.data(), nullptr) != 1)
        return fail(errc::invalid, certificate.string() + " is not a PEM certificate", "replace it");
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const auto byte : digest) {
        if (!out.empty())
            out += ':';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace

result<std::string> ensure_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                       const std::vector<std::string>& names) {
    std::error_code ignored;
    const bool have_certificate = std::filesystem::exists(certificate, ignored);
    const bool have_key = std::filesystem::exists(key, ignored);
    if (have_certificate && !have_key)
        return fail(errc::invalid, key.string() + " is missing beside " + certificate.string(),
                    "put the key there, or remove the certificate so that a new pair is made");
    if (!have_certificate) {
        if (auto made = make_files(certificate, key, names); !made)
            return made.error();
    }
    return fingerprint_of(certificate);
}

}  // namespace westerly
