#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/support/bytes.hpp"

namespace westerly {
namespace {

constexpr std::size_t idempotency_key_max = 255;
constexpr std::size_t label_filters_max = 16;

std::string etag_of(const workload& w) {
    return "\"" + std::to_string(w.revision) + "\"";
}

response workload_response(int status, const workload& w, language spoken = language::en) {
    auto answer = json_response(status, to_json(w, spoken));
    answer.headers.emplace_back("ETag", etag_of(w));
    answer.cacheable = true;
    return answer;
}

/// The answer to POST /v1/workloads and …/retry.
response submitted_response(const api_house& house, result<answer> given, language spoken = language::en) {
    auto made = answer_of<submitted>(std::move(given));
    if (!made)
        return problem(made.error());
    if (made->repeated && !made->accepted.spec) {
        // Of a workload that has ended the engine knows the id only.
        auto stored = house.services.read->find_workload(made->accepted.tenant, made->accepted.id);
        if (!stored)
            return problem(stored.error());
        made->accepted = std::move(*stored);
    }
    auto answer = workload_response(made->repeated ? 200 : 201, made->accepted, spoken);
    answer.headers.emplace_back("Location", "/v1/workloads/" + to_string(made->accepted.id));
    if (made->repeated)
        answer.headers.emplace_back("Idempotent-Replayed", "true");
    return answer;
}

result<std::string> idempotency_key_of(const call& c) {
    if (!c.http.has_idempotency_key)
        return std::string();
    const auto key = c.http.idempotency_key;
    const bool printable = std::ranges::all_of(key, [](char ch) { return ch >= ' ' && ch <= '~'; });
    if (key.empty() || key.size() > idempotency_key_max || !printable)
        return parameter_error("Idempotency-Key", "is not 1 to 255 printable ASCII characters",
                               "send for example a UUID, a new one per workload");
    return std::string(key);
}

/// Files named in the body must have been uploaded by the same tenant before.
result<void> check_bundles(const call& c, const workload_spec& spec) {
    for (std::size_t i = 0; i < spec.variants.size(); ++i)
        if (const auto& files = spec.variants[i].files;
            !files.empty() && !c.house.services.has_bundle(c.who.tenant, files))
            return field_error("/variants/" + std::to_string(i) + "/files", "names a bundle that was not uploaded",
                               "upload it with POST /v1/bundles first");
    return {};
}

result<workload_filter> filter_of(const call& c) {
    workload_filter filter;
    auto tenant = tenant_filter(c);
    if (!tenant)
        return tenant.error();
    filter.tenant = *tenant;
    filter.name = c.parameter("name").value_or("");
    filter.project = c.parameter("project").value_or("");
    for (const auto& [name, value] : c.query) {
        if (name == "state") {
            const auto state = parse_workload_state(value);
            if (!state)
                return parameter_error(
                    "?state", "is not a state of a workload",
                    "use queued, launching, active, stopping, succeeded, failed, cancelled or expired");
            filter.states.push_back(*state);
        } else if (name == "label") {
            const auto equals = value.find('=');
            if (equals == std::string::npos || equals == 0)
                return parameter_error("?label", "is not of the form key=value", "for example ?label=team=ocean");
            if (filter.labels.size() == label_filters_max)
                return parameter_error("?label", "is given more than 16 times", "ask for fewer labels");
            filter.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
        }
    }
    return filter;
}

}  // namespace

void submit_one(const call& c, responder answer) {
    const auto spoken = language_of(c);
    if (!spoken)
        return answer(problem(spoken.error()));
    auto spec = decode_workload(c.http.body);
    if (!spec)
        return answer(problem(spec.error()));
    auto key = idempotency_key_of(c);
    if (!key)
        return answer(problem(key.error()));
    if (const auto there = check_bundles(c, *spec); !there)
        return answer(problem(there.error()));
    submit_workload asked;
    asked.who = c.who;
    asked.spec_text = std::make_shared<const std::string>(encode_workload_spec(*spec));
    asked.spec = std::make_shared<const workload_spec>(std::move(*spec));
    asked.idempotency_key = std::move(*key);
    asked.body = sha256(c.http.body);
    ask(c, std::move(asked), std::move(answer), [&house = c.house, in = *spoken](result<westerly::answer> given) {
        return submitted_response(house, std::move(given), in);
    });
}

response list_workloads(const call& c) {
    const auto spoken = language_of(c);
    if (!spoken)
        return problem(spoken.error());
    const auto filter = filter_of(c);
    if (!filter)
        return problem(filter.error());
    const auto limit = limit_of(c);
    if (!limit)
        return problem(limit.error());
    const auto found = c.house.services.read->list_workloads(*filter, cursor_of(c), *limit);
    if (!found)
        return list_problem(found.error());
    return list_response(
        found->items, found->next_cursor, [in = *spoken](json_writer& out, const workload& w) { encode(out, w, in); },
        [](json_writer&) {});
}

response get_workload(const call& c) {
    const auto spoken = language_of(c);
    if (!spoken)
        return problem(spoken.error());
    const auto found = workload_in_path(c);
    if (!found)
        return problem(found.error());
    if (!c.http.if_none_match.empty() && etag_listed(c.http.if_none_match, etag_of(*found))) {
        auto same = empty_response(304);
        same.headers.emplace_back("ETag", etag_of(*found));
        same.cacheable = true;
        return same;
    }
    return workload_response(200, *found, *spoken);
}

void cancel_one(const call& c, responder answer) {
    // The engine knows live workloads only; what has ended is there too, and must not look like a missing one.
    const auto known = workload_in_path(c);
    if (!known)
        return answer(problem(known.error()));
    const auto has_ended = [] {
        return problem(fail(errc::conflict, "the workload has ended already", "nothing is left to cancel"));
    };
    if (terminal(known->state))
        return answer(has_ended());
    cancel_workload asked;
    asked.who = c.who;
    asked.workload = known->id;
    if (!c.http.if_match.empty() && c.http.if_match != "*") {
        asked.if_revision = revision_of_etag(c.http.if_match);
        if (!asked.if_revision)
            return answer(problem(fail(errc::precondition_failed, "If-Match is not an ETag of a workload",
                                       "send the ETag as it came, quotes included")));
    }
    ask(c, asked, std::move(answer), [has_ended](result<westerly::answer> given) {
        const auto changed = answer_of<workload>(std::move(given));
        if (!changed && changed.error().code == errc::not_found)
            return has_ended();  // between the reading and the asking
        return changed ? workload_response(202, *changed) : problem(changed.error());
    });
}

/// The risk is accepted in so many words, so that no client takes it by mistake.
void give_up_one(const call& c, responder answer) {
    const auto known = workload_in_path(c);
    if (!known)
        return answer(problem(known.error()));
    auto body = body_fields::parse(c.http.body, c.house.options.body_bytes_max);
    if (!body)
        return answer(problem(body.error()));
    const auto named = body->text("attempt");
    if (!named)
        return answer(problem(named.error()));
    const bool accepted = body->is_true("accept_second_copy");
    if (const auto no_more = body->done(); !no_more)
        return answer(problem(no_more.error()));
    if (!accepted)
        return answer(problem(field_error("/accept_second_copy", "is not true",
                                          "send true to accept that the work may run twice and be charged twice")));
    give_up_attempt asked;
    asked.who = c.who;
    asked.workload = known->id;
    asked.attempt = attempt_id::parse(*named);
    if (!asked.attempt)
        return answer(
            problem(field_error("/attempt", "is no id", "give the id of an attempt that is unknown or lost")));
    ask(c, asked, std::move(answer), [](result<westerly::answer> given) {
        const auto changed = answer_of<workload>(std::move(given));
        if (!changed && changed.error().code == errc::not_found)
            return problem(fail(errc::conflict, "the workload has ended", "it needs no second copy"));
        return changed ? workload_response(202, *changed) : problem(changed.error());
    });
}

void retry_one(const call& c, responder answer) {
    const auto old = workload_in_path(c);
    if (!old)
        return answer(problem(old.error()));
    auto key = idempotency_key_of(c);
    if (!key)
        return answer(problem(key.error()));
    auto spec = spec_of(*old);
    if (!spec)
        return answer(problem(spec.error()));
    retry_workload asked;
    asked.who = c.who;
    asked.spec = std::move(*spec);
    asked.spec_text = old->spec_text;
    asked.workload = old->id;
    asked.idempotency_key = std::move(*key);
    asked.body = sha256(to_string(old->id));
    ask(c, std::move(asked), std::move(answer),
        [&house = c.house](result<westerly::answer> given) { return submitted_response(house, std::move(given)); });
}

}  // namespace westerly
