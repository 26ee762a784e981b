// Reads documents from standard input and answers what the run-time decoders make of each, one JSON object a line, for
// the Python tests beside this file. A document is a line "KIND BYTES" and then that many bytes; KIND is workload,
// policy, provider, certificates, yaml (gives the JSON of it) or catalogue (gives a provider's offers as the API shows
// them). With --unsupported it prints the table of fields that are refused as "not supported yet".
#include "broker/codec/certificate_json.hpp"
#include "broker/codec/config_json.hpp"
#include "broker/codec/unsupported.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/codec/writer.hpp"

#include <iostream>
#include <string>

namespace westerly {
namespace {

constexpr std::size_t document_bytes_max = 4 << 20;

struct reply {
    std::string answer = "ok";
    error why = {};
    std::string value = {};  // JSON text, where the kind gives one
};

reply refusal(const error& e) {
    switch (e.code) {
        case errc::invalid:
            return {"invalid", e, {}};
        case errc::unsupported:
            return {"unsupported", e, {}};
        case errc::too_large:
            return {"too_large", e, {}};
        default:
            return {"broken", e, {}};
    }
}

reply answer_workload(const std::string& text) {
    const auto spec = decode_workload(text);
    if (!spec)
        return refusal(spec.error());
    const auto again = decode_workload(encode_workload_spec(*spec));
    if (!again || *again != *spec)
        return {"broken", fail(errc::internal, "decode(encode(x)) is not x"), {}};
    return {"ok", {}, encode_workload_spec(*spec)};
}

reply answer_policy(const std::string& text) {
    const auto read = decode_policy("example", text);
    return read ? reply{} : refusal(read.error());
}

reply answer_provider(const std::string& text) {
    const auto read = decode_provider("example", text);
    return read ? reply{} : refusal(read.error());
}

reply answer_certificates(const std::string& text) {
    const auto read = decode_certificates(text);
    return read ? reply{} : refusal(read.error());
}

reply answer_yaml(const std::string& text) {
    const auto json = yaml_to_json(text);
    return json ? reply{"ok", {}, *json} : refusal(json.error());
}

reply answer_catalogue(const std::string& text) {
    const auto read = decode_provider("example", text);
    if (!read)
        return refusal(read.error());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartArray();
    for (const auto& each : read->offers)
        encode(out, each, each.as_of);
    out.EndArray();
    return {"ok", {}, {buffer.GetString(), buffer.GetSize()}};
}

reply answer(const std::string& kind, const std::string& text) {
    if (kind == "workload")
        return answer_workload(text);
    if (kind == "policy")
        return answer_policy(text);
    if (kind == "provider")
        return answer_provider(text);
    if (kind == "certificates")
        return answer_certificates(text);
    if (kind == "yaml")
        return answer_yaml(text);
    if (kind == "catalogue")
        return answer_catalogue(text);
    return {"broken", fail(errc::internal, "no such kind: " + kind), {}};
}

void print(const reply& made) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "answer", made.answer);
    put_text(out, "detail", made.why.detail);
    put_objects(out, "faults", made.why.faults, [&](const fault& f) {
        put_key(out, "pointer");
        put_string(out, f.pointer);
        put_text(out, "message", f.message);
        put_text(out, "remedy", f.remedy);
    });
    if (!made.value.empty()) {
        put_key(out, "value");
        out.RawValue(made.value.data(), made.value.size(), rapidjson::kObjectType);
    }
    out.EndObject();
    std::cout << std::string_view(buffer.GetString(), buffer.GetSize()) << std::endl;
}

int answer_all() {
    std::string kind;
    std::size_t size = 0;
    while (std::cin >> kind >> size) {
        if (size > document_bytes_max || std::cin.get() != '\n')
            return 2;
        std::string text(size, '\0');
        if (!std::cin.read(text.data(), static_cast<std::streamsize>(size)))
            return 2;
        print(answer(kind, text));
    }
    return 0;
}

}  // namespace
}  // namespace westerly

int main(int count, char** arguments) {
    if (count == 2 && std::string_view(arguments[1]) == "--unsupported") {
        for (const auto& field : westerly::unsupported_workload_fields)
            std::cout << field.parent << '/' << field.name << '\n';
        return 0;
    }
    return westerly::answer_all();
}
