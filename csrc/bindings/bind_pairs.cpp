// Cosines of pairs: chosen ones, and the pass over all with its consumers.
#include <pybind11/stl.h>

#include <utility>

#include "bindings/call.hpp"
#include "cpu/primitives.hpp"
#include "cpu/scan.hpp"
#include "cpu/screens/choice.hpp"
#include "cpu/screens/screen.hpp"

namespace wellgram {
namespace {

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
    Call call(threads_);
    std::vector<State<T>> states;
    {
      const py::gil_scoped_release nogil;
      states = scan_.states(call.team);
    }
    py::list out;
    for (auto& state : states)
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

void bind_screens(py::module_& m) {
  using namespace py::literals;
  m.def("screens", &screen_names, "The screens of passes that can be used here, best first.");
  m.def("screen", &screen_name, "The screen that serves passes.");
  m.def("use_screen", &use_screen, "name"_a,
        "Have passes use a screen, none, or (automatic) what pays; False for another name.");
  m.def(
      "screened_cosines",
      [](const Array<float>& x, const Array<float>& y, Array<float> cosines, Array<double> bounds,
         bool bfloat16) {
        const auto left = rows_of<float>(x), right = rows_of<float>(y);
        const auto cells = output_rows<float>(cosines);
        const auto limits = output_rows<double>(bounds);
        need(left.columns == right.columns, "x and y differ in columns");
        for (const auto& out : {cosines.request(), bounds.request()})
          need(out.shape[0] == left.rows && out.shape[1] == right.rows,
               "expected a row of output per row of x, and a column per row of y");
        Call call(1);
        screened_cosines({left, bfloat16}, {right, bfloat16}, cells, limits, call.team);
      },
      "x"_a.noconvert(), "y"_a.noconvert(), "cosines"_a.noconvert(), "bounds"_a.noconvert(),
      "bfloat16"_a = false,
      "The screen's cosines of all pairs of rows of length 1, and how far each may be from that of "
      "pair_cosines.");
  m.def("scale_screen_bounds", &scale_screen_bounds, "factor"_a,
        "Multiply all bounds, to see in tests that a bound too small is noticed.");
}

void bind_consumers(py::module_& m) {
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
}

}  // namespace

void bind_pairs(py::module_& m) {
  bind_screens(m);
  bind_consumers(m);
  bind_products<float>(m, "pair_cosines", "PairScanFloat32");
  bind_products<double>(m, "pair_cosines", "PairScanFloat64");
  bind_products<Bfloat16Pair>(m, "pair_cosines_bfloat16", "PairScanBfloat16");
}

}  // namespace wellgram
