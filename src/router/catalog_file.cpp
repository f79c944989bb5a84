#include "router/catalog_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "router/catalog_entries.hpp"
#include "router/catalog_keys.hpp"
#include "router/catalog_plain_key.hpp"
#include "router/catalog_time.hpp"

namespace byway::router {
namespace {

using registry::FileEndpoint;
using registry::KeyOrigin;

constexpr std::size_t file_bytes_max = std::size_t{16} << 20;
/// Versions inside this process's vault: the master key that was given, and one of its own.
constexpr std::uint32_t given_version = 1;
constexpr std::uint32_t own_version = 2;

std::string file_name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

FileStamp stamp_of(std::string path) {
  FileStamp stamp;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    stamp.state = {found.st_mtim.tv_sec,
                   found.st_mtim.tv_nsec,
                   found.st_ctim.tv_sec,
                   found.st_ctim.tv_nsec,
                   static_cast<std::int64_t>(found.st_size),
                   static_cast<std::int64_t>(found.st_ino)};
  }
  stamp.path = std::move(path);
  return stamp;
}

RegistryFile::RegistryFile(std::string path, const CatalogOptions& options)
    : path_(std::move(path)),
      master_key_(options.master_key),
      clock_(options.clock),
      waits_in_flight_(options.waits_in_flight),
      fingerprint_key_(generate_master_key()) {}

bool RegistryFile::has_changed() const {
  if (stamps_.empty()) return true;
  for (const FileStamp& stamp : stamps_) {
    if (stamp_of(stamp.path) != stamp) return true;
  }
  return false;
}

Result<std::string> RegistryFile::read_text() {
  const auto refuse = [&](std::string_view why) {
    return registry::file_invalid(file_name_of(path_), 0, {}, why);
  };
  // The state before the bytes: what is written meanwhile is read again at the next look.
  stamps_.assign(1, stamp_of(path_));
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return refuse("the file cannot be read");
  struct stat found {};
  const bool is_regular = ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
  std::string text;
  std::array<char, 65536> piece;
  ssize_t got = is_regular ? 1 : -1;
  while (got > 0 && text.size() <= file_bytes_max) {
    got = ::read(fd, piece.data(), piece.size());
    if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (got < 0) return refuse("the file cannot be read");
  if (text.size() > file_bytes_max) return refuse("the file is larger than 16 MiB");
  return text;
}

Result<void> RegistryFile::ready_vault() {
  if (is_vault_ready_) return {};
  auto own = vault::MasterKey::make(generate_master_key(), own_version);
  if (!own) return own.error();
  vault_.add(*std::move(own));
  if (Result<void> done = vault_.activate(own_version); !done) return done;
  // Asked for now even when nothing is sealed yet, since a source is asked at open only.
  auto key = find_master_key(master_key_);
  if (!key) {
    master_key_problem_ = key.error();
  } else if (!*key) {
    master_key_problem_ =
        Error(ErrorCode::vault_no_key, "its key is sealed, and no master key was given to open it");
  } else {
    auto given = vault::MasterKey::make(std::move(**key), given_version);
    if (!given) return given.error();
    vault_.add(*std::move(given));
  }
  is_vault_ready_ = true;
  return {};
}

const RegistryFile::Known* RegistryFile::known_of(const FileEndpoint& from) const {
  const auto found = known_.find(Place(from.settings.org, from.settings.slug));
  return found == known_.end() ? nullptr : &found->second;
}

Result<void> RegistryFile::seal_plain(Known& known, KeyPlace& place, std::string& sealed,
                                      std::string& preview) {
  auto key = read_plain_key(known.from.key);
  if (!key) {
    return registry::file_invalid(file_name_of(path_), known.from.key_line, "key",
                                  key.error().message(), key.error().name());
  }
  known.fingerprint = fingerprint_of(fingerprint_key_, *key);
  const Known* before = known_of(known.from);
  const std::uint64_t last = before == nullptr ? 0 : before->generation;
  const bool is_same = last != 0 && before->fingerprint == known.fingerprint;
  place.generation = known.generation = is_same ? last : last + 1;
  place.record_id = "plain";
  auto boxed = vault_.seal(place.binding(), *key);
  if (!boxed) return boxed.error();
  sealed = *std::move(boxed);
  preview = preview_of_key(*key);
  return {};
}

Result<void> RegistryFile::add_key(Known& known, const registry::CheckedSettings& checked,
                                   Endpoint& endpoint, registry::OpenKey& opener) {
  const FileEndpoint& from = known.from;
  if (from.key.origin == KeyOrigin::sealed && master_key_problem_) {
    return about_endpoint(from.settings.slug, *master_key_problem_);
  }
  known.generation = from.key.generation;
  KeyPlace place{from.settings.org, from.settings.slug, checked.base_url.origin, from.key.record_id,
                 from.key.generation};
  std::string sealed = from.key.text;
  if (from.key.origin != KeyOrigin::sealed) {
    Result<void> done = seal_plain(known, place, sealed, endpoint.key_preview);
    if (!done) return done;
  } else if (auto key = vault_.open(place.binding(), sealed)) {
    endpoint.key_preview = preview_of_key(*key);
  }
  endpoint.has_key = true;
  endpoint.key_generation = known.generation;
  auto made = make_opener(vault_, std::move(place), std::move(sealed), checked.dialect->auth);
  if (made) {
    opener = *std::move(made);
    return {};
  }
  const Error error = about_endpoint(from.settings.slug, made.error());
  // The wrong master key is wrong for the whole file; a damaged record is damaged alone.
  const bool is_for_all =
      error.code() == ErrorCode::vault_kek_wrong || error.code() == ErrorCode::vault_no_key;
  if (is_for_all) return error;
  known.problem = made.error();
  opener = broken_opener(error);
  return {};
}

Result<RegistryFile::Known> RegistryFile::make(const FileEndpoint& from) {
  Known known{.from = from, .entry = {}};
  auto checked = registry::check_settings(from.settings);
  if (!checked) return checked.error();
  Endpoint endpoint;
  endpoint.settings = from.settings;
  // A file keeps no ids; org and slug are what stays the same in it.
  endpoint.id = "file:" + from.settings.org + "/" + from.settings.slug;
  endpoint.created_at = endpoint.updated_at = loaded_at_;
  registry::OpenKey opener;
  if (from.key.origin != KeyOrigin::none) {
    if (Result<void> done = add_key(known, *checked, endpoint, opener); !done) return done.error();
  }
  const Known* before = known_of(from);
  const bool is_same = before != nullptr && !before->problem && !known.problem &&
                       before->from.settings == from.settings && before->from.key == from.key &&
                       before->generation == known.generation;
  if (is_same) {
    known.entry = before->entry;
    return known;
  }
  auto entry = make_entry(std::move(endpoint), std::move(opener), waits_in_flight_);
  if (!entry) return entry.error();
  known.entry = *std::move(entry);
  return known;
}

Result<LoadedEntries> RegistryFile::read() {
  auto text = read_text();
  if (!text) return text.error();
  auto registry = registry::parse_registry(*text, file_name_of(path_));
  if (!registry) return registry.error();
  loaded_at_ = rfc3339(clock_->wall_now());
  for (const FileEndpoint& from : registry->endpoints) {
    if (from.key.origin == KeyOrigin::file) stamps_.push_back(stamp_of(from.key.text));
  }
  if (Result<void> ready = ready_vault(); !ready) return ready.error();
  LoadedEntries loaded;
  std::map<Place, Known> now;
  for (const FileEndpoint& from : registry->endpoints) {
    auto known = make(from);
    if (!known) return known.error();
    loaded.entries.push_back(known->entry);
    const EndpointSettings& settings = from.settings;
    if (known->problem) {
      loaded.broken.push_back(BrokenKey{settings.org, settings.slug, *known->problem});
    }
    now.emplace(Place(settings.org, settings.slug), *std::move(known));
  }
  known_ = std::move(now);
  for (Alias& alias : registry->aliases) {
    loaded.access.aliases.push_back(std::make_shared<const Alias>(std::move(alias)));
  }
  return loaded;
}

}  // namespace byway::router
