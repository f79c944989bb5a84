// did_you_mean: the command that somebody probably meant.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace byway::cli {

/// "there is no command `x`, did you mean `y`?" when an argument stands where a command should and
/// is none; else empty.
std::string did_you_mean(const CLI::App& app, int count, char** arguments);

}  // namespace byway::cli
