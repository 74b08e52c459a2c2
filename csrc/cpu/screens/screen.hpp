// A screen: a pass of products of low precision with a proven bound, for consumers that only ask
// where cosines lie. What the bound decides is decided; the cosines of the few other pairs are made
// by the chain that a pass without a screen meets. So states are the same to the bit.
#pragma once

#include <memory>
#include <vector>

#include "cpu/chunks.hpp"
#include "cpu/consumers/consumer.hpp"
#include "cpu/team.hpp"

namespace wellgram {

// Switches to a screen by name, to "none", or to "automatic": what pays, which is so until this is
// called. False for another name. A screen that is chosen by name is used wherever it can be.
bool use_screen(const char* name);

// The screen that serves passes where it pays, or "none".
const char* screen_name();

// Whether a screen serves so many rows against so many, and whether it was chosen by name.
bool screen_serves(Index rows, Index columns, Index features);
bool screen_is_chosen();

using Consumers = std::vector<std::unique_ptr<Consumer<float>>>;

// Whether a block with so many features is screened.
bool is_screened(const BlockPlan& plan, Index features, const Consumers& consumers);

// Makes the chunks of a block with a screen: rows x of the map against rows y. Returns the chunks
// that are left, where it turns out that the screen decides too little to pay.
std::vector<Chunk> screen_chunks(const BlockPlan& plan, const std::vector<Chunk>& chunks,
                                 View<const float> x, View<const float> y,
                                 std::vector<Consumers>& consumers, const Team& team);

// The screened cosines of all pairs of rows, and how far each may be from that of `pair_cosines`.
void screened_cosines(View<const float> x, View<const float> y, View<float> cosines,
                      View<double> bounds, const Team& team);

// Multiplies all bounds, for tests.
void scale_screen_bounds(double factor);

}  // namespace wellgram
