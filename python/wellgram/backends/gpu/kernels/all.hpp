// All kernels.
#pragma once

#include "consumers.hpp"
#include "draws.hpp"
#include "groups.hpp"
#include "products.hpp"
#include "rows.hpp"
#include "softmax.hpp"
