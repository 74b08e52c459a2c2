// Which screen serves a pass.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/view.hpp"

namespace wellgram {

class TileMaker;

// The screens that can be used here, best first.
std::vector<std::string> screen_names();

// Switches to a screen by name, to "none", or to "automatic": what pays, which is so until this is
// called. False for another name. A screen that is chosen by name is used wherever it can be.
bool use_screen(const std::string& name);

// The screen that serves passes where it pays, or "none".
std::string screen_name();

// Whether the screen was chosen by name.
bool screen_is_chosen();

// The makers of tiles for so many rows against so many, which may be rounded to bfloat16: the best
// first, and what may serve where too much is in doubt by it. None where no screen serves.
std::vector<std::unique_ptr<TileMaker>> screens_for(Index rows, Index columns, Index features,
                                                    bool bfloat16);

}  // namespace wellgram
