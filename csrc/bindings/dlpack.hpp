// Arrays of other libraries, and ours for them, as DLPack capsules (its version 0.8, which every
// library still gives and takes). The structures are the standard's own.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace wellgram {

namespace py = pybind11;

struct DLTensor {
  void* data;
  std::int32_t device_type, device_id;
  std::int32_t ndim;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null for contiguous rows
  std::uint64_t byte_offset;
};

struct DLManagedTensor {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};

// What a capsule holds: (address, shape, strides in elements or None, type code, bits, owner). The
// array lives as long as its owner, a capsule of another name.
inline py::tuple from_dlpack(const py::capsule& capsule) {
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  if (managed == nullptr) throw py::error_already_set();
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  const DLTensor& tensor = managed->tensor;
  const py::capsule owner(managed, [](void* held) {
    auto* one = static_cast<DLManagedTensor*>(held);
    if (one->deleter != nullptr) one->deleter(one);
  });
  py::list shape, strides;
  for (int k = 0; k < tensor.ndim; ++k) {
    shape.append(tensor.shape[k]);
    if (tensor.strides != nullptr) strides.append(tensor.strides[k]);
  }
  const auto address = reinterpret_cast<std::uint64_t>(tensor.data) + tensor.byte_offset;
  return py::make_tuple(address, py::tuple(shape),
                        tensor.strides == nullptr ? py::object(py::none()) : py::tuple(strides),
                        tensor.code, tensor.bits * tensor.lanes, owner);
}

// A matrix at an address as a capsule, which keeps its owner alive.
inline py::capsule to_dlpack(std::uint64_t address, std::int64_t rows, std::int64_t columns,
                             std::int64_t stride, int bits, int device_type, int device,
                             py::object owner) {
  struct Held {
    DLManagedTensor managed;
    std::int64_t shape[2], strides[2];
    py::object owner;
  };
  auto held = std::make_unique<Held>();
  held->shape[0] = rows;
  held->shape[1] = columns;
  held->strides[0] = stride;
  held->strides[1] = 1;
  held->owner = std::move(owner);
  constexpr std::uint8_t floats = 2;
  held->managed.tensor = {reinterpret_cast<void*>(address),
                          device_type,
                          device,
                          2,
                          floats,
                          static_cast<std::uint8_t>(bits),
                          1,
                          held->shape,
                          held->strides,
                          0};
  held->managed.context = held.get();
  held->managed.deleter = [](DLManagedTensor* managed) {
    const py::gil_scoped_acquire gil;
    delete static_cast<Held*>(managed->context);
  };
  return py::capsule(&held.release()->managed, "dltensor", [](PyObject* capsule) {
    // One that nobody took is given back; one that was taken has another name by now.
    if (PyCapsule_IsValid(capsule, "dltensor") == 0) return;
    auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
    managed->deleter(managed);
  });
}

}  // namespace wellgram
