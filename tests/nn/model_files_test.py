"""Files of models, read and written by somebody else: the safetensors format with struct and json,
ONNX graphs by tests/nn/onnx_graph.py, and by the checker of the onnx package where it is installed.

python3 tests/nn/model_files_test.py MODEL_FILES    (the program made from model_files.cpp)
"""

import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

from onnx_graph import DOUBLE, FLOAT, Array, evaluate, parse

CODES = {"BOOL": "?", "U8": "B", "I8": "b", "U16": "H", "I16": "h", "F16": "e", "U32": "I",
         "I32": "i", "F32": "f", "U64": "Q", "I64": "q", "F64": "d"}
PROGRAM = sys.argv.pop() if len(sys.argv) > 1 else ""


def read_safetensors(path):
    data = path.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        assert begin % struct.calcsize(CODES[entry["dtype"]]) == 0
        values = struct.iter_unpack("<" + CODES[entry["dtype"]], data[begin:end])
        arrays[name] = entry["dtype"], Array(entry["shape"], (value for value, in values))
    return arrays, metadata


def write_safetensors(path, arrays, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, (kind, array) in arrays.items():
        numbers = struct.pack(f"<{len(array.values)}{CODES[kind]}", *array.values)
        header[name] = {"dtype": kind, "shape": array.shape,
                        "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class ModelFilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.kept.name)
        cls.run_program("write", cls.folder)
        cls.graphs = sorted(cls.folder.glob("*.onnx"))

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    @staticmethod
    def run_program(*arguments):
        subprocess.run([PROGRAM, *map(str, arguments)], check=True)

    def test_safetensors_of_python_come_back_from_the_library(self):
        arrays = {
            "scalar": ("F32", Array((), [1.5])), "none": ("F16", Array((2, 0), [])),
            "half": ("F16", Array((2, 2), [1, -0.333251953125, 6e-8, 65504])),
            "yes or no": ("BOOL", Array((2,), [True, False])),
            "\u00fc \"quoted\"": ("F64", Array((3,), [math.pi, math.inf, -5e-324])),
        }
        for kind in ("U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"):
            arrays[kind] = kind, Array((3,), [0, 1, 100])
        metadata = {"format": "pt", "text \u00fc": "line\n\u20ac \U0001f600 \""}
        write_safetensors(self.folder / "python", arrays, metadata)
        self.run_program("copy", self.folder / "python", self.folder / "copied")
        copied, texts = read_safetensors(self.folder / "copied")
        self.assertEqual(texts, metadata)
        self.assertEqual(set(copied), set(arrays))
        for name, (_, array) in arrays.items():
            with self.subTest(name):
                self.assertEqual(copied[name][0], "F64")
                self.assertEqual(copied[name][1].shape, array.shape)
                half = struct.unpack("<4e", struct.pack("<4e", *array.values)) \
                    if name == "half" else array.values
                self.assertEqual(copied[name][1].values, [float(value) for value in half])

    def test_exported_graphs_give_the_outputs_of_their_networks(self):
        self.assertGreaterEqual(len(self.graphs), 48)
        for path in self.graphs:
            with self.subTest(path.stem):
                model = parse("model", path.read_bytes())
                arrays, _ = read_safetensors(path.with_suffix(".safetensors"))
                (_, x), (kind, expected) = arrays["x"], arrays["y"]
                y = evaluate(model.graph, x)
                self.assertEqual(y.shape, expected.shape)
                bound = 2e-6 if kind == "F32" else 1e-14
                for got, wanted in zip(y.values, expected.values):
                    self.assertLessEqual(abs(got - wanted), bound * max(1, abs(wanted)))

    def test_exported_graphs_take_any_batch_and_say_what_they_are(self):
        for path in self.graphs:
            with self.subTest(path.stem):
                model = parse("model", path.read_bytes())
                self.assertEqual(model.ir_version, 7)
                self.assertEqual([(o.domain, o.version) for o in model.opset_import], [("", 13)])
                self.assertEqual([(e.key, e.value) for e in model.metadata_props],
                                 [("made_by", "model_files")])
                arrays, _ = read_safetensors(path.with_suffix(".safetensors"))
                number = FLOAT if path.stem.endswith("_float") else DOUBLE
                for what, name in ((model.graph.input, "x"), (model.graph.output, "y")):
                    (value,) = what
                    self.assertEqual(value.name, name)
                    self.assertEqual(value.type.tensor_type.elem_type, number)
                    batch, *rest = value.type.tensor_type.shape.dim
                    self.assertEqual(batch.dim_param, "batch")
                    self.assertEqual(tuple(d.dim_value for d in rest), arrays[name][1].shape[1:])

    def test_the_checker_of_onnx_takes_exported_graphs(self):
        try:
            import onnx
        except ImportError:
            self.skipTest("no onnx package")
        for path in self.graphs:
            with self.subTest(path.stem):
                model = onnx.load(str(path))
                onnx.checker.check_model(model, full_check=True)
                inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
                self.assertEqual(model.graph.output, inferred.graph.output)


if __name__ == "__main__":
    unittest.main()
