// A probe's report, as JSON and for people.
#pragma once

#include <string>

#include <byway/probe.hpp>

namespace byway::cli {

std::string json_of(const ProbeReport& report);
/// A table of what works.
std::string describe(const ProbeReport& report);
/// The same in a line.
std::string summary(const ProbeReport& report);

}  // namespace byway::cli
