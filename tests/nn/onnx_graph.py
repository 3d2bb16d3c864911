"""ONNX graphs read and evaluated: the protobuf wire format, the fields that a graph has in the public
schema, and the operations by their definitions, in plain Python numbers.
"""

import itertools
import math
import struct

FLOAT, DOUBLE = 1, 11

# Fields by number: (name, kind), kind a message, "int", "float", "bytes", "text"; * for repeated.
MESSAGES = {
    "model": {1: ("ir_version", "int"), 2: ("producer_name", "text"), 7: ("graph", "graph"),
              8: ("opset_import", "opset*"), 14: ("metadata_props", "entry*")},
    "opset": {1: ("domain", "text"), 2: ("version", "int")},
    "entry": {1: ("key", "text"), 2: ("value", "text")},
    "graph": {1: ("node", "node*"), 2: ("name", "text"), 5: ("initializer", "tensor*"),
              11: ("input", "value*"), 12: ("output", "value*")},
    "node": {1: ("input", "text*"), 2: ("output", "text*"), 3: ("name", "text"),
             4: ("op_type", "text"), 5: ("attribute", "attribute*")},
    "attribute": {1: ("name", "text"), 2: ("f", "float"), 3: ("i", "int"), 8: ("ints", "int*"),
                  20: ("type", "int")},
    "tensor": {1: ("dims", "int*"), 2: ("data_type", "int"), 8: ("name", "text"),
               9: ("raw_data", "bytes")},
    "value": {1: ("name", "text"), 2: ("type", "type")},
    "type": {1: ("tensor_type", "tensor_type")},
    "tensor_type": {1: ("elem_type", "int"), 2: ("shape", "shape")},
    "shape": {1: ("dim", "dim*")},
    "dim": {1: ("dim_value", "int"), 2: ("dim_param", "text")},
}
EMPTY = {"int": 0, "float": 0.0, "bytes": b"", "text": ""}


class Message:
    """What parse() fills: a field that is not in the file has the value that protobuf gives it."""

    def __init__(self, kind):
        self.present = set()
        for name, field in MESSAGES[kind].values():
            setattr(self, name, [] if field.endswith("*") else EMPTY.get(field))


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value - (1 << 64) if value >> 63 else value, at


def fields(data):
    """(number, raw value) of each field: an int, or the bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "the file ends inside a field"
        yield tag >> 3, value


def numbers(raw):
    """Repeated integers, packed or one by one."""
    if isinstance(raw, int):
        return [raw]
    all, at = [], 0
    while at < len(raw):
        value, at = varint(raw, at)
        all.append(value)
    return all


def parse(kind, data):
    message = Message(kind)
    for number, raw in fields(data):
        assert number in MESSAGES[kind], f"{kind} has a field {number}"
        name, field = MESSAGES[kind][number]
        message.present.add(name)
        one = field.rstrip("*")
        if one == "int":
            value = numbers(raw) if field.endswith("*") else raw
        elif one == "float":
            value, = struct.unpack("<f", raw)
        elif one == "text":
            value = raw.decode()
        else:
            value = raw if one == "bytes" else parse(one, raw)
        if not field.endswith("*"):
            setattr(message, name, value)
        else:
            getattr(message, name).extend(value if one == "int" else [value])
    return message


class Array:
    """Numbers in row-major order."""

    def __init__(self, shape, values):
        self.shape, self.values = tuple(shape), list(values)
        assert math.prod(self.shape) == len(self.values)

    def at(self, index):
        """Of an index of a shape that this one broadcasts to."""
        index = index[len(index) - len(self.shape):]
        place = 0
        for i, extent in zip(index, self.shape):
            place = place * extent + (0 if extent == 1 else i)
        return self.values[place]


def indices(shape):
    return itertools.product(*(range(extent) for extent in shape))


def broadcast(*shapes):
    rank = max(map(len, shapes))
    aligned = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result = []
    for extents in zip(*aligned):
        assert len(set(extents) - {1}) <= 1, f"shapes {shapes} do not fit"
        result.append(next((e for e in extents if e != 1), 1))
    return tuple(result)


def each(function, *arrays):
    shape = broadcast(*(a.shape for a in arrays))
    return Array(shape, [function(*(a.at(i) for a in arrays)) for i in indices(shape)])


def matmul(a, b):
    """[..., k] x [k, m] -> [..., m]"""
    k, m = b.shape
    assert a.shape[-1] == k
    return Array(a.shape[:-1] + (m,), [
        math.fsum(a.values[row * k + i] * b.values[i * m + column] for i in range(k))
        for row in range(len(a.values) // k) for column in range(m)])


def reduce_mean(x, axes):
    axes = {axis % len(x.shape) for axis in axes}
    shape = tuple(1 if i in axes else e for i, e in enumerate(x.shape))
    lines = {i: [] for i in indices(shape)}
    for i, value in zip(indices(x.shape), x.values):
        lines[tuple(0 if axis in axes else n for axis, n in enumerate(i))].append(value)
    return Array(shape, [math.fsum(line) / len(line) for line in lines.values()])


def softmax(x, axis, after):
    assert axis in (-1, len(x.shape) - 1)
    n, values = x.shape[-1], []
    for row in range(0, len(x.values), n):
        line = x.values[row:row + n]
        shifted = [value - max(line) for value in line]
        total = math.fsum(map(math.exp, shifted))
        values += [after(value, total) for value in shifted]
    return Array(x.shape, values)


def batch_normalization(x, gain, bias, mean, variance, epsilon=1e-5):
    assert len(x.shape) == 2
    return each(lambda x, g, b, m, v: g * (x - m) / math.sqrt(v + epsilon) + b,
                x, gain, bias, mean, variance)


def selu(x, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875):
    return gamma * (x if x > 0 else alpha * math.expm1(x))


def softplus(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def flatten(x, axis=1):
    return Array((math.prod(x.shape[:axis]), math.prod(x.shape[axis:])), x.values)


ELEMENTWISE = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b, "Sqrt": math.sqrt, "Neg": lambda x: -x, "Tanh": math.tanh,
    "Erf": math.erf, "Relu": lambda x: max(x, 0), "Softplus": softplus, "Selu": selu,
    "Sigmoid": lambda x: 1 / (1 + math.exp(-x)), "Softsign": lambda x: x / (1 + abs(x)),
    "Elu": lambda x: x if x > 0 else math.expm1(x), "Identity": lambda x: x,
    "PRelu": lambda x, slope: x if x >= 0 else slope * x,
    "Clip": lambda x, low, high: min(max(x, low), high),
}
OTHERS = {
    "MatMul": matmul,
    "Gemm": lambda x, w, b: each(ELEMENTWISE["Add"], matmul(x, w), b),
    "Flatten": flatten,
    "ReduceMean": reduce_mean,
    "LeakyRelu": lambda x, alpha: each(lambda x: x if x >= 0 else alpha * x, x),
    "BatchNormalization": batch_normalization,
    "Softmax": lambda x, axis: softmax(x, axis, lambda x, total: math.exp(x) / total),
    "LogSoftmax": lambda x, axis: softmax(x, axis, lambda x, total: x - math.log(total)),
}


def setting(attribute):
    """The value of an attribute, which has to say which one it has."""
    kind, name = {1: ("f", "f"), 2: ("i", "i"), 7: ("ints", "ints")}[attribute.type]
    assert attribute.present <= {"name", "type", name}
    return getattr(attribute, kind)


def constant(tensor):
    code = {FLOAT: "f", DOUBLE: "d"}[tensor.data_type]
    count = math.prod(tensor.dims)
    return Array(tensor.dims, struct.unpack(f"<{count}{code}", tensor.raw_data))


def evaluate(graph, x):
    """The output of a graph with one input. Every name is given once and before it is used."""
    known = {tensor.name: constant(tensor) for tensor in graph.initializer}
    assert len(known) == len(graph.initializer)
    (entry,), (end,) = graph.input, graph.output
    assert entry.name not in known
    known[entry.name] = x
    for node in graph.node:
        operands = [known[name] for name in node.input]
        settings = {a.name: setting(a) for a in node.attribute}
        if node.op_type in OTHERS:
            y = OTHERS[node.op_type](*operands, **settings)
        else:
            assert not settings
            y = each(ELEMENTWISE[node.op_type], *operands)
        (name,) = node.output
        assert name not in known
        known[name] = y
    return known[end.name]
