// wellgram._cuda: a card's memory, queue and kernels, for wellgram.backends.gpu. Importing it needs
// no driver; opening a device says what is amiss.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "bindings/dlpack.hpp"
#include "cuda/device.hpp"

namespace wellgram::gpu {

namespace {

// Memory of a card, given back with the last reference to it.
class Memory {
 public:
  Memory(std::shared_ptr<Device> device, std::size_t bytes)
      : device_(std::move(device)), address_(device_->allocate(bytes)), bytes_(bytes) {}
  ~Memory() { device_->release(address_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  Address address() const { return address_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Device> device_;
  Address address_;
  std::size_t bytes_;
};

constexpr std::size_t flat_row = 4096;

// The bytes of an array as rows that are so far apart on the card: those of a matrix, or, where
// apart is 0, as they lie: many rows of one size and one that is the rest.
std::vector<std::pair<HostRows, std::size_t>> rows_of(const py::buffer_info& info,
                                                      std::size_t apart) {
  auto* data = static_cast<char*>(info.ptr);
  const auto item = static_cast<std::size_t>(info.itemsize);
  if (apart == 0) {
    const std::size_t bytes = static_cast<std::size_t>(info.size) * item;
    const std::size_t whole = bytes / flat_row, rest = bytes % flat_row;
    std::vector<std::pair<HostRows, std::size_t>> parts;
    if (whole > 0)
      parts.push_back({{data, whole, flat_row, static_cast<std::ptrdiff_t>(flat_row)}, flat_row});
    if (rest > 0)
      parts.push_back(
          {{data + whole * flat_row, 1, rest, static_cast<std::ptrdiff_t>(rest)}, rest});
    return parts;
  }
  if (info.ndim != 2 || (info.shape[1] > 1 && info.strides[1] != info.itemsize))
    throw py::value_error("wellgram._cuda: expected a matrix with contiguous rows");
  const std::size_t row = static_cast<std::size_t>(info.shape[1]) * item;
  if (row > apart) throw py::value_error("wellgram._cuda: rows overlap");
  return {{{data, static_cast<std::size_t>(info.shape[0]), row, info.strides[0]}, apart}};
}

void put(Device& device, Address to, const py::buffer& from, std::size_t apart, const Mark& after) {
  const py::buffer_info info = from.request();
  const auto parts = rows_of(info, apart);
  const py::gil_scoped_release release;
  for (const auto& [rows, distance] : parts) {
    device.put(to, distance, rows, after);
    to += rows.rows * distance;
  }
}

void get(Device& device, const py::buffer& to, Address from, std::size_t apart) {
  const py::buffer_info info = to.request(true);
  const auto parts = rows_of(info, apart);
  const py::gil_scoped_release release;
  for (const auto& [rows, distance] : parts) {
    device.get(rows, from, distance);
    from += rows.rows * distance;
  }
}

void launch(Device& device, const std::string& kernel, std::int64_t blocks, const py::args& given) {
  static const std::map<std::string, std::string> signatures = kernel_signatures();
  const auto found = signatures.find(kernel);
  if (found == signatures.end())
    throw py::value_error("wellgram._cuda: there is no kernel " + kernel);
  if (found->second.size() != given.size())
    throw py::value_error("wellgram._cuda: " + kernel + " takes " +
                          std::to_string(found->second.size()) + " arguments");
  std::vector<Word> words;
  for (std::size_t k = 0; k < given.size(); ++k) {
    const py::handle one = given[k];
    if (py::isinstance<py::float_>(one) != (found->second[k] == 'd'))
      throw py::value_error("wellgram._cuda: argument " + std::to_string(k) + " of " + kernel +
                            " is of another type");
    Word word;
    if (py::isinstance<py::float_>(one)) {
      const auto value = one.cast<double>();
      std::memcpy(&word, &value, sizeof word);
    } else {
      word = one.cast<Word>();
    }
    words.push_back(word);
  }
  if (blocks > 0) device.launch(kernel, blocks, words);
}

void multiply(Device& device, const std::string& library, const std::string& kind, std::int64_t m,
              std::int64_t n, std::int64_t d, Address a, std::int64_t a_stride, Address b,
              std::int64_t b_stride, Address c, std::int64_t c_stride) {
  static const std::map<std::string, Device::Kind> kinds{{"float32", Device::Kind::float32},
                                                         {"tf32", Device::Kind::tf32},
                                                         {"bfloat16", Device::Kind::bfloat16},
                                                         {"float64", Device::Kind::float64},
                                                         {"int8", Device::Kind::int8}};
  device.multiply(library, kinds.at(kind), {m, n, d, a, b, c, a_stride, b_stride, c_stride});
}

}  // namespace

PYBIND11_MODULE(_cuda, m) {
  m.doc() = "A card's memory, queue and kernels.";
  m.attr("emulated") = is_emulated();
  m.def(
      "devices",
      [] {
        const Devices devices = list_devices();
        py::list found;
        for (const auto& device : devices.found) {
          py::dict entry;
          entry["name"] = device.name;
          entry["compute_capability"] =
              std::to_string(device.major) + "." + std::to_string(device.minor);
          entry["memory"] = device.memory;
          found.append(entry);
        }
        return py::make_tuple(found, devices.problem);
      },
      "A list of devices (name, compute_capability, memory in bytes), and why it is empty.");
  m.def("kernels", &kernel_signatures,
        "The kernels by name: of each argument whether it is a double ('d') or not ('i').");
  m.def("from_dlpack", &from_dlpack, py::arg("capsule"),
        "(address, shape, strides, type code, bits, owner) of a capsule.");
  m.def("to_dlpack", &to_dlpack, py::arg("address"), py::arg("rows"), py::arg("columns"),
        py::arg("stride"), py::arg("bits"), py::arg("device_type"), py::arg("device"),
        py::arg("owner"), "A matrix of floats at an address as a capsule.");

  py::class_<Mark>(m, "Mark", "A place in the queue of a card's work.")
      .def("wait", &Mark::wait, py::call_guard<py::gil_scoped_release>())
      .def("milliseconds_since", &Mark::milliseconds_since, py::arg("earlier"));

  py::class_<Memory>(m, "Memory", "Memory of a card.")
      .def_property_readonly("address", &Memory::address)
      .def_property_readonly("nbytes", &Memory::bytes);

  py::class_<Device, std::shared_ptr<Device>>(m, "Device", "A card, whose work is queued.")
      .def(py::init([](int index) { return std::shared_ptr<Device>(open_device(index)); }),
           py::arg("index") = 0)
      .def(
          "allocate",
          [](std::shared_ptr<Device> device, std::size_t bytes) {
            return std::make_unique<Memory>(std::move(device), bytes);
          },
          py::arg("nbytes"))
      .def("free_memory", &Device::free_memory)
      .def("clear", &Device::clear, py::arg("address"), py::arg("nbytes"))
      .def("put", &put, py::arg("to"), py::arg("origin"), py::arg("apart"), py::arg("after"))
      .def("get", &get, py::arg("to"), py::arg("origin"), py::arg("apart"))
      .def("mark", &Device::mark)
      .def("follow", &Device::follow, py::arg("stream"))
      .def("launch", &launch, py::arg("kernel"), py::arg("blocks"))
      .def("multiply", &multiply, py::arg("library"), py::arg("kind"), py::arg("m"), py::arg("n"),
           py::arg("d"), py::arg("a"), py::arg("a_stride"), py::arg("b"), py::arg("b_stride"),
           py::arg("c"), py::arg("c_stride"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace wellgram::gpu
