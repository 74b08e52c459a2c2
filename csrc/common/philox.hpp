// Philox4x32-10 (Salmon et al. 2011): a counter in, four random words out. What is drawn depends on
// seed, stream, index and place alone, so it is the same on every device and for any cut of the
// work.
#pragma once

#include <array>
#include <cstdint>

namespace wellgram {

using Words = std::array<std::uint32_t, 4>;

constexpr Words philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// The random numbers of one draw, in turn. The seed is the key; the counter is, from its lowest
// word, place / 2, the index of the draw, and the stream.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream, std::uint32_t index)
      : seed_(seed), stream_(stream), index_(index) {}

  // A whole number in [0, below), by the high half of a product: off from even by below / 2^64.
  std::uint64_t under(std::uint64_t below) {
    if (place_ % 2 == 0)
      words_ =
          philox({static_cast<std::uint32_t>(place_ / 2), index_,
                  static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                 {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
    const std::size_t half = 2 * (place_++ % 2);
    const std::uint64_t low = words_[half], high = words_[half + 1];
    return (high * below + ((low * below) >> 32)) >> 32;  // below is under 2^32
  }

 private:
  std::uint64_t seed_, stream_;
  std::uint32_t index_;
  std::uint64_t place_ = 0;
  Words words_{};
};

}  // namespace wellgram
