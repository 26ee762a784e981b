#include "tools/simulate/core/certificate.hpp"

#include "broker/codec/writer.hpp"

namespace westerly {

namespace {

void write_pools(json_writer& out, const assign_problem& p) {
    put_key(out, "pools");
    out.StartArray();
    for (std::size_t pool = 0; pool < p.pools(); ++pool) {
        out.StartArray();
        for (std::size_t t = 0; t < p.slots; ++t)
            if (const std::uint32_t free = p.capacity[pool * p.slots + t]; free == unlimited_capacity)
                out.Null();
            else
                out.Uint(free);
        out.EndArray();
    }
    out.EndArray();
}

void write_option(json_writer& out, const assign_option& o) {
    out.StartArray();
    for (const std::uint32_t number : {o.pool, o.quantity, o.slots, o.first_start, o.last_start})
        out.Uint(number);
    out.Double(o.cost);
    out.Double(o.cost_per_slot_later);
    out.EndArray();
}

void write_jobs(json_writer& out, const assign_problem& p, const assignment& made) {
    put_key(out, "jobs");
    out.StartArray();
    for (std::size_t j = 0; j < p.jobs.size(); ++j) {
        const assign_job& job = p.jobs[j];
        out.StartObject();
        put_number(out, "refusal", job.refusal);
        put_number(out, "unlisted_floor", job.unlisted_floor);  // left out when infinite: everything is listed
        put_key(out, "options");
        out.StartArray();
        for (std::uint32_t i = job.options_begin; i < job.options_end; ++i)
            write_option(out, p.options[i]);
        out.EndArray();
        if (!made.of.empty()) {
            put_key(out, "chosen");
            if (made.of[j].option == nothing) {
                out.Null();
            } else {
                out.StartArray();
                out.Uint(made.of[j].option - job.options_begin);
                out.Uint(made.of[j].start);
                out.EndArray();
            }
        }
        out.EndObject();
    }
    out.EndArray();
}

}  // namespace

std::string certificate_line(std::string_view kind, std::string_view at, const assign_problem& p,
                             const assignment& made) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "kind", kind);
    put_text(out, "at", at);
    put_whole(out, "slots", p.slots);
    write_pools(out, p);
    write_jobs(out, p, made);
    put_key(out, "lambda");
    out.StartArray();
    for (std::size_t cell = 0; cell < made.bound.lambda.size(); ++cell)
        if (made.bound.lambda[cell] > 0) {
            out.StartArray();
            out.Uint64(cell / p.slots);
            out.Uint64(cell % p.slots);
            out.Double(made.bound.lambda[cell]);
            out.EndArray();
        }
    out.EndArray();
    put_number(out, "cost", made.cost);
    put_number(out, "bound", made.bound.value);
    put_number(out, "floor", uncontended_floor(p));
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace westerly
