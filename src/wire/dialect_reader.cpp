#include "wire/dialect_reader.hpp"

#include <algorithm>
#include <utility>

#include "wire/ascii.hpp"
#include "wire/http_headers.hpp"
#include "wire/strict_reader.hpp"

namespace byway::wire {
namespace {

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ascii_lower);
  return text;
}

/// Relative, or from the host's root with "^/"; no query, no fragment, no placeholder but the
/// model.
bool is_path(std::string_view path) {
  if (path.starts_with("^/")) path.remove_prefix(2);
  if (path.starts_with('/') || path.find("..") != std::string_view::npos) return false;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char byte = path[at];
    if (byte <= ' ' || byte > '~' || byte == '?' || byte == '#' || byte == '\\') return false;
    if (byte == '{' && !path.substr(at).starts_with("{model}") &&
        !path.substr(at).starts_with("{deployment}")) {
      return false;
    }
  }
  return true;
}

/// Of the names that only Byway may set, those that are there for keys.
bool may_hold_key(std::string_view name) {
  for (const char* known : {"authorization", "api-key", "x-api-key", "x-goog-api-key"}) {
    if (equals_lower(name, known)) return true;
  }
  return is_header_name(name) && !is_reserved_header(name) && !is_byway_header(name);
}

class DialectReader : private StrictReader {
 public:
  explicit DialectReader(std::string_view json) : StrictReader(json) {}

  Result<Dialect> read() {
    each_member("", [&](const std::string& key) { read_key(key); });
    if (!finish()) return Error(ErrorCode::registry_field_invalid, "dialect: " + fault());
    for (DialectBody& body : dialect_.bodies) {
      const DialectBody own = std::exchange(body, shared_body_);
      append(body.drop, own.drop);
      append(body.rename, own.rename);
      append(body.set_default, own.set_default);
      append(body.ignored, own.ignored);
      append(body.refused, own.refused);
    }
    return std::move(dialect_);
  }

 private:
  template <class T>
  static void append(std::vector<T>& target, const std::vector<T>& more) {
    target.insert(target.end(), more.begin(), more.end());
  }

  void read_key(const std::string& key) {
    if (key == "name") return read_text(key, dialect_.name);
    if (key == "extends") return skip_value();
    if (key == "paths") return read_paths();
    if (key == "auth") return read_auth();
    if (key == "headers") return read_headers();
    if (key == "query") return read_pairs(key, dialect_.query);
    if (key == "body") return read_body();
    if (key == "usage") {
      return read_choice(key, dialect_.usage,
                         {{"as_caller", UsagePolicy::as_caller},
                          {"request", UsagePolicy::request},
                          {"strip", UsagePolicy::strip}});
    }
    if (key == "caps") return read_caps();
    if (key == "probe") return read_probe();
    if (key == "models_shape") {
      return read_choice(key, dialect_.lists_models, {{"auto", true}, {"none", false}});
    }
    if (key == "errors") return read_errors();
    if (key == "rate") return read_rate();
    if (key == "stream") return read_stream();
    if (key == "transport") return read_transport();
    refuse(key, "is not a key of a dialect");
  }

  void read_paths() {
    each_member("paths", [&](const std::string& name) {
      const std::string key = "paths." + name;
      const auto operation = operation_of(name);
      if (!operation) return refuse(key, "is not an operation");
      auto& path = dialect_.paths[static_cast<std::size_t>(*operation)];
      if (cursor().peek() == JsonKind::null) {
        path.reset();
        return skip_value();
      }
      path.emplace();
      read_text(key, *path);
      if (!is_path(*path) || path->empty()) {
        refuse(key, "must be a path such as \"chat/completions\" or \"^/rerank\"");
      }
    });
  }

  void read_auth() {
    DialectAuth& auth = dialect_.auth;
    each_member("auth", [&](const std::string& name) {
      if (name == "kind") {
        return read_choice("auth.kind", auth.kind,
                           {{"bearer", AuthKind::bearer},
                            {"header", AuthKind::header},
                            {"none", AuthKind::none},
                            {"provider", AuthKind::provider}});
      }
      if (name != "header") return refuse("auth." + name, "is not a key of a dialect");
      read_text("auth.header", auth.header);
      if (!may_hold_key(auth.header)) refuse("auth.header", "is not a header that may hold a key");
    });
    if (auth.kind == AuthKind::header && auth.header.empty()) {
      refuse("auth.header", "is needed for kind \"header\"");
    }
  }

  void read_headers() {
    read_pairs("headers", dialect_.headers);
    for (const auto& [name, value] : dialect_.headers) {
      const auto verdict = check_request_header(name, value);
      if (!verdict || *verdict != HeaderVerdict::send) {
        refuse("headers", "has a header that may not be set: " + lowered(name));
      }
    }
  }

  void read_body() {
    each_member("body", [&](const std::string& name) {
      if (name == "model") {
        return read_choice("body.model", dialect_.omits_model, {{"send", false}, {"omit", true}});
      }
      if (name != "operations") return read_body_key("body." + name, name, shared_body_);
      each_member("body.operations", [&](const std::string& operation_name) {
        const std::string key = "body.operations." + operation_name;
        const auto operation = operation_of(operation_name);
        if (!operation) return refuse(key, "is not an operation");
        DialectBody& body = dialect_.bodies[static_cast<std::size_t>(*operation)];
        each_member(
            key, [&](const std::string& inner) { read_body_key(key + "." + inner, inner, body); });
      });
    });
  }

  void read_body_key(const std::string& key, const std::string& name, DialectBody& body) {
    if (name == "drop") {
      read_names(key, body.drop);
      for (const std::string& dropped : body.drop) check_editable(key, dropped);
    } else if (name == "rename") {
      read_pairs(key, body.rename);
      for (const auto& [from, to] : body.rename) {
        check_editable(key, from);
        check_editable(key, to);
      }
    } else if (name == "set_default") {
      body.set_default.clear();
      each_member(key, [&](const std::string& field) {
        check_editable(key, field);
        body.set_default.emplace_back(field, cursor().skip());
      });
    } else if (name == "ignored") {
      read_names(key, body.ignored);
    } else if (name == "refused") {
      read_names(key, body.refused);
    } else {
      refuse(key, "is not a key of a dialect");
    }
  }

  void check_editable(const std::string& key, std::string_view field) {
    for (const std::string_view fixed : {"model", "stream", "stream_options", "messages"}) {
      if (field == fixed) refuse(key, "may not name \"" + std::string(fixed) + "\"");
    }
  }

  void read_caps() {
    dialect_.knows_caps = false;
    dialect_.caps.set();
    if (cursor().peek() == JsonKind::string) {
      std::string word;
      read_text("caps", word);
      if (word != "unknown") refuse("caps", "must be \"unknown\" or a list");
      return;
    }
    std::vector<std::string> names;
    read_names("caps", names);
    dialect_.knows_caps = true;
    dialect_.caps.reset();
    for (const std::string& name : names) {
      std::size_t bit = 0;
      while (bit < capability_count && name_of(static_cast<Capability>(bit)) != name) ++bit;
      if (bit == capability_count) return refuse("caps", "has no capability \"" + name + "\"");
      dialect_.caps.set(bit);
    }
  }

  void read_probe() {
    DialectProbe& probe = dialect_.probe;
    each_member("probe", [&](const std::string& name) {
      const std::string key = "probe." + name;
      std::string text;
      if (name == "method") {
        read_text(key, probe.method);
        if (probe.method != "GET" && probe.method != "HEAD") refuse(key, "must be GET or HEAD");
      } else if (name == "path") {
        read_text(key, probe.path);
        if (!is_path(probe.path)) refuse(key, "must be a path");
      } else if (name == "interval_ms") {
        read_ms(key, probe.interval);
      } else if (name == "judge") {
        read_text(key, text);
        read_judge(key, text);
      } else {
        refuse(key, "is not a key of a dialect");
      }
    });
  }

  void read_judge(const std::string& key, std::string_view text) {
    DialectProbe& probe = dialect_.probe;
    constexpr std::string_view json_has = "json_has:";
    if (text == "none") {
      probe.judge = ProbeJudge::none;
    } else if (text == "status2xx") {
      probe.judge = ProbeJudge::status2xx;
    } else if (text.starts_with(json_has) && text.size() > json_has.size()) {
      probe.judge = ProbeJudge::json_has;
      probe.key = text.substr(json_has.size());
    } else {
      refuse(key, "must be none, status2xx or json_has:<key>");
    }
  }

  void read_errors() {
    dialect_.errors.clear();
    each_element("errors", [&] {
      ErrorRule& rule = dialect_.errors.emplace_back();
      bool has_class = false;
      each_member("errors", [&](const std::string& name) {
        const std::string key = "errors." + name;
        if (name == "status") {
          std::int64_t status = 0;
          read_integer(key, 100, 599, status);
          rule.status = static_cast<int>(status);
        } else if (name == "code_in") {
          read_names(key, rule.code_in);
        } else if (name == "text_has") {
          read_names(key, rule.text_has);
          for (std::string& text : rule.text_has) text = lowered(std::move(text));
        } else if (name == "class") {
          has_class = true;
          read_class(key, rule.upstream_class);
        } else {
          refuse(key, "is not a key of a dialect");
        }
      });
      if (!has_class) refuse("errors.class", "is needed in each rule");
    });
  }

  void read_class(const std::string& key, UpstreamClass& upstream_class) {
    std::string word;
    read_text(key, word);
    for (int number = 1; number <= static_cast<int>(UpstreamClass::config_error); ++number) {
      upstream_class = static_cast<UpstreamClass>(number);
      if (name_of(upstream_class) == word) return;
    }
    refuse(key, "is not an upstream class: \"" + word + "\"");
  }

  void read_rate() {
    DialectRate& rate = dialect_.rate;
    each_member("rate", [&](const std::string& name) {
      const std::string key = "rate." + name;
      if (name == "reset_unit") {
        return read_choice(key, rate.reset_unit,
                           {{"auto", ResetUnit::automatic},
                            {"s", ResetUnit::seconds},
                            {"ms", ResetUnit::milliseconds},
                            {"epoch_s", ResetUnit::epoch_s},
                            {"epoch_ms", ResetUnit::epoch_ms}});
      }
      std::string* target = name == "remaining" ? &rate.remaining
                            : name == "limit"   ? &rate.limit
                            : name == "reset"   ? &rate.reset
                                                : nullptr;
      if (target == nullptr) return refuse(key, "is not a key of a dialect");
      read_text(key, *target);
      *target = lowered(std::move(*target));
    });
  }

  void read_stream() {
    each_member("stream", [&](const std::string& name) {
      if (name == "done") {
        read_choice("stream.done", dialect_.stream.needs_done,
                    {{"optional", false}, {"required", true}});
      } else if (name == "finish") {
        read_choice("stream.finish", dialect_.stream.needs_finish,
                    {{"required", true}, {"optional", false}});
      } else {
        refuse("stream." + name, "is not a key of a dialect");
      }
    });
  }

  void read_transport() {
    DialectTransport& transport = dialect_.transport;
    each_member("transport", [&](const std::string& name) {
      const std::string key = "transport." + name;
      if (name == "http") {
        return read_choice(key, transport.http,
                           {{"auto", HttpVersion::automatic},
                            {"1.1", HttpVersion::http1},
                            {"2", HttpVersion::http2}});
      }
      if (name == "max_conns") {
        std::int64_t count = 0;
        read_integer(key, 1, 100'000, count);
        transport.connections_max = static_cast<int>(count);
        return;
      }
      auto* limit = name == "connect_ms"       ? &transport.connect
                    : name == "first_byte_ms"  ? &transport.first_byte
                    : name == "first_token_ms" ? &transport.first_token
                    : name == "stall_ms"       ? &transport.stall
                    : name == "total_ms"       ? &transport.total
                    : name == "pool_age_ms"    ? &transport.pool_age
                                               : nullptr;
      if (limit == nullptr) return refuse(key, "is not a key of a dialect");
      read_ms(key, limit->emplace());
    });
  }

  Dialect dialect_;
  DialectBody shared_body_;
};

}  // namespace

Result<Dialect> read_dialect(std::string_view json) {
  return DialectReader(json).read();
}

}  // namespace byway::wire
