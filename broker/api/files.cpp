#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {
namespace {

error no_outputs() {
    return fail(errc::not_found, "the workload has no attempt yet, and so no files", "wait until it has run");
}

error no_such_file() {
    return fail(errc::not_found, "there is no such output file", "see …/files for what there is");
}

/// An output file from its first piece on. Ends where the file ends now.
class file_stream final : public byte_source, public std::enable_shared_from_this<file_stream> {
public:
    file_stream(api_house& house, attempt run, std::string path, byte_piece first)
        : house_(house.shared_from_this()), run_(std::move(run)), path_(std::move(path)), first_(std::move(first)) {}

    void next(piece_done done) override {
        if (first_) {
            auto first = std::move(*first_);
            first_.reset();
            return done(piece_of(std::move(first)));
        }
        house_->services.fetch(run_, path_, from_,
                               [self = shared_from_this(), done = std::move(done)](result<fetch_reply> given) {
                                   if (!given || !given->piece)
                                       return done({.bytes = {}, .end = true, .broken = true});
                                   done(self->piece_of(std::move(*given->piece)));
                               });
    }
    void stop() override {}

private:
    piece piece_of(byte_piece given) {
        const bool end = given.complete || given.bytes.empty();
        from_ = given.next;
        return {.bytes = std::move(given.bytes), .end = end};
    }

    const std::shared_ptr<api_house> house_;
    const attempt run_;
    const std::string path_;
    std::optional<byte_piece> first_;
    std::uint64_t from_ = 0;
};

response file_response(api_house& house, const attempt& run, const std::string& path, fetch_reply given) {
    if (given.directory || !given.piece)
        return problem(fail(errc::invalid, "that is a directory", "ask for one of the files that …/files lists"));
    response answer;
    answer.content_type = "application/octet-stream";
    answer.headers.emplace_back("Content-Disposition", "attachment");
    if (given.piece->complete)
        answer.body = std::move(given.piece->bytes);
    else
        answer.stream = std::make_shared<file_stream>(house, run, path, std::move(*given.piece));
    return answer;
}

/// The attempt whose files are asked for, or the answer that there is none.
result<attempt> attempt_with_files(const call& c) {
    const auto of = workload_in_path(c);
    if (!of)
        return of.error();
    auto run = attempt_asked(c, *of);
    if (!run)
        return run.error();
    if (!*run)
        return no_outputs();
    return std::move(**run);
}

}  // namespace

void list_files(const call& c, responder answer) {
    const auto run = attempt_with_files(c);
    if (!run)
        return answer(problem(run.error()));
    c.house.services.fetch(*run, "", 0, [answer = std::move(answer)](result<fetch_reply> given) {
        if (!given)
            return answer(problem(given.error()));
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        out.StartObject();
        put_objects(out, "items", given->entries, [&](const file_entry& file) {
            put_text(out, "path", file.path);
            put_whole(out, "size_bytes", file.size_bytes);
        });
        out.EndObject();
        answer(json_response(200, {buffer.GetString(), buffer.GetSize()}));
    });
}

void get_file(const call& c, responder answer) {
    const auto run = attempt_with_files(c);
    if (!run)
        return answer(problem(run.error()));
    std::string path(c.path[1]);
    c.house.services.fetch(
        *run, path, 0,
        [answer = std::move(answer), house = c.house.shared_from_this(), run = *run, path](result<fetch_reply> given) {
            if (given)
                return answer(file_response(*house, run, path, std::move(*given)));
            answer(problem(given.error().code == errc::not_found ? no_such_file() : given.error()));
        });
}

}  // namespace westerly
