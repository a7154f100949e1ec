"""ONNX files that run: one object per engine, each for several calls at once with one thread a call.

One picture per core beats one picture over all cores: layers of eight channels do not share well, and a busy core
then holds up one picture and not all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.engines.network import Runs
from lipwright.engines.onnx_file import needed

PRECISIONS = ("auto", "fp32", "bf16")
"""'auto' is bf16 where the processor has it, else fp32."""


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OpenVino:
    """A network in OpenVINO on the CPU.

    Args:
        path: of an ONNX file, or OpenVINO's .xml.
        precision: of `PRECISIONS`; bf16 becomes fp32 where the processor lacks it.
        threads: of one call.
        calls: how many may be under way at once; the number of cores over `threads` by default.
        folder: where compiled networks are kept, so that the next start is short; None keeps none.
    DependencyError without the extra 'export'.
    """

    engine = "openvino"

    def __init__(
        self, path: Path, precision: str = "auto", threads: int = 1, calls: int = 0, folder: Path | None = None
    ) -> None:
        needed("openvino")
        import openvino

        # Its bindings find NumPy at their first array, and two threads that both bring the first one wait for each
        # other for ever: so that is now, in one thread.
        openvino.Tensor(np.zeros(1, np.float32))
        core = openvino.Core()
        calls = calls or max(cores() // threads, 1)
        native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bf16" if native and precision != "fp32" else "fp32"
        self.threads = threads
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[self.precision],
            "NUM_STREAMS": calls,
            "INFERENCE_NUM_THREADS": calls * threads,
            "ENABLE_CPU_PINNING": False,  # decoder and encoder want these cores too
        }
        if folder is not None:
            options["CACHE_DIR"] = str(folder)
        self._compiled = core.compile_model(str(path), "CPU", options)
        self._own = threading.local()

    def __call__(self, *inputs: F32) -> tuple[F32, ...]:
        """See `Runs`."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        found = request.infer([np.ascontiguousarray(x) for x in inputs], share_inputs=True)
        return tuple(np.array(found[i], np.float32) for i in range(len(self._compiled.outputs)))


class OnnxRuntime:
    """A network in ONNX Runtime; arguments as of `OpenVino`, float32 alone."""

    engine = "onnxruntime"
    precision = "fp32"

    def __init__(
        self, path: Path, precision: str = "auto", threads: int = 1, calls: int = 0, folder: Path | None = None
    ) -> None:
        needed("onnxruntime")
        import onnxruntime

        self.threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), self._options(onnxruntime), providers=self._providers(onnxruntime, folder)
        )
        self._names = [port.name for port in self._session.get_inputs()]

    def _options(self, runtime: Any) -> Any:
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = 3
        return options

    def _providers(self, runtime: Any, folder: Path | None) -> list[Any]:
        return ["CPUExecutionProvider"]

    def __call__(self, *inputs: F32) -> tuple[F32, ...]:
        """See `Runs`."""
        found = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return tuple(np.asarray(x, np.float32) for x in found)


class TensorRt(OnnxRuntime):
    """A network in TensorRT through ONNX Runtime's provider, in fp16. Written for NVIDIA GPUs; never run so far."""

    engine = "tensorrt"
    precision = "fp16"

    def _providers(self, runtime: Any, folder: Path | None) -> list[Any]:
        name = "TensorrtExecutionProvider"
        if name not in runtime.get_available_providers():
            raise DependencyError(
                "this onnxruntime has no TensorRT; install onnxruntime-gpu and TensorRT on a machine with an NVIDIA GPU"
            )
        options: dict[str, Any] = {"trt_fp16_enable": True}
        if folder is not None:
            options |= {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(folder)}
        return [(name, options), "CUDAExecutionProvider"]


START: dict[str, Callable[..., Runs]] = {"openvino": OpenVino, "onnxruntime": OnnxRuntime, "tensorrt": TensorRt}
"""Engine to what starts it."""
ENGINES = ("auto", "torch", *START)


def checked(asked: str, precision: str = "auto") -> None:
    """ConfigError for an engine or precision that does not exist."""
    if asked not in ENGINES:
        raise ConfigError(f"unknown engine '{asked}'; available: {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        raise ConfigError(f"unknown precision '{precision}'; available: {', '.join(PRECISIONS)}")
