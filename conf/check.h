// Rules across settings, and questions to this machine that can be answered before anything starts: is the
// folder there, the program, the key? What one value may be is known where it is read (conf/values.h).
// Nothing is bound, started or resolved.
#pragma once
#include <string>

#include "conf/load.h"

namespace conf {

/// Adds every problem that it finds, each at the key that it is about, to those of loading, all by file and
/// line; what only follows from something that could not be read is left out. Settings made in code have no
/// origins, then the sentence stands alone. No problem afterwards: the supervisor may start.
void check(Loaded& loaded);

/// load(), then check(): what `serve` and `check` begin with.
Loaded load_and_check(std::string const& main_file);

}  // namespace conf
