// ModelList: leaves models out of an upstream's list, the rest byte for byte.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace byway::wire {

/// The list in any shape that read_whole_reply() knows, without the models that `keep` refuses by
/// their ids. An element that names no model goes too, and so does a whole list that is not JSON:
/// what cannot be judged is not told.
std::string keep_models(std::string_view body, const std::function<bool(std::string_view)>& keep);

}  // namespace byway::wire
