// How matrix units want the values of some rows, a step of features at a time.
#pragma once

#include "common/view.hpp"

namespace wellgram {

// Blocks of `block` vectors, and within a block `group` features of each vector side by side.
struct StepLayout {
  Index vectors, block, group, features;

  Index place(Index vector, Index feature) const {
    return vector / block * block * features + feature / group * block * group +
           vector % block * group + feature % group;
  }
};

}  // namespace wellgram
