#include "adapters/slurm/job_book.hpp"

#include "broker/codec/protocol_json.hpp"
#include "broker/codec/reader.hpp"
#include "broker/codec/writer.hpp"
#include "broker/support/files.hpp"
#include "broker/support/log.hpp"

#include <charconv>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t record_bytes_max = 64 << 10;
constexpr text_rule any_text{.length_min = 0, .length_max = 1024};

}  // namespace

std::string encode(const job_record& v) {
    rapidjson::StringBuffer text;
    json_writer out(text);
    out.StartObject();
    put_text(out, "token", v.token);
    put_text(out, "workload", v.workload);
    put_text(out, "site", v.site);
    put_text(out, "offer", v.offer);
    put_whole(out, "tasks", v.tasks);
    put_whole(out, "units", v.units);
    put_whole(out, "fence", v.fence);
    put_time(out, "intended_at", v.intended_at);
    put_text(out, "cluster", v.cluster);
    put_whole(out, "job_id", v.job_id);
    put_flag(out, "running", v.running);
    put_time(out, "started_at", v.started_at);
    if (v.cancel_grace_s)
        put_whole(out, "cancel_grace_s", *v.cancel_grace_s);
    put_time(out, "cancel_at", v.cancel_at);
    if (v.last) {
        const auto last = encode(*v.last);
        put_key(out, "last");
        out.RawValue(last.data(), last.size(), rapidjson::kObjectType);
    }
    out.EndObject();
    return {text.GetString(), text.GetSize()};
}

result<job_record> decode_job_record(std::string_view text) {
    const auto document = parse_json(text, record_bytes_max);
    if (!document)
        return document.error();
    job_record v;
    fault_list faults;
    const json_value* last = nullptr;
    object_reader::read_object(*document, {}, faults, [&](object_reader& in) {
        in.require({"token"});
        in.text("token", v.token, any_text);
        in.text("workload", v.workload, any_text);
        in.text("site", v.site, any_text);
        in.text("offer", v.offer, any_text);
        in.whole("tasks", v.tasks, 0, 1 << 20);
        in.whole("units", v.units, 0, whole_max);
        in.whole("fence", v.fence, 0, whole_max);
        in.time("intended_at", v.intended_at);
        in.text("cluster", v.cluster, any_text);
        in.whole("job_id", v.job_id, 0, whole_max);
        in.flag("running", v.running);
        in.time("started_at", v.started_at);
        in.whole("cancel_grace_s", v.cancel_grace_s, 0, whole_max);
        in.time("cancel_at", v.cancel_at);
        last = in.take("last");
    });
    if (!faults.empty())
        return faults.to_error("the record of a job");
    if (last != nullptr) {
        auto seen = decode_observation(*last);
        if (!seen)
            return seen.error();
        v.last = std::move(*seen);
    }
    return v;
}

result<void> job_book::open(const fs::path& state_dir) {
    std::error_code code;
    folder_ = state_dir / "attempts";
    fs::create_directories(folder_, code);
    const auto count_file = state_dir / "generation";
    if (const auto text = read_file(count_file, 64))
        std::from_chars(text->data(), text->data() + text->size(), generation_);
    ++generation_;
    if (auto counted = write_file_atomically(count_file, std::to_string(generation_), 0600); !counted)
        return counted.error();
    for (const auto& file : fs::directory_iterator(folder_, code)) {
        const auto name = file.path().filename().string();
        if (name.size() != 33)
            continue;  // a temporary of a write that was cut off
        const auto text = read_file(file.path(), record_bytes_max);
        auto record = text ? decode_job_record(*text) : result<job_record>(text.error());
        if (!record || record->token != name) {
            log_event(log_level::error, "slurm.record_damaged", {{"file", file.path().string()}});
            continue;
        }
        auto entry = std::make_shared<job_entry>();
        entry->record = std::move(*record);
        entry->saved = true;
        entries_.emplace(name, std::move(entry));
    }
    return code ? result<void>(fail(errc::storage_failed, "the records cannot be read: " + code.message()))
                : result<void>();
}

job_ptr job_book::find(const std::string& token) const {
    const std::lock_guard hold(lock_);
    const auto at = entries_.find(token);
    return at == entries_.end() ? nullptr : at->second;
}

job_ptr job_book::at(const std::string& token) {
    const std::lock_guard hold(lock_);
    auto& entry = entries_[token];
    if (!entry) {
        entry = std::make_shared<job_entry>();
        entry->record.token = token;
    }
    return entry;
}

std::vector<job_ptr> job_book::all() const {
    const std::lock_guard hold(lock_);
    std::vector<job_ptr> out;
    out.reserve(entries_.size());
    for (const auto& [token, entry] : entries_)
        out.push_back(entry);
    return out;
}

std::size_t job_book::size() const {
    const std::lock_guard hold(lock_);
    return entries_.size();
}

result<void> job_book::save(job_entry& entry) {
    auto written = write_file_atomically(file_of(entry.record.token), encode(entry.record), 0600);
    entry.saved = entry.saved || written.has_value();
    return written;
}

void job_book::forget(const job_ptr& entry) {
    std::error_code code;
    fs::remove(file_of(entry->record.token), code);
    const std::lock_guard hold(lock_);
    entries_.erase(entry->record.token);
}

}  // namespace westerly
