"""A GPU that is not there: computes on the processor, and refuses what a GPU would.

Whether a tensor is on it is told by its memory. Tensors are made there unless `device="cpu"` is asked for, operations
on tensors of both places fail as they do with CUDA, and so does NumPy. What is done inside PyTorch's own functions is
not looked at, and speed can't be told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _device
from torch.utils._pytree import tree_leaves

MOVES = {Tensor.to, Tensor.cpu, Tensor.cuda}
READ = {Tensor.tolist, Tensor.item, Tensor.__len__, Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__}
BY_INDEX = {Tensor.__getitem__, Tensor.__setitem__}  # indices and what is set may come from the processor


class GPU(TorchFunctionMode):
    there: ClassVar[set[int]] = set()  # memory; what a stage leaves in a cache is still there for the next one

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def has(self, tensor: Tensor) -> bool:
        return memory(tensor) in self.there

    def put(self, value: Any, there: bool = True) -> Any:
        """Says of all tensors in a value where they are."""
        for tensor in tensors(value):
            (self.there.add if there else self.there.discard)(memory(tensor))
        return value

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = dict(kwargs or {})
        asked = kwargs.get("device")
        if asked is not None and torch.device(asked).type == "cuda":
            del kwargs["device"]
        given = tensors([args, kwargs])
        self.calls += 1
        if func in _device._device_constructors():
            there = torch.device(asked or default()).type == "cuda"
            if there and kwargs.get("generator") is not None:
                raise RuntimeError(f"{name(func)}: expected a 'cuda' device type for generator but found 'cpu'")
            return self.put(func(*args, **kwargs), there)
        if func == Tensor.device.__get__:
            return torch.device("cuda" if self.has(args[0]) else "cpu")
        if func in MOVES:
            return self.moved(func, args, kwargs, asked)
        if func in (Tensor.numpy, Tensor.__array__) and self.has(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy; use Tensor.cpu() first")
        there = self.where(func, given)
        result = func(*args, **kwargs)
        return result if func in READ else self.put(result, there)

    def moved(self, func: Callable, args: tuple, kwargs: dict, asked: Any) -> Tensor:
        to = "cpu" if func is Tensor.cpu else "cuda" if func is Tensor.cuda else asked
        plain: list[Any] = []
        for value in args[1:]:
            if isinstance(value, str | torch.device):
                to = value
            elif isinstance(value, Tensor):
                to = "cuda" if self.has(value) else "cpu"
            else:
                plain.append(value)
        there = self.has(args[0]) if to is None else torch.device(to).type == "cuda"
        if there == self.has(args[0]) and not plain and not kwargs:
            return args[0]
        return self.put(Tensor.to(args[0].clone(), *plain, **kwargs), there)

    def where(self, func: Callable, given: list[Tensor]) -> bool:
        """Whether what an operation gives is on the GPU; numbers may be anywhere."""
        if func in BY_INDEX:
            first, others = given[0], given[1:]
            if not self.has(first) and any(self.has(t) and t.dim() for t in others):
                raise RuntimeError(f"{name(func)}: indices should be on the same device as the indexed tensor (cpu)")
            return self.has(first)
        if func is Tensor.copy_:
            return self.has(given[0])
        places = {self.has(t) for t in given if t.dim()} or {self.has(t) for t in given}
        if len(places) > 1:
            raise RuntimeError(f"{name(func)}: expected all tensors to be on the same device, found cuda:0 and cpu")
        return places == {True}


def default() -> torch.device:
    """Where tensors are made: on the GPU, but under `with torch.device("cpu")`."""
    return _device.CURRENT_DEVICE or torch.device("cuda")


def memory(tensor: Tensor) -> int:
    with torch._C.DisableTorchFunction():
        return tensor.untyped_storage()._cdata


def tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def name(func: Callable) -> str:
    return getattr(func, "__name__", str(func))


@contextmanager
def gpu() -> Iterator[GPU]:
    """For as long as it stands, stages compute on the GPU that is not there."""
    mode, load, from_numpy = GPU(), torch.load, torch.from_numpy

    def loaded(path: Any, map_location: Any = None, **others: Any) -> Any:
        return mode.put(load(path, **others), map_location is not None and torch.device(map_location).type == "cuda")

    autocast = torch.autocast
    with (
        mock.patch("torch.load", loaded),
        mock.patch("torch.from_numpy", lambda array: mode.put(from_numpy(array), False)),
        mock.patch("torch.get_default_device", default),
        mock.patch("torch.autocast", lambda kind, dtype, enabled: autocast("cpu", dtype, enabled=False)),
        mode,
    ):
        yield mode
