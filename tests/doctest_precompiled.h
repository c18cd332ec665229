// Precompiled into every test program.
#pragma once
#include <doctest/doctest.h>

#include "../cmake/standard_library.h"
