// Rules across settings, and questions to this machine that can be answered before anything starts: is the
// folder there, the program, the key? What one value may be is known where it is read (conf/values.h).
// Nothing is bound, started or resolved.
#pragma once
#include <vector>

#include "conf/load.h"

namespace conf {

/// Every problem found, by file and line, each at the key that it is about; settings made in code have no
/// origins, then the sentence stands alone. Empty: the supervisor may start. Call it on settings that were
/// loaded without a problem.
std::vector<Problem> check(Settings const& settings, Origins const& origins);

/// load(), then check() if the files could be read without a problem: what `serve` and `check` begin with.
Loaded load_and_check(std::string const& main_file);

}  // namespace conf
