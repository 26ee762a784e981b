#include "broker/support/bytes.hpp"

#include "broker/support/random.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace westerly {
namespace {

TEST(bytes, sha256_matches_the_published_vectors) {
    EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(bytes, hex_reads_both_cases_and_refuses_the_rest) {
    EXPECT_EQ(from_hex("00fFa0"), std::string("\x00\xff\xa0", 3));
    EXPECT_EQ(from_hex(""), "");
    for (const auto* bad : {"0", "0g", "g0", " 0", "0x", "00f"})
        EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

struct base64_case {
    std::string_view bytes;
    std::string_view text;
};

TEST(bytes, base64_matches_rfc_4648) {
    for (const auto& [bytes, text] : {base64_case{"", ""},
                                      {"f", "Zg=="},
                                      {"fo", "Zm8="},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg=="},
                                      {"fooba", "Zm9vYmE="},
                                      {"foobar", "Zm9vYmFy"},
                                      {"\xfb\xff\xbf", "+/+/"}}) {
        EXPECT_EQ(to_base64(bytes), text);
        EXPECT_EQ(from_base64(text), bytes);
    }
}

TEST(bytes, base64_refuses_what_rfc_4648_does_not_spell) {
    for (const auto* bad :
         {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Zm=v", "Zm9 ", "Zm9v\n", "-_-_", "Zh==", "Zm9="})
        EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
}

TEST(bytes, any_bytes_survive_hex_and_base64) {
    random_source random(7);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i)
            bytes += static_cast<char>(random.next());
        const std::vector<std::uint8_t> span(bytes.begin(), bytes.end());
        EXPECT_EQ(from_hex(to_hex(span)), bytes);
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    }
}

TEST(bytes, utf8_accepts_the_edges_of_every_length) {
    for (const std::string_view good :
         {std::string_view(), std::string_view("\0", 1), std::string_view("\x7f"), std::string_view("\xC2\x80"),
          std::string_view("\xDF\xBF"), std::string_view("\xE0\xA0\x80"), std::string_view("\xED\x9F\xBF"),
          std::string_view("\xEE\x80\x80"), std::string_view("\xEF\xBF\xBF"), std::string_view("\xF0\x90\x80\x80"),
          std::string_view("\xF4\x8F\xBF\xBF"), std::string_view("算力")})
        EXPECT_TRUE(is_utf8(good)) << good;
}

TEST(bytes, utf8_refuses_overlong_surrogate_truncated_and_stray) {
    for (const std::string_view bad :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3(", "\xF0\x9F\x98"})
        EXPECT_FALSE(is_utf8(bad)) << to_base64(bad);
}

}  // namespace
}  // namespace westerly
