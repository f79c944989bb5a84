#include "wire/operation_url.hpp"

#include <algorithm>
#include <utility>

#include "wire/ascii.hpp"

namespace byway::wire {
namespace {

bool is_unreserved(char byte) noexcept {
  const char lower = ascii_lower(byte);
  return is_ascii_digit(byte) || (lower >= 'a' && lower <= 'z') || byte == '-' || byte == '.' ||
         byte == '_' || byte == '~';
}

/// The parts of a base URL: "https://host:1", "/v1" without trailing slashes, "a=b".
struct UrlParts {
  std::string_view origin;
  std::string_view path;
  std::string_view query;
};

UrlParts split(std::string_view base_url) noexcept {
  UrlParts parts;
  const std::size_t question = base_url.find('?');
  if (question != std::string_view::npos) {
    parts.query = base_url.substr(question + 1);
    base_url = base_url.substr(0, question);
  }
  const std::size_t scheme = base_url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t slash = base_url.find('/', host);
  parts.origin = base_url.substr(0, slash);
  if (slash != std::string_view::npos) parts.path = base_url.substr(slash);
  while (parts.path.ends_with('/')) parts.path.remove_suffix(1);
  return parts;
}

std::string_view first_segment(std::string_view path) noexcept {
  return path.substr(0, path.find('/'));
}

bool is_placeholder(std::string_view segment) noexcept {
  return segment == "{model}" || segment == "{deployment}";
}

/// How much of a path's begin the base already ends with: "openai/deployments/{deployment}/x" on
/// ".../openai/deployments/prod" is only "x". Paths without a placeholder are never shortened.
std::size_t overlap(std::string_view base_path, std::string_view path) {
  if (path.find('{') == std::string_view::npos) return 0;
  for (std::size_t from = 0; from < base_path.size(); ++from) {
    if (base_path[from] != '/') continue;
    std::string_view base_rest = base_path.substr(from + 1);
    std::string_view path_rest = path;
    while (!base_rest.empty() && !path_rest.empty()) {
      const std::string_view segment = first_segment(path_rest);
      const std::string_view given = first_segment(base_rest);
      if (segment != given && !is_placeholder(segment)) break;
      path_rest.remove_prefix(std::min(path_rest.size(), segment.size() + 1));
      base_rest.remove_prefix(std::min(base_rest.size(), given.size() + 1));
    }
    if (base_rest.empty() && !path_rest.empty()) return path.size() - path_rest.size();
  }
  return 0;
}

void append_path(std::string& out, std::string_view path, std::string_view model) {
  while (!path.empty()) {
    const std::size_t brace = path.find('{');
    out.append(path.substr(0, brace));
    if (brace == std::string_view::npos) return;
    append_percent_encoded(out, model);
    const std::size_t end = path.find('}', brace);
    path.remove_prefix(std::min(path.size(), end + 1));
  }
}

/// Origin, base path and `path`, without a query.
std::string joined(const UrlParts& base, std::string_view path, std::string_view model) {
  std::string url(base.origin);
  if (path.starts_with("^/")) {
    path.remove_prefix(1);
  } else {
    url.append(base.path).append("/");
    path.remove_prefix(overlap(base.path, path));
  }
  append_path(url, path, model);
  return url;
}

std::string_view name_in(std::string_view part) noexcept {
  return part.substr(0, part.find('='));
}

bool has_name(std::span<const QueryPair> pairs, std::string_view name) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const QueryPair& pair) { return pair.first == name; });
}

template <class F>
void for_each_part(std::string_view query, F visit) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (!part.empty()) visit(part);
  }
}

/// A name comes once: the endpoint's own pairs win over the base's, these over the dialect's.
void append_query(std::string& url, std::string_view base_query, std::span<const QueryPair> dialect,
                  std::span<const QueryPair> endpoint) {
  char lead = '?';
  const auto add_pair = [&](const QueryPair& pair) {
    url += std::exchange(lead, '&');
    append_percent_encoded(url, pair.first);
    url += '=';
    append_percent_encoded(url, pair.second);
  };
  for_each_part(base_query, [&](std::string_view part) {
    if (has_name(endpoint, name_in(part))) return;
    url += std::exchange(lead, '&');
    url.append(part);
  });
  for (const QueryPair& pair : dialect) {
    bool is_in_base = false;
    for_each_part(base_query, [&](std::string_view part) {
      is_in_base = is_in_base || name_in(part) == pair.first;
    });
    if (!is_in_base && !has_name(endpoint, pair.first)) add_pair(pair);
  }
  for (const QueryPair& pair : endpoint) add_pair(pair);
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char byte : text) {
    if (is_unreserved(byte)) {
      out += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    out += '%';
    out += digits[value >> 4];
    out += digits[value & 0xF];
  }
}

Result<std::string> operation_url(std::string_view base_url, const Dialect& dialect,
                                  Operation operation, std::string_view upstream_model,
                                  std::span<const QueryPair> endpoint_query) {
  const auto& path = dialect.paths[static_cast<std::size_t>(operation)];
  if (!path) {
    return Error(ErrorCode::request_unsupported, "the endpoint's dialect, " + dialect.name +
                                                     ", has no path for " +
                                                     std::string(name_of(operation)));
  }
  const UrlParts base = split(base_url);
  std::string url = joined(base, *path, upstream_model);
  append_query(url, base.query, dialect.query, endpoint_query);
  return url;
}

std::string probe_url(std::string_view base_url, const Dialect& dialect,
                      std::span<const QueryPair> endpoint_query) {
  const UrlParts base = split(base_url);
  std::string url = joined(base, dialect.probe.path, {});
  append_query(url, base.query, dialect.query, endpoint_query);
  return url;
}

StrippedUrl strip_operation(std::string_view base_url) {
  const UrlParts base = split(base_url);
  for (const std::string_view suffix :
       {"chat/completions", "completions", "embeddings", "responses", "rerank", "models"}) {
    const std::string_view path = base.path;
    if (!path.ends_with(suffix) || !path.substr(0, path.size() - suffix.size()).ends_with('/')) {
      continue;
    }
    std::string_view kept = path.substr(0, path.size() - suffix.size());
    while (kept.ends_with('/')) kept.remove_suffix(1);
    StrippedUrl stripped{std::string(base.origin).append(kept), std::string(suffix)};
    if (!base.query.empty()) stripped.base_url.append("?").append(base.query);
    return stripped;
  }
  return {std::string(base_url), {}};
}

}  // namespace byway::wire
