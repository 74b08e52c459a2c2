// The primitives on rows, registered once for float32 and once for float64.
#include <pybind11/stl.h>

#include <numeric>

#include "bindings/call.hpp"
#include "cpu/numpy_shuffle.hpp"
#include "cpu/primitives.hpp"
#include "cpu/rounding.hpp"

namespace wellgram {
namespace {

Groups groups_of(const Codes& codes, Index rows, Index groups) {
  const Index* code = vector_of<Index>(codes, rows);
  for (Index i = 0; i < rows; ++i)
    need(code[i] >= -1 && code[i] < groups, "a group code is out of range");
  return Groups(code, rows, groups);
}

// How much is taken in all of strata of these sizes.
Index taken_of(const std::vector<Index>& strata, const std::vector<Index>& taken) {
  need(strata.size() == taken.size(), "strata and taken differ in length");
  Index drawn = 0;
  for (std::size_t s = 0; s < strata.size(); drawn += taken[s++])
    need(0 <= taken[s] && taken[s] <= strata[s], "more is taken of a stratum than it has");
  return drawn;
}

// Random sets of several kinds, of so many rows, checked.
SetKinds kinds_of(const Codes& pool, const std::vector<Index>& strata,
                  const std::vector<std::uint64_t>& streams, const std::vector<Index>& starts,
                  const std::vector<Index>& stratum, const std::vector<Index>& taken, Index rows) {
  const Index held = std::accumulate(strata.begin(), strata.end(), Index{0});
  const Index* chosen = vector_of<Index>(pool, held);
  need_indices(chosen, held, rows);
  need(streams.size() == strata.size(), "strata and streams differ in length");
  need(stratum.size() == taken.size(), "stratum and taken differ in length");
  need(
      !starts.empty() && starts.front() == 0 && starts.back() == static_cast<Index>(stratum.size()),
      "starts do not span the parts");
  for (std::size_t k = 0; k + 1 < starts.size(); ++k)
    need(starts[k] <= starts[k + 1], "starts must rise");
  for (std::size_t p = 0; p < stratum.size(); ++p) {
    need(0 <= stratum[p] && stratum[p] < static_cast<Index>(strata.size()),
         "a stratum is out of range");
    need(0 < taken[p] && taken[p] <= strata[stratum[p]],
         "what is taken of a stratum is nothing, or more than it has");
  }
  return {chosen, strata, streams, starts, stratum, taken};
}

// What is to be ranked, checked.
template <class T>
struct Ranked {
  Ranked(const Array<T>& left, const Array<T>& right, const Codes& begins,
         const Array<double>& thresholds, const Array<std::int32_t>& own,
         const Array<std::int32_t>& other)
      : x(rows_of<T>(left)),
        y(rows_of<T>(right)),
        labels{rows_of<std::int32_t>(own), rows_of<std::int32_t>(other)},
        starts(vector_of<Index>(begins, x.rows + 1)),
        values(vector_of<double>(thresholds, thresholds.size())) {
    need(x.columns == y.columns, "x and y differ in columns");
    need(labels.own.rows == labels.other.rows && labels.own.columns == x.rows &&
             labels.other.columns == y.rows,
         "labels are not those of the rows");
    need(starts[0] == 0 && starts[x.rows] == thresholds.size(), "starts do not span the values");
    for (Index i = 0; i < x.rows; ++i) need(starts[i] <= starts[i + 1], "starts must rise");
  }

  Rankings<T> rankings() const {
    Rankings<T> all{starts, {}};
    for (Index v = 0; v < starts[x.rows]; ++v) all.all.push_back(not_above<T>(values[v]));
    return all;
  }

  View<const T> x, y;
  Labels labels;
  const Index* starts;
  const double* values;
};

template <class T>
void bind_primitives(py::module_& m) {
  using namespace py::literals;

  m.def(
      "rows_of_columns",
      [](const std::vector<Array<T>>& columns, Array<T> rows, int threads) {
        const auto out = output_rows<T>(rows);
        need(static_cast<Index>(columns.size()) == out.columns, "one column for each of rows");
        std::vector<const T*> from;
        for (const Array<T>& column : columns) from.push_back(vector_of<T>(column, out.rows));
        Call call(threads);
        const py::gil_scoped_release nogil;
        rows_of_columns<T>(from.data(), out, call.team);
      },
      "columns"_a.noconvert(), "rows"_a.noconvert(), "threads"_a);

  m.def(
      "row_faults",
      [](const Array<T>& x, Array<std::uint8_t> faults, int threads) {
        const auto rows = rows_of<T>(x);
        auto* out = reinterpret_cast<Fault*>(output_vector<std::uint8_t>(faults, rows.rows));
        Call call(threads);
        const py::gil_scoped_release nogil;
        row_faults<T>(rows, out, call.team);
      },
      "x"_a.noconvert(), "faults"_a.noconvert(), "threads"_a);

  m.def(
      "group_sums",
      [](const Array<T>& x, const Codes& codes, Array<double> sums, int threads) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(sums);
        need(out.columns == rows.columns, "sums and x differ in columns");
        const Groups groups = groups_of(codes, rows.rows, out.rows);
        Call call(threads);
        const py::gil_scoped_release nogil;
        group_sums<T>(rows, groups, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "sums"_a.noconvert(), "threads"_a);

  m.def(
      "group_squares",
      [](const Array<T>& x, const Codes& codes, const Array<double>& means, Array<double> squares,
         int threads) {
        const auto rows = rows_of<T>(x);
        const auto middles = rows_of<double>(means);
        const auto out = output_rows<double>(squares);
        need(out.columns == rows.columns, "squares and x differ in columns");
        need(middles.rows == out.rows && middles.columns == out.columns,
             "means and squares differ in shape");
        const Groups groups = groups_of(codes, rows.rows, out.rows);
        Call call(threads);
        const py::gil_scoped_release nogil;
        group_squares<T>(rows, groups, middles, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "means"_a.noconvert(), "squares"_a.noconvert(),
      "threads"_a);

  m.def(
      "group_medians",
      [](const Array<T>& x, const Codes& codes, Array<double> medians, int threads) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(medians);
        need(out.columns == rows.columns, "medians and x differ in columns");
        const Groups groups = groups_of(codes, rows.rows, out.rows);
        Call call(threads);
        const py::gil_scoped_release nogil;
        group_medians<T>(rows, groups, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "medians"_a.noconvert(), "threads"_a);

  m.def(
      "centre_rows",
      [](const Array<T>& x, const Codes& index, const Array<double>& mean, Array<double> centred,
         int threads) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(centred);
        need(out.columns == rows.columns, "centred and x differ in columns");
        const Index* chosen = vector_of<Index>(index, out.rows);
        need_indices(chosen, out.rows, rows.rows);
        const double* middle = vector_of<double>(mean, rows.columns);
        Call call(threads);
        const py::gil_scoped_release nogil;
        centre_rows<T>(rows, chosen, middle, out, call.team);
      },
      "x"_a.noconvert(), "index"_a.noconvert(), "mean"_a.noconvert(), "centred"_a.noconvert(),
      "threads"_a);

  m.def(
      "scatter",
      [](const Array<T>& x, const Codes& index, const Array<double>& mean, Array<double> out,
         int threads) {
        const auto rows = rows_of<T>(x);
        const auto matrix = output_rows<double>(out);
        need(matrix.rows == rows.columns && matrix.columns == rows.columns, "scatter is not d x d");
        const Index count = index.size();
        const Index* chosen = vector_of<Index>(index, count);
        need_indices(chosen, count, rows.rows);
        const double* middle = vector_of<double>(mean, rows.columns);
        Call call(threads);
        const py::gil_scoped_release nogil;
        scatter<T>(rows, chosen, count, middle, matrix, call.team);
      },
      "x"_a.noconvert(), "index"_a.noconvert(), "mean"_a.noconvert(), "out"_a.noconvert(),
      "threads"_a);

  m.def(
      "distance_sums",
      [](const Array<T>& x, const Array<T>& y, const Array<double>& centre, Array<double> sums,
         int threads, py::object progress) {
        const auto rows = rows_of<T>(x), others = rows_of<T>(y);
        need(rows.columns == others.columns, "x and y differ in columns");
        const double* middle = vector_of<double>(centre, rows.columns);
        double* out = output_vector<double>(sums, rows.rows);
        Call call(threads, std::move(progress));
        const py::gil_scoped_release nogil;
        distance_sums<T>(rows, others, middle, out, call.team);
      },
      "x"_a.noconvert(), "y"_a.noconvert(), "centre"_a.noconvert(), "sums"_a.noconvert(),
      "threads"_a, "progress"_a);

  m.def(
      "group_distances",
      [](const Array<T>& x, const Codes& codes, const Array<double>& centre, Array<double> sums,
         int threads) {
        const auto rows = rows_of<T>(x);
        const double* middle = vector_of<double>(centre, rows.columns);
        double* out = output_vector<double>(sums, sums.size());
        const Groups groups = groups_of(codes, rows.rows, sums.size());
        Call call(threads);
        const py::gil_scoped_release nogil;
        group_distances<T>(rows, groups, middle, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "centre"_a.noconvert(), "sums"_a.noconvert(),
      "threads"_a);

  m.def(
      "null_means",
      [](const Array<T>& x, const Codes& pool, const std::vector<Index>& strata,
         const std::vector<Index>& taken, const std::vector<Index>& sizes, std::uint64_t seed,
         std::uint64_t stream, Index first, Array<double> means, int threads, py::object progress) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(means);
        need(first >= 0, "first must not be negative");
        need(static_cast<Index>(sizes.size()) == out.rows && !sizes.empty(),
             "sizes and means differ in length");
        const Index held = std::accumulate(strata.begin(), strata.end(), Index{0});
        const Index drawn = taken_of(strata, taken);
        for (std::size_t q = 0; q < sizes.size(); ++q)
          need(sizes[q] > (q == 0 ? 1 : sizes[q - 1]), "sizes must rise from 2");
        need(sizes.back() == drawn, "the last size must be what is taken in all");
        const Index* chosen = vector_of<Index>(pool, held);
        need_indices(chosen, held, rows.rows);
        Call call(threads, std::move(progress));
        const py::gil_scoped_release nogil;
        null_means<T>(rows, chosen, strata, taken, sizes, {seed, stream}, first, out, call.team);
      },
      "x"_a.noconvert(), "pool"_a.noconvert(), "strata"_a, "taken"_a, "sizes"_a, "seed"_a,
      "stream"_a, "first"_a, "means"_a.noconvert(), "threads"_a, "progress"_a);

  m.def(
      "kind_means",
      [](const Array<T>& x, const Codes& pool, const std::vector<Index>& strata,
         const std::vector<std::uint64_t>& streams, const std::vector<Index>& starts,
         const std::vector<Index>& stratum, const std::vector<Index>& taken, std::uint64_t seed,
         Index first, Array<double> means, int threads, py::object progress) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(means);
        const SetKinds kinds = kinds_of(pool, strata, streams, starts, stratum, taken, rows.rows);
        need(first >= 0, "first must not be negative");
        need(out.rows == kinds.count(), "a row of means for each kind");
        Call call(threads, std::move(progress));
        const py::gil_scoped_release nogil;
        kind_means<T>(rows, kinds, seed, first, out, call.team);
      },
      "x"_a.noconvert(), "pool"_a.noconvert(), "strata"_a, "streams"_a, "starts"_a, "stratum"_a,
      "taken"_a, "seed"_a, "first"_a, "means"_a.noconvert(), "threads"_a, "progress"_a);

  m.def(
      "kind_distances",
      [](const Array<T>& x, const Codes& pool, const std::vector<Index>& strata,
         const std::vector<std::uint64_t>& streams, const std::vector<Index>& starts,
         const std::vector<Index>& stratum, const std::vector<Index>& taken,
         const Array<double>& centre, std::uint64_t seed, Index first, Array<double> sums,
         int threads, py::object progress) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<double>(sums);
        const SetKinds kinds = kinds_of(pool, strata, streams, starts, stratum, taken, rows.rows);
        need(first >= 0, "first must not be negative");
        need(out.rows == kinds.count(), "a row of sums for each kind");
        const double* middle = vector_of<double>(centre, rows.columns);
        Call call(threads, std::move(progress));
        const py::gil_scoped_release nogil;
        kind_distances<T>(rows, kinds, middle, seed, first, out, call.team);
      },
      "x"_a.noconvert(), "pool"_a.noconvert(), "strata"_a, "streams"_a, "starts"_a, "stratum"_a,
      "taken"_a, "centre"_a.noconvert(), "seed"_a, "first"_a, "sums"_a.noconvert(), "threads"_a,
      "progress"_a);

  m.def(
      "list_scores",
      [](const Array<T>& scores, const Codes& positives, const Codes& negatives,
         Array<double> precision, Array<double> auc, int threads) {
        const auto levels = rows_of<T>(scores);
        const auto draws = rows_of<Index>(negatives);
        const Index count = positives.size();
        const Index* chosen = vector_of<Index>(positives, count);
        need_indices(chosen, count, levels.columns);
        for (Index r = 0; r < draws.rows; ++r)
          need_indices(draws.row(r), draws.columns, levels.columns);
        const auto first = output_rows<double>(precision), second = output_rows<double>(auc);
        for (const auto& out : {first, second})
          need(out.rows == levels.rows && out.columns == draws.rows,
               "an answer per level and draw");
        Call call(threads);
        const py::gil_scoped_release nogil;
        list_scores<T>(levels, chosen, count, draws, first, second, call.team);
      },
      "scores"_a.noconvert(), "positives"_a.noconvert(), "negatives"_a.noconvert(),
      "precision"_a.noconvert(), "auc"_a.noconvert(), "threads"_a);

  m.def(
      "rank_counts",
      [](const Array<T>& x, const Array<T>& y, const Codes& starts, const Array<double>& values,
         const Array<std::int32_t>& own, const Array<std::int32_t>& other, bool absolute,
         Codes counts, int threads, py::object progress) {
        const Ranked<T> given(x, y, starts, values, own, other);
        Index* out = output_vector<Index>(counts, values.size());
        Call call(threads, std::move(progress));
        const py::gil_scoped_release nogil;
        rank_counts<T>(given.x, given.y, given.rankings(), given.labels, absolute, out, call.team);
      },
      "x"_a.noconvert(), "y"_a.noconvert(), "starts"_a.noconvert(), "values"_a.noconvert(),
      "own"_a.noconvert(), "other"_a.noconvert(), "absolute"_a, "counts"_a.noconvert(), "threads"_a,
      "progress"_a);

  m.def(
      "numpy_rank_counts",
      [](int kind, const Array<T>& x, const Array<T>& y, const Array<T>& row_squares,
         const Array<T>& column_squares, const Codes& starts, const Array<double>& values,
         const Array<std::int32_t>& own, const Array<std::int32_t>& other, bool absolute,
         Codes counts, int threads) {
        need(0 <= kind && kind <= static_cast<int>(RowSimilarity::chebyshev),
             "there is no such similarity");
        const Ranked<T> given(x, y, starts, values, own, other);
        need(given.x.columns > 0, "rows are empty");
        const Similarity<T> similarity{static_cast<RowSimilarity>(kind),
                                       vector_of<T>(row_squares, given.x.rows),
                                       vector_of<T>(column_squares, given.y.rows)};
        Index* out = output_vector<Index>(counts, values.size());
        Call call(threads);
        const py::gil_scoped_release nogil;
        numpy_rank_counts<T>(similarity, given.x, given.y, given.rankings(), given.labels, absolute,
                             out, call.team);
      },
      "kind"_a, "x"_a.noconvert(), "y"_a.noconvert(), "row_squares"_a.noconvert(),
      "column_squares"_a.noconvert(), "starts"_a.noconvert(), "values"_a.noconvert(),
      "own"_a.noconvert(), "other"_a.noconvert(), "absolute"_a, "counts"_a.noconvert(),
      "threads"_a);

  m.def(
      "unit_rows",
      [](const Array<T>& x, Array<T> out, Array<bool> zero, int threads) {
        const auto rows = rows_of<T>(x);
        const auto unit = output_rows<T>(out);
        need(unit.rows == rows.rows && unit.columns == rows.columns, "out and x differ in shape");
        bool* zeros = output_vector<bool>(zero, rows.rows);
        Call call(threads);
        const py::gil_scoped_release nogil;
        unit_rows<T>(rows, unit, zeros, call.team);
      },
      "x"_a.noconvert(), "out"_a.noconvert(), "zero"_a.noconvert(), "threads"_a);

  m.def(
      "apply_affine",
      [](const Array<T>& x, const Codes& codes, const Array<double>& shift,
         const std::optional<Array<double>>& basis, const Array<double>& offset,
         const Array<double>& scale, const std::vector<Array<double>>& factors,
         const std::vector<Array<double>>& gains, Array<T> y, int threads) {
        const auto rows = rows_of<T>(x);
        const auto out = output_rows<T>(y);
        AffineMaps<T> maps{vector_of<double>(shift, rows.columns),
                           {},
                           rows_of<double>(offset),
                           rows_of<double>(scale),
                           {},
                           {}};
        if (basis) {
          maps.basis = rows_of<double>(*basis);
          need(maps.basis->rows == rows.columns && maps.basis->columns == out.columns,
               "basis is not d x k");
        } else {
          need(out.columns == rows.columns, "y and x differ in columns");
        }
        const Index batches = maps.offset.rows;
        need(out.rows == rows.rows, "y and x differ in rows");
        need(maps.offset.columns == out.columns && maps.scale.columns == out.columns &&
                 maps.scale.rows == batches && static_cast<Index>(factors.size()) == batches &&
                 gains.size() == factors.size(),
             "the parts of the maps differ in shape");
        for (std::size_t b = 0; b < factors.size(); ++b) {
          maps.factors.push_back(rows_of<double>(factors[b]));
          need(maps.factors[b].rows == out.columns, "a factor has not k rows");
          maps.gains.push_back(vector_of<double>(gains[b], maps.factors[b].columns));
        }
        const Groups groups = groups_of(codes, rows.rows, batches);
        Call call(threads);
        const py::gil_scoped_release nogil;
        apply_affine<T>(rows, groups, maps, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "shift"_a.noconvert(), "basis"_a.noconvert(),
      "offset"_a.noconvert(), "scale"_a.noconvert(), "factors"_a, "gains"_a, "y"_a.noconvert(),
      "threads"_a);
}

void bind_distances(py::module_& m) {
  using namespace py::literals;

  m.def(
      "row_distances",
      [](const Array<double>& x, const Array<double>& y, bool half_squares, Array<double> distances,
         int threads) {
        const auto rows = rows_of<double>(x), others = rows_of<double>(y);
        const auto out = output_rows<double>(distances);
        need(rows.columns == others.columns, "x and y differ in columns");
        need(out.rows == rows.rows && out.columns == others.rows, "distances are not n x m");
        Call call(threads);
        const py::gil_scoped_release nogil;
        row_distances(rows, others, half_squares, out, call.team);
      },
      "x"_a.noconvert(), "y"_a.noconvert(), "half_squares"_a, "distances"_a.noconvert(),
      "threads"_a);

  m.def(
      "pair_distances",
      [](const Array<double>& x, bool half_squares, Array<double> distances, int threads) {
        const auto rows = rows_of<double>(x);
        double* out = output_vector<double>(distances, rows.rows * (rows.rows - 1) / 2);
        Call call(threads);
        const py::gil_scoped_release nogil;
        pair_distances(rows, half_squares, out, call.team);
      },
      "x"_a.noconvert(), "half_squares"_a, "distances"_a.noconvert(), "threads"_a);

  m.def(
      "group_distance_sums",
      [](const Array<double>& x, const Codes& codes, const Array<double>& centre,
         Array<double> sums, bool in_float32, int threads) {
        const auto rows = rows_of<double>(x);
        const auto out = output_rows<double>(sums);
        need(out.columns == rows.rows, "sums are not groups x n");
        const double* middle = vector_of<double>(centre, rows.columns);
        const Groups groups = groups_of(codes, rows.rows, out.rows);
        need(groups.starts.back() == rows.rows, "a row is in no group");
        Call call(threads);
        const py::gil_scoped_release nogil;
        const auto compute = in_float32 ? group_distance_sums<float> : group_distance_sums<double>;
        compute(rows, groups, middle, out, call.team);
      },
      "x"_a.noconvert(), "codes"_a.noconvert(), "centre"_a.noconvert(), "sums"_a.noconvert(),
      "in_float32"_a, "threads"_a);
}

}  // namespace

void bind_rows(py::module_& m) {
  using namespace py::literals;

  m.def(
      "resample_counts",
      [](Index first, std::uint64_t seed, std::uint64_t stream, Array<std::int32_t> times,
         int threads) {
        const auto out = output_rows<std::int32_t>(times);
        Call call(threads);
        const py::gil_scoped_release nogil;
        resample_counts(first, {seed, stream}, out, call.team);
      },
      "first"_a, "seed"_a, "stream"_a, "times"_a.noconvert(), "threads"_a);

  m.def(
      "random_subsets",
      [](const std::vector<Index>& pools, const std::vector<Index>& taken, std::uint64_t seed,
         std::uint64_t stream, Index first, Codes places, int threads) {
        need(first >= 0, "first must not be negative");
        const auto out = output_rows<Index>(places);
        need(out.columns == taken_of(pools, taken), "places are not as many as are taken");
        Call call(threads);
        const py::gil_scoped_release nogil;
        random_subsets(pools, taken, {seed, stream}, first, out, call.team);
      },
      "pools"_a, "taken"_a, "seed"_a, "stream"_a, "first"_a, "places"_a.noconvert(), "threads"_a);

  m.def(
      "null_precisions",
      [](Index positives, Index total, std::uint64_t seed, std::uint64_t stream,
         Array<double> precisions, int threads) {
        need(0 < positives && positives <= total, "positives must be from 1 to all");
        const Index draws = precisions.size();
        double* out = output_vector<double>(precisions, draws);
        Call call(threads);
        const py::gil_scoped_release nogil;
        null_precisions(positives, total, draws, {seed, stream}, out, call.team);
      },
      "positives"_a, "total"_a, "seed"_a, "stream"_a, "precisions"_a.noconvert(), "threads"_a);

  m.def(
      "shuffled_places",
      [](const py::capsule& generator, Index total, Array<std::uint32_t> places) {
        const auto out = output_rows<std::uint32_t>(places);
        need(generator.name() != nullptr && std::string(generator.name()) == "BitGenerator",
             "expected the capsule of a bit generator");
        need(0 < total && total < Index{1} << 32, "total must be from 1 to 2^32 - 1");
        need(out.columns <= total, "more places than there are");
        const auto* draws = generator.get_pointer<const BitGenerator>();
        const py::gil_scoped_release nogil;
        shuffled_places(*draws, total, out);
      },
      "generator"_a, "total"_a, "places"_a.noconvert());

  // words: the upper and lower half of the state and of the increment, whether the upper half of a
  // word is kept, and that half. They are brought up to date.
  m.def(
      "shuffled_places_pcg64",
      [](Array<std::uint64_t> words, Index total, Array<std::uint32_t> places) {
        const auto out = output_rows<std::uint32_t>(places);
        auto* given = output_vector<std::uint64_t>(words, 6);
        need(0 < total && total < Index{1} << 32, "total must be from 1 to 2^32 - 1");
        need(out.columns <= total, "more places than there are");
        const auto wide = [&](int k) {
          return static_cast<Pcg64::Wide>(given[k]) << 64 | given[k + 1];
        };
        Pcg64 generator{wide(0), wide(2), given[4] != 0, static_cast<std::uint32_t>(given[5])};
        {
          const py::gil_scoped_release nogil;
          shuffled_places(generator, total, out);
        }
        given[0] = static_cast<std::uint64_t>(generator.state >> 64);
        given[1] = static_cast<std::uint64_t>(generator.state);
        given[4] = generator.kept;
        given[5] = generator.upper;
      },
      "words"_a.noconvert(), "total"_a, "places"_a.noconvert());

  bind_distances(m);
  bind_primitives<float>(m);
  bind_primitives<double>(m);
}

}  // namespace wellgram
