// The class of a failure, from its status and its words.
#pragma once

#include <byway/error.hpp>

#include "wire/dialect.hpp"
#include "wire/error_words.hpp"

namespace byway::wire {

/// `status` is the one that counts: the error's own where it has one, else the answer's; below 400
/// when there is none. Order: the dialect's rules, then what the words say, then the status
/// (wire.md 1.4, 3.5).
UpstreamClass classify(int status, const ErrorWords& words, const Dialect& dialect);

}  // namespace byway::wire
