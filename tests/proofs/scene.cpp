#include "proofs/scene.hpp"

#include <charconv>
#include <thread>
#include <vector>

#include "store/migrations.hpp"

namespace byway::proofs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::must;
using testing_support::Script;
using testing_support::SeenRequest;
using testing_support::SendHead;
using testing_support::Sleep;

constexpr std::int64_t in_flight_max = 100'000;

/// The number behind `lead`; none when it is not there.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view lead) {
  const std::size_t at = text.find(lead);
  if (at == std::string_view::npos) return {};
  std::int64_t number = 0;
  std::from_chars(text.data() + at + lead.size(), text.data() + text.size(), number);
  return number;
}

std::vector<std::string> events() {
  const std::string lead = R"({"object":"chat.completion.chunk","model":"m","choices":[)";
  return {lead + R"({"index":0,"delta":{"content":"x"},"finish_reason":null}]})",
          lead + R"({"index":0,"delta":{},"finish_reason":"stop"}]})"};
}

Script reply(bool is_streamed) {
  if (is_streamed) return testing_support::event_stream(events());
  return testing_support::json_reply(
      R"({"model":"m","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":1,"completion_tokens":1}})");
}

std::int64_t left(const Router& router, const std::string& key, std::string_view name) {
  for (const LimitLeft& limit : router.explain({.model = "byo:counting/m", .key = key}).limits) {
    if (limit.owner == "key" && limit.name == name) return limit.left;
  }
  return -1;
}

void read_audit(const Admin& owner, Books& books) {
  must(owner.audit_export({}, [&](std::string_view line) {
    const auto number = number_after(line, R"("model":"byo:counting/n-)");
    ++books.records;
    if (!number) return true;
    const bool is_intent = line.find(R"("kind":"intent")") != std::string_view::npos;
    const bool is_doubt = line.find(R"("kind":"in_doubt")") != std::string_view::npos;
    ++(is_intent ? books.intents : is_doubt ? books.in_doubt : books.outcomes)[*number];
    return true;
  }));
  books.problem = must(owner.audit_verify()).problem;
}

}  // namespace

CountingServer::CountingServer(milliseconds work)
    : work_(work),
      server_([this](const SeenRequest& request) { return answer(request); },
              {.keeps_requests = false}) {}

Script CountingServer::answer(const SeenRequest& request) {
  const auto number = number_after(request.body, R"("model":"n-)");
  {
    const std::lock_guard lock(mutex_);
    ++seen_[number.value_or(-1)];
  }
  Script script;
  if (work_.count() > 0) script.emplace_back(Sleep{work_});
  const bool is_streamed = request.body.find(R"("stream":true)") != std::string::npos;
  for (auto& action : reply(is_streamed)) script.push_back(std::move(action));
  return script;
}

Numbers CountingServer::seen() const {
  // What a killed process has sent may still be on its way.
  server_.wait_for([](const testing_support::Counts& counts) { return counts.open == 0; },
                   seconds(20));
  const std::lock_guard lock(mutex_);
  return seen_;
}

Scene::Scene(std::int64_t cap, milliseconds work, bool is_strict) : server_(work) {
  must(create_store({.path = store()}));
  Router router = must(Router::open({.store = store()}));
  Admin owner = router.admin_as_owner();
  EndpointSettings settings;
  settings.slug = "counting";
  settings.base_url = server_.url();
  must(owner.add_endpoint(settings));
  CustomerKeySettings wanted;
  wanted.in_flight = in_flight_max;
  if (cap > 0) {
    // The day's cap too, so that one is taken and given back when the other is reached. The month
    // holds over midnight.
    wanted.cap_day = cap;
    wanted.cap_month = cap;
    const std::string more = std::to_string(cap + 10);
    const FieldChange of_org[] = {{"cap_month", more}};
    must(owner.set_org_limits(of_org));
  }
  const FieldChange strict[] = {{"audit", "strict"}};
  if (is_strict) must(owner.set_org_limits(strict));
  key_ = std::string(must(owner.mint_customer_key(wanted)).key.expose_secret());
}

Books Scene::books() const {
  Books books;
  {
    Router router = must(Router::open({.store = store()}));
    const auto end = std::chrono::steady_clock::now() + seconds(10);
    do {
      std::this_thread::sleep_for(milliseconds(20));
      books.still_in_flight = in_flight_max - left(router, key_, "in_flight");
    } while (books.still_in_flight != 0 && std::chrono::steady_clock::now() < end);
  }
  const Router router = must(Router::open({.store = store()}));
  read_audit(router.admin_as_owner(), books);
  store::OpenedStore opened = must(store::open_store(store(), seconds(5)));
  books.used = must(opened.database.integer(
      "SELECT coalesce(sum(used), 0) FROM quota_window WHERE subject LIKE 'key:%' AND period = 1"));
  books.doubts = must(opened.database.integer("SELECT count(*) FROM quota_doubt"));
  return books;
}

}  // namespace byway::proofs
