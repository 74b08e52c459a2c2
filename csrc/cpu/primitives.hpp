// The primitives, as the bindings call them. Shapes have been checked; T is float or double.
#pragma once

#include <optional>
#include <vector>

#include "common/view.hpp"
#include "cpu/kernels.hpp"
#include "cpu/team.hpp"

namespace wellgram {

// Rows of each group, in row order: order[starts[g]] ... order[starts[g + 1] - 1]. Rows whose code
// is -1 belong to no group.
struct Groups {
  Groups(const Index* codes, Index rows, Index groups);

  Index count() const { return static_cast<Index>(starts.size()) - 1; }
  Index size(Index g) const { return starts[g + 1] - starts[g]; }
  const Index* rows(Index g) const { return order.data() + starts[g]; }

  std::vector<Index> order, starts;
};

// What keeps a row from being an embedding, as Python is told it.
enum class Fault : std::uint8_t { none, not_finite, zero };

template <class T>
void row_faults(View<const T> x, Fault* faults, const Team& team);

// rows(i, k) = columns[k][i].
template <class T>
void rows_of_columns(const T* const* columns, View<T> rows, const Team& team);

// sums += the sum of the rows of each group, one row after another, in float64.
template <class T>
void group_sums(View<const T> x, const Groups& groups, View<double> sums, const Team& team);

// squares += sum over the rows of each group of (x - mean of the group)^2, in float64.
template <class T>
void group_squares(View<const T> x, const Groups& groups, View<const double> means,
                   View<double> squares, const Team& team);

template <class T>
void group_medians(View<const T> x, const Groups& groups, View<double> medians, const Team& team);

// centred = x[rows] - mean, in float64.
template <class T>
void centre_rows(View<const T> x, const Index* rows, const double* mean, View<double> centred,
                 const Team& team);

// scatter = sum over rows of (x - mean)' (x - mean), in float64, both triangles.
template <class T>
void scatter(View<const T> x, const Index* rows, Index count, const double* mean,
             View<double> scatter, const Team& team);

// sums[i] = the distances of row i of x to all rows of y. The centre is any point amid the rows.
template <class T>
void distance_sums(View<const T> x, View<const T> y, const double* centre, double* sums,
                   const Team& team);

// sums[g] = the distances of all pairs of rows of group g.
template <class T>
void group_distances(View<const T> x, const Groups& groups, const double* centre, double* sums,
                     const Team& team);

// distances(i, j) = the distance of row i of x and row j of y, or half of its square.
void row_distances(View<const double> x, View<const double> y, bool half_squares,
                   View<double> distances, const Team& team);

// The distances of all pairs i < j of rows, or half of their squares, those of the first row first.
void pair_distances(View<const double> x, bool half_squares, double* distances, const Team& team);

// sums(c, i) = the distances of row i to all rows of group c. P: as what differences are taken.
template <class P>
void group_distance_sums(View<const double> x, const Groups& groups, const double* centre,
                         View<double> sums, const Team& team);

struct Seed {
  std::uint64_t value, stream;
};

// means(q, r) = the mean cosine of all pairs of the first sizes[q] rows of draw first + r, for rows
// of length 1. A draw takes, in turn, so many rows of each stratum of the pool, none twice; sizes
// rise from 2 to what is taken in all.
template <class T>
void null_means(View<const T> x, const Index* pool, const std::vector<Index>& strata,
                const std::vector<Index>& taken, const std::vector<Index>& sizes, Seed seed,
                Index first, View<double> means, const Team& team);

// Random sets of several kinds. Kind k has the parts starts[k] ... starts[k + 1] - 1, each the
// first `taken` rows of the shuffle of a stratum. `streams` name the shuffles.
struct SetKinds {
  Index count() const { return static_cast<Index>(starts.size()) - 1; }

  const Index* pool;
  std::vector<Index> strata;
  std::vector<std::uint64_t> streams;
  std::vector<Index> starts, stratum, taken;
};

// means(k, r) = the mean cosine of all pairs of the set of kind k in draw first + r, for rows of
// length 1.
template <class T>
void kind_means(View<const T> x, const SetKinds& kinds, std::uint64_t seed, Index first,
                View<double> means, const Team& team);

// sums(k, r) = the distances of all pairs of that set. The centre is any point amid the rows.
template <class T>
void kind_distances(View<const T> x, const SetKinds& kinds, const double* centre,
                    std::uint64_t seed, Index first, View<double> sums, const Team& team);

// precisions[r] = the average precision of a random ranking of so many positives among so many.
void null_precisions(Index positives, Index total, Index draws, Seed seed, double* precisions,
                     const Team& team);

// times(r, i) = how often item i is drawn when as many are drawn as there are, with replacement, in
// resample first + r.
void resample_counts(Index first, Seed seed, View<std::int32_t> times, const Team& team);

// places.row(r) = so many different places of each pool, one pool after another, in draw first + r.
void random_subsets(const std::vector<Index>& pools, const std::vector<Index>& taken, Seed seed,
                    Index first, View<Index> places, const Team& team);

// Of each level (a row of scores) and each draw of negatives (a row): the average precision and ROC
// AUC of the list of these positives and negatives, columns of scores.
template <class T>
void list_scores(View<const T> scores, const Index* positives, Index count,
                 View<const Index> negatives, View<double> precision, View<double> auc,
                 const Team& team);

// The values of each row, ascending: values(i)[0] ... values(i)[size(i) - 1].
template <class T>
struct Rankings {
  Index size(Index i) const { return starts[i + 1] - starts[i]; }
  const T* values(Index i) const { return all.data() + starts[i]; }

  const Index* starts;
  std::vector<T> all;
};

// Labels of each kind, a row of the view, for the rows of x and for those of y.
struct Labels {
  View<const std::int32_t> own, other;
};

// counts[v] = how many rows of y have a product with the row of x that value v belongs to, or its
// absolute value, above it; rows with a label of some kind in common left out.
template <class T>
void rank_counts(View<const T> x, View<const T> y, const Rankings<T>& rankings,
                 const Labels& labels, bool absolute, Index* counts, const Team& team);

// How rows are compared to the bits of NumPy; squares of the rows of x and of y, for correlations.
template <class T>
struct Similarity {
  RowSimilarity kind;
  const T *row_squares, *column_squares;
};

// The same of similarities that are those of NumPy.
template <class T>
void numpy_rank_counts(const Similarity<T>& similarity, View<const T> x, View<const T> y,
                       const Rankings<T>& rankings, const Labels& labels, bool absolute,
                       Index* counts, const Team& team);

template <class T>
void unit_rows(View<const T> x, View<T> out, bool* zero, const Team& team);

// P: float, double, or Bfloat16Pair for float rows rounded to bfloat16.
template <class P>
void pair_cosines(View<const Product<P>> x, View<const Product<P>> y, const Index* i,
                  const Index* j, Index pairs, Product<P>* out, const Team& team);

// y = (x - shift) basis, then per batch (z - offset) scale + ((z - offset) factor) gain factor'.
// An absent basis is the identity; factor[b] is k x rank and may be empty.
template <class T>
struct AffineMaps {
  const double* shift;
  std::optional<View<const double>> basis;
  View<const double> offset, scale;
  std::vector<View<const double>> factors;
  std::vector<const double*> gains;
};

template <class T>
void apply_affine(View<const T> x, const Groups& batches, const AffineMaps<T>& maps, View<T> y,
                  const Team& team);

}  // namespace wellgram
