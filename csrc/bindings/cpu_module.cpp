// wellgram._cpu: views of arrays in, the GIL released, a primitive called; nothing else. The calls
// that hold for float32 and float64 are registered once for each.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <utility>

#include "bindings/arrays.hpp"
#include "cpu/kernels.hpp"
#include "cpu/primitives.hpp"
#include "cpu/scan.hpp"

namespace wellgram {
namespace {

template <class T>
using Array = py::array_t<T>;
using Codes = py::array_t<Index>;

// A team whose calling thread looks for Ctrl-C, and reports progress if asked, every 50 ms. It
// holds the GIL only for that instant.
class Call {
 public:
  explicit Call(int threads, py::object progress = py::none())
      : team(threads, [progress](std::optional<double> share) {
          const py::gil_scoped_acquire gil;
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          if (share && !progress.is_none()) progress(*share);
        }) {}
  Team team;
};

Groups groups_of(const Codes& codes, Index rows, Index groups) {
  const Index* code = vector_of<Index>(codes, rows);
  for (Index i = 0; i < rows; ++i)
    need(code[i] >= -1 && code[i] < groups, "a group code is out of range");
  return Groups(code, rows, groups);
}

void need_indices(const Index* index, Index count, Index rows) {
  for (Index p = 0; p < count; ++p)
    need(index[p] >= 0 && index[p] < rows, "a row index is out of range");
}

// An array that takes the memory of a vector over.
template <class T>
Array<T> owned(std::vector<T>&& values) {
  auto* kept = new std::vector<T>(std::move(values));
  const py::capsule owner(kept, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return Array<T>(static_cast<py::ssize_t>(kept->size()), kept->data(), owner);
}

// A pass with the number of its threads; its shape is checked here, block by block.
template <class P>
class BoundScan {
 public:
  using T = Product<P>;

  BoundScan(Index rows, std::optional<Index> columns, const std::vector<Recipe>& recipes,
            int threads)
      : extent_{rows, columns.value_or(rows), !columns},
        threads_(threads),
        scan_(extent_, checked(recipes), threads) {}

  void add(const Array<T>& x, const Array<T>& y, Index row, Index column,
           const py::object& progress) {
    const auto left = rows_of<T>(x), right = rows_of<T>(y);
    need(left.columns == right.columns, "x and y differ in columns");
    need(row >= 0 && row + left.rows <= extent_.rows, "rows outside of the pass");
    need(column >= 0 && column + right.rows <= extent_.columns, "columns outside of the pass");
    Call call(threads_, progress);
    const py::gil_scoped_release nogil;
    scan_.add(left, right, row, column, call.team);
  }

  py::list states() {
    py::list out;
    for (auto& state : scan_.states())
      out.append(py::make_tuple(owned(std::move(state.counts)), owned(std::move(state.values))));
    return out;
  }

 private:
  const std::vector<Recipe>& checked(const std::vector<Recipe>& recipes) const {
    for (const auto& recipe : recipes) {
      if (const auto* grouping = std::get_if<WithinGroups>(&recipe))
        need(static_cast<Index>(grouping->rows.size()) == extent_.rows &&
                 static_cast<Index>(grouping->columns.size()) == extent_.columns,
             "expected one code per row");
      if (const auto* matrix = std::get_if<Matrix>(&recipe))
        need(matrix->rows == extent_.rows && matrix->columns == extent_.columns &&
                 matrix->bytes == sizeof(T),
             "the matrix is not of the shape or type of the pass");
    }
    return recipes;
  }

  Extent extent_;
  int threads_;
  PairScan<P> scan_;
};

template <class T>
std::vector<T> copied(const Array<T>& values) {
  const T* first = vector_of<T>(values, values.size());
  return {first, first + values.size()};
}

template <class T>
Matrix matrix_of(Array<T> out) {
  const auto rows = output_rows<T>(out);
  return {rows.data, rows.rows, rows.columns, rows.stride, sizeof(T)};
}

template <class T>
void bind_primitives(py::module_& m) {
  using namespace py::literals;

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

// What is packed as P: rows whose products are of type T.
template <class P>
void bind_products(py::module_& m, const char* pair_cosines_name, const char* scan_name) {
  using namespace py::literals;
  using T = Product<P>;

  m.def(
      pair_cosines_name,
      [](const Array<T>& x, const Array<T>& y, const Codes& i, const Codes& j, Array<T> out,
         int threads) {
        const auto left = rows_of<T>(x), right = rows_of<T>(y);
        need(left.columns == right.columns, "x and y differ in columns");
        const Index pairs = out.size();
        const Index *first = vector_of<Index>(i, pairs), *second = vector_of<Index>(j, pairs);
        need_indices(first, pairs, left.rows);
        need_indices(second, pairs, right.rows);
        T* cosines = output_vector<T>(out, pairs);
        Call call(threads);
        const py::gil_scoped_release nogil;
        pair_cosines<P>(left, right, first, second, pairs, cosines, call.team);
      },
      "x"_a.noconvert(), "y"_a.noconvert(), "i"_a.noconvert(), "j"_a.noconvert(),
      "out"_a.noconvert(), "threads"_a);

  using Scan = BoundScan<P>;
  py::class_<Scan>(m, scan_name)
      .def(py::init<Index, std::optional<Index>, const std::vector<Recipe>&, int>(), "rows"_a,
           "columns"_a, "recipes"_a, "threads"_a)
      .def("add", &Scan::add, "x"_a.noconvert(), "y"_a.noconvert(), "row"_a, "column"_a,
           "progress"_a)
      .def("states", &Scan::states);
}

}  // namespace

PYBIND11_MODULE(_cpu, m) {
  m.doc() = "The primitives in C++, for the processor.";

  py::class_<CountBelow>(m, "CountBelow")
      .def(py::init<std::vector<double>>(), py::arg("thresholds"));
  py::class_<Histogram>(m, "Histogram")
      .def(py::init<double, double, Index>(), py::arg("low"), py::arg("high"), py::arg("bins"));
  py::class_<Bracket>(m, "Bracket")
      .def(py::init<double, double, Index>(), py::arg("low"), py::arg("high"), py::arg("capacity"));
  py::class_<Ranks>(m, "Ranks")
      .def(py::init([](const Array<double>& values, std::vector<std::pair<Index, Index>> kept,
                       Index capacity) {
             for (const auto& [first, last] : kept)
               need(0 <= first && last < values.size(), "a value to be kept is out of range");
             return Ranks{copied(values), std::move(kept), capacity};
           }),
           py::arg("values").noconvert(), py::arg("kept"), py::arg("capacity"));
  py::class_<Nearest>(m, "Nearest")
      .def(py::init<Index, Index>(), py::arg("most"), py::arg("least"));
  py::class_<RowMoments>(m, "RowMoments").def(py::init<>());
  py::class_<WithinGroups>(m, "WithinGroups")
      .def(py::init([](const Array<std::int32_t>& rows, const Array<std::int32_t>& columns,
                       Index groups) {
             WithinGroups recipe{copied(rows), copied(columns), groups};
             for (const auto* codes : {&recipe.rows, &recipe.columns})
               for (const auto code : *codes) need(code < groups, "a group code is out of range");
             return recipe;
           }),
           py::arg("rows").noconvert(), py::arg("columns").noconvert(), py::arg("groups"));
  py::class_<Matrix>(m, "Matrix")
      .def(py::init(&matrix_of<float>), py::arg("out").noconvert())
      .def(py::init(&matrix_of<double>), py::arg("out").noconvert());

  m.def(
      "instruction_sets",
      [] {
        std::vector<std::string> names;
        for (auto set = usable_sets(); *set != nullptr; ++set) names.emplace_back((*set)->name);
        return names;
      },
      "The instruction sets that this build has and this processor runs, best first.");
  m.def(
      "instruction_set", [] { return std::string(current_set().name); },
      "The instruction set in use.");
  m.def(
      "use_instruction_set", [](const std::string& name) { return use_set(name.c_str()); },
      py::arg("name"), "Switch the instruction set; False where it is not usable.");

  bind_primitives<float>(m);
  bind_primitives<double>(m);
  bind_products<float>(m, "pair_cosines", "PairScanFloat32");
  bind_products<double>(m, "pair_cosines", "PairScanFloat64");
  bind_products<Bfloat16Pair>(m, "pair_cosines_bfloat16", "PairScanBfloat16");
}

}  // namespace wellgram
