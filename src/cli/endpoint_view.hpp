// An endpoint, as JSON and for people. No key is in it: there is none in an Endpoint.
#pragma once

#include <string>

#include <byway/endpoint.hpp>

namespace byway::cli {

/// The fields of the registry file under their names there, `key` being the preview or null, and
/// what Byway knows beside them. `opens` says whether the sealed key opens.
std::string json_of(const Endpoint& endpoint, bool opens = true);

std::string describe(const Endpoint& endpoint, bool opens);

/// "allowed models" in a few words.
std::string allow_text(const Endpoint& endpoint);

}  // namespace byway::cli
