// isa.h: the instruction-set level in use. Levels are named in isa.cpp and compiled in src/isa.
#pragma once

namespace crema {

int isa_active();
bool isa_supported(int level);
// The level whose instructions every processor of this level has too; -1 below scalar.
int isa_below(int level);

}  // namespace crema
