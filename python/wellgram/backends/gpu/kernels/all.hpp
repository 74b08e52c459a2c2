// All kernels.
#pragma once

#include "consumers.hpp"
#include "draws.hpp"
#include "groups.hpp"
#include "nearest_screen.hpp"
#include "products.hpp"
#include "rows.hpp"
#include "screens.hpp"
#include "softmax.hpp"
