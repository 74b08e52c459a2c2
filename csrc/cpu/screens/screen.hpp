// A screen: a pass of products of low precision with a proven bound, for consumers that only ask
// where cosines lie. What the bound decides is decided; the cosines of the few other pairs are made
// by the chain that a pass without a screen meets. So states are the same to the bit.
#pragma once

#include <memory>
#include <vector>

#include "cpu/chunks.hpp"
#include "cpu/consumers/consumer.hpp"
#include "cpu/screens/tile_maker.hpp"
#include "cpu/team.hpp"

namespace wellgram {

using Consumers = std::vector<std::unique_ptr<Consumer<float>>>;

// The makers of tiles for a block of a pass, best first; none where it is not screened.
std::vector<std::unique_ptr<TileMaker>> screens_of_block(const BlockPlan& plan, Index features,
                                                         bool bfloat16, const Consumers& consumers);

// Makes the chunks of a block with a screen: rows x of the map against rows y. Returns the chunks
// that are left, where it turns out that the screen decides too little to pay.
std::vector<Chunk> screen_chunks(const TileMaker& maker, const BlockPlan& plan,
                                 const std::vector<Chunk>& chunks, const ScreenedRows& x,
                                 const ScreenedRows& y, std::vector<Consumers>& consumers,
                                 const Team& team);

// The screened cosines of all pairs of rows, and how far each may be from that of `pair_cosines`.
// By the screen that is in use.
void screened_cosines(const ScreenedRows& x, const ScreenedRows& y, View<float> cosines,
                      View<double> bounds, const Team& team);

// Multiplies all bounds, for tests.
void scale_screen_bounds(double factor);

}  // namespace wellgram
