// NumPy arrays as views. The Python side has checked what the user gave; these checks keep a
// mistake of ours from reading outside of an array.
#pragma once

#include <pybind11/numpy.h>

#include <string>

#include "common/view.hpp"

namespace wellgram {

namespace py = pybind11;

inline void need(bool holds, const char* what) {
  if (!holds) throw py::value_error(std::string("wellgram._cpu: ") + what);
}

// A matrix whose rows are contiguous; rows themselves may lie anywhere.
template <class T>
View<const T> rows_of(const py::array_t<T>& x) {
  need(x.ndim() == 2, "expected a matrix");
  if (x.size() == 0) return {x.data(), x.shape(0), x.shape(1), x.shape(1)};
  need(x.shape(1) <= 1 || x.strides(1) == sizeof(T), "expected contiguous rows");
  need(x.shape(0) <= 1 || x.strides(0) % static_cast<py::ssize_t>(sizeof(T)) == 0,
       "expected rows a whole number of elements apart");
  need(reinterpret_cast<std::uintptr_t>(x.data()) % alignof(T) == 0, "expected aligned data");
  return {x.data(), x.shape(0), x.shape(1),
          x.shape(0) <= 1 ? x.shape(1) : x.strides(0) / static_cast<py::ssize_t>(sizeof(T))};
}

template <class T>
View<T> output_rows(py::array_t<T>& x) {
  const View<const T> view = rows_of<T>(x);
  return {x.mutable_data(), view.rows, view.columns, view.stride};
}

template <class T>
const T* vector_of(const py::array_t<T>& x, Index size) {
  need(x.ndim() == 1 && x.shape(0) == size, "expected a vector of another length");
  need(size <= 1 || x.strides(0) == sizeof(T), "expected a contiguous vector");
  need(reinterpret_cast<std::uintptr_t>(x.data()) % alignof(T) == 0, "expected aligned data");
  return x.data();
}

template <class T>
T* output_vector(py::array_t<T>& x, Index size) {
  vector_of<T>(x, size);
  return x.mutable_data();
}

}  // namespace wellgram
