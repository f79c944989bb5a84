#include "wire/player/player.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <random>

namespace byway::wire_player {
namespace {

using testing_support::bytes_of;
using testing_support::Drip;
using testing_support::Finish;
using testing_support::Milliseconds;
using testing_support::Reset;
using testing_support::Script;
using testing_support::Send;
using testing_support::SendChunk;
using testing_support::SendEnd;
using testing_support::SendHead;
using testing_support::Sleep;

/// Bytes that an action sends; false when it sends none.
bool take_bytes(const Action& action, std::string& into) {
  if (const auto* send = std::get_if<Send>(&action))
    into += send->bytes;
  else if (const auto* head = std::get_if<SendHead>(&action))
    into += bytes_of(*head);
  else if (const auto* chunk = std::get_if<SendChunk>(&action))
    into += bytes_of(*chunk);
  else if (const auto* end = std::get_if<SendEnd>(&action))
    into += bytes_of(*end);
  else if (const auto* drip = std::get_if<Drip>(&action))
    into += drip->bytes;
  else
    return false;
  return true;
}

void add_pieces(std::string_view bytes, std::string_view way, std::vector<Action>& out) {
  constexpr std::string_view random_word = "random";
  unsigned seed = 0;
  if (way.starts_with(random_word)) {
    std::from_chars(way.data() + random_word.size(), way.data() + way.size(), seed);
  }
  std::mt19937 random(seed);
  while (!bytes.empty()) {
    const std::size_t size = way == "bytes" ? 1 : way == "one" ? bytes.size() : 1 + random() % 40;
    out.push_back(Send{std::string(bytes.substr(0, size))});
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
}

/// The number that a variable such as {DATE+5} ends with.
long offset_of(std::string_view text) {
  long offset = 0;
  std::from_chars(text.data(), text.data() + text.size(), offset);
  return offset;
}

std::string http_date(std::time_t when) {
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

void replace_variable(std::string& text, std::string_view name, auto&& value) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    const std::size_t end = text.find('}', at);
    const std::string by = value(std::string_view(text).substr(at + name.size()));
    text.replace(at, end + 1 - at, by);
    at += by.size();
  }
}

}  // namespace

std::vector<Action> cut(const std::vector<Action>& answer, std::string_view way) {
  if (way == "written") return answer;
  std::vector<Action> out;
  std::string bytes;
  for (auto at = answer.begin(); at != answer.end(); ++at) {
    const Action& action = *at;
    if (take_bytes(action, bytes)) continue;
    // A pause before a reset stays: the kernel drops what was not read by then.
    const bool is_before_reset = at + 1 != answer.end() && std::holds_alternative<Reset>(at[1]);
    if (std::holds_alternative<Sleep>(action) && !is_before_reset) continue;
    add_pieces(bytes, way, out);
    bytes.clear();
    out.push_back(action);
  }
  add_pieces(bytes, way, out);
  return out;
}

Player::Player(std::vector<Run> runs, PlayerOptions options)
    : runs_(std::move(runs)),
      repeats_(options.repeats),
      stray_(testing_support::always(testing_support::json_reply("{}"))),
      server_(std::make_unique<testing_support::LoopbackServer>(
          [this](const SeenRequest& request) { return answer(request); },
          testing_support::ServerOptions{
              .tls = options.tls, .port = options.port, .keeps_requests = false})) {}

Seen Player::take_seen(const std::string& play) {
  const std::lock_guard lock(mutex_);
  const auto at = plays_.find(play);
  if (at == plays_.end()) return {};
  Seen seen = std::move(at->second.seen);
  plays_.erase(at);
  return seen;
}

std::vector<std::string> Player::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

bool Player::waits_for_idle(Milliseconds limit) const {
  return server_->wait_for([](const testing_support::Counts& counts) { return counts.open == 0; },
                           limit);
}

Player::Play* Player::play_of(const SeenRequest& request, std::string& path) {
  std::string name(request.header("x-wire"));
  path = request.path;
  if (name.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    name = path.substr(1, end - 1);
    path = path.substr(end);
  }
  const std::string_view run_name = std::string_view(name).substr(0, name.find(':'));
  const auto run = std::find_if(runs_.begin(), runs_.end(), [&](const Run& each) {
    return each.name == run_name || each.name.starts_with(std::string(run_name) + ".");
  });
  if (run == runs_.end()) return nullptr;
  Play& play = plays_[name];
  play.run = &*run;
  play.way = run_name.size() < name.size() ? name.substr(run_name.size() + 1) : "written";
  return &play;
}

const Exchange* Player::next_exchange(Play& play, int connection) {
  const std::vector<Connection>& all = play.run->connections;
  auto at = play.places.find(connection);
  if (at == play.places.end()) {
    Place place{play.places.size(), 0};
    if (place.connection >= all.size() && all.back().is_for_later)
      place.connection = all.size() - 1;
    at = play.places.emplace(connection, place).first;
    ++play.seen.connections;
  }
  Place& place = at->second;
  if (place.connection >= all.size()) return nullptr;
  const auto& exchanges = all[place.connection].exchanges;
  return place.exchange < exchanges.size() ? &exchanges[place.exchange++] : nullptr;
}

Script Player::answer(const SeenRequest& request) {
  const std::lock_guard lock(mutex_);
  std::string path;
  Play* play = play_of(request, path);
  if (play == nullptr) {
    faults_.push_back("no transcript for " + request.method + " " + request.path);
    return testing_support::json_reply(R"({"error":"no such transcript"})", 404);
  }
  ++play->seen.requests;
  const Exchange* exchange = next_exchange(*play, request.connection);
  if (exchange == nullptr && repeats_) {
    play->places.clear();
    exchange = next_exchange(*play, request.connection);
  }
  if (exchange == nullptr) {
    play->seen.faults.push_back("a request too many: " + request.method + " " + request.path);
    return {Reset{}};
  }
  for (const std::string& fault : check_request(*exchange, request, path)) {
    play->seen.faults.push_back(fault);
    faults_.push_back(play->run->name + ": " + fault);
  }
  std::vector<Action> answer = cut(exchange->answer, play->way);
  for (Action& action : answer) {
    if (auto* head = std::get_if<SendHead>(&action)) {
      for (auto& [name, value] : head->headers) value = with_variables(std::move(value));
    }
  }
  return answer;
}

std::string Player::with_variables(std::string text) const {
  const auto now = std::chrono::system_clock::now();
  replace_variable(text, "{OTHER", [&](std::string_view) { return std::to_string(stray_.port()); });
  replace_variable(text, "{PORT", [&](std::string_view) { return std::to_string(port()); });
  replace_variable(text, "{DATE+", [&](std::string_view rest) {
    return http_date(std::chrono::system_clock::to_time_t(now) + offset_of(rest));
  });
  replace_variable(text, "{EPOCHMS+", [&](std::string_view rest) {
    const auto since = std::chrono::duration_cast<Milliseconds>(now.time_since_epoch());
    return std::to_string(since.count() + offset_of(rest));
  });
  return text;
}

}  // namespace byway::wire_player
