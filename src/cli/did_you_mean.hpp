// did_you_mean: the command that somebody probably meant.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace byway::cli {

/// "; did you mean `x`?" when an argument that stands where a command should is near to one, else
/// empty.
std::string did_you_mean(const CLI::App& app, int count, char** arguments);

}  // namespace byway::cli
